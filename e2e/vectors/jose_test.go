package vectors

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// runJOSE decides every token of a file with the keys beside it.
func runJOSE(t *testing.T, name string) (r row) {
	f := load(t, name)
	for i := range f.Groups {
		g := &f.Groups[i]
		keys := g.Public
		if keys == nil {
			keys = g.Private
		}
		var b *bench
		if g.Tests[0].JWS != nil {
			b = newBench(t, keys)
		}
		for j := range g.Tests {
			v := &g.Tests[j]
			if v.JWS == nil {
				refuseJWE(t, v)
				r.add(t, name, v, other)
				continue
			}
			refusedBy := b.decide(t, text(v.JWS))
			if v.Result == "valid" && refusedBy == "" {
				acceptResigned(t, b, g.Private, v)
			}
			r.add(t, name, v, refusedBy)
		}
	}
	return r
}

// text is a token as it would be sent: the string in compact serialization, and
// the object in JSON serialization.
func text(token json.RawMessage) (s string) {
	if json.Unmarshal(token, &s) == nil {
		return s
	}
	return string(token)
}

// refuseJWE has an encrypted token, valid or not, refused before any key.
func refuseJWE(t *testing.T, v *vector) {
	t.Helper()
	require.NotNil(t, v.JWE)
	none := &bench{} // its Lookup would panic
	w, err := verifier.New(verifier.Config{Issuer: issuer, Audiences: []string{audience}, Keys: none})
	require.NoError(t, err)
	_, err = w.Verify(ctx, text(v.JWE))
	assert.ErrorIs(t, err, verifier.ErrMalformed, "P1 %d", v.ID)
}

// TestBadKeys has the keys that are wrong in themselves: they do not load, or as
// secrets are refused, before any token. For 1 and 4 it is the set that is, and
// 7 is explained in waivers_test.go.
func TestBadKeys(t *testing.T) {
	bad := map[int]string{
		6: "use is enc", 8: "1024 bits", 9: "exponent 1", 10: "31 bytes", 11: "47 bytes", 12: "63 bytes",
		16: "empty", 17: "empty", 18: "empty", 19: "alg is ES521", 20: "alg is ES224", 21: "use is enc",
		22: "not on the curve", 23: "P-256 as P-384", 24: "EC as RSA", 25: "alg is A256GCM",
	}
	found := 0
	for _, g := range load(t, keys).Groups {
		for _, v := range g.Tests {
			if bad[v.ID] == "" {
				continue
			}
			found++
			k := g.Public
			if k == nil {
				k = g.Private
			}
			assert.Nil(t, newBench(t, k), "A4 %d %s", v.ID, bad[v.ID])
			_, err := jwkscache.Static(asSet(k))
			assert.Error(t, err, "A4 %d %s", v.ID, bad[v.ID])
		}
	}
	assert.Len(t, bad, found)
}

// TestSameToken has two labels contradict each other: 367 and 370 are called
// invalid and are the very token that 357 calls valid.
func TestSameToken(t *testing.T) {
	f := load(t, "json_web_signature_test.json")
	labels := map[string]map[int]string{}
	for _, g := range f.Groups {
		for _, v := range g.Tests {
			s := string(g.Private) + text(v.JWS)
			if labels[s] == nil {
				labels[s] = map[int]string{}
			}
			labels[s][v.ID] = v.Result
		}
	}
	for _, ids := range labels {
		if ids[357] != "" {
			assert.Equal(t, map[int]string{357: "valid", 367: "invalid", 370: "invalid"}, ids)
			return
		}
	}
	require.Fail(t, "357 is gone")
}
