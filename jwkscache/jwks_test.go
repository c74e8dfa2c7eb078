package jwkscache_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// The error says what is wrong with a key set. A bad first set is not used either:
// the cache stays empty.
func TestBadFirstSet(t *testing.T) {
	a := newKey("a")
	member := a.jwk.String()
	set := rawSet(member)
	for _, row := range []struct{ name, doc, why string }{
		{"K7 nothing", ``, "not a JWK Set: not a JSON object"},
		{"K7 HTML", `<html></html>`, "not a JWK Set: not a JSON object"},
		{"K7 null", `null`, "not a JWK Set: not a JSON object"},
		{"K7 an array of keys", `[` + member + `]`, "not a JWK Set: not a JSON object"},
		{"K7 a text", `"keys"`, "not a JWK Set: not a JSON object"},
		{"K7 {}", `{}`, "not a JWK Set: no member named keys"},
		{"K7 a lone JWK", member, "not a JWK Set: no member named keys"},
		{"K7 a name without quotes", `{keys:[]}`, "not a JWK Set: broken JSON"},
		{"K7 truncated before a name", strings.TrimSuffix(set, "}") + ",", "not a JWK Set: broken JSON"},
		{"K7 truncated after the keys", strings.TrimSuffix(set, "}"), "not a JWK Set: broken JSON"},
		{"K7 a comma before the end", strings.TrimSuffix(set, "}") + ",}", "not a JWK Set: broken JSON"},
		{"K7 a broken member", `{"a":tru,` + strings.TrimPrefix(set, "{"), "not a JWK Set: broken JSON"},
		{"K7 keys twice", `{"keys":[],` + strings.TrimPrefix(set, "{"), "not a JWK Set: two members named keys"},
		{"K7 keys a number", `{"keys":7}`, "not a JWK Set: keys is not an array"},
		{"K7 keys null", `{"keys":null}`, "not a JWK Set: keys is not an array"},
		{"K7 keys missing", `{"keys":`, "not a JWK Set: keys is not an array"},
		{"K7 truncated inside a key", set[:len(set)/2], "not a JWK Set: broken JSON"},
		{"K7 a comma after the keys", strings.Replace(set, "]", ",]", 1), "not a JWK Set: "},
		{"K7 257 keys", rawSet(strings.Repeat(`{},`, 256) + member), "not a JWK Set: more than 256 keys"},
		{"K7 trailing bytes", set + "x", "not a JWK Set: something follows the JSON object"},
		{"K7 a trailing second set", set + set, "not a JWK Set: something follows the JSON object"},
		{"K7 no key", `{"keys":[]}`, "no usable key among 0"},
		{"K7 none usable", rawSet(`{}`, `7`), "no usable key among 2"},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			_, err := jwkscache.Static([]byte(row.doc))
			require.ErrorContains(t, err, "jwkscache: "+row.why)

			s := newServer(reply(200, row.doc))
			c := open(t, s, jwkscache.Config{})
			require.Equal(t, jwkscache.Empty, c.Stats().State)
			require.ErrorContains(t, cannotTell(t, c, "a"), row.why)
			require.ErrorContains(t, c.Health(), row.why)
			s.serve(publish(a))
			require.NoError(t, c.Refresh(t.Context()))
			serves(t, c, a)
			assert.Equal(t, jwkscache.Fresh, c.Stats().State)
		}))
	}
}

// Whatever a document has, the keys served from it can verify signatures.
func FuzzParseKeySet(f *testing.F) {
	const (
		ed = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"e"}`                                                  // RFC 8037 A.2
		ec = `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","use":"sig"}` // RFC 7515 A.3
	)
	for _, doc := range []string{
		rawSet(ed), rawSet(ec, ed), rawSet(rsaOf(2048, 65537).String()), rawSet(rsaOf(2048, 3).with("kid", 7).String()),
		rawSet(ed, ed), rawSet(ec, `{"kty":"oct","k":"AQ"}`), rawSet(`{"kty":"EC"}`, "null", "7", "[]"),
		`{"keys":[]}`, `{}`, `null`, `[]`, ``, ed, rawSet(ed) + "x", rawSet(ed)[:40], `{"keys":[],"keys":[` + ed + `]}`,
		`{"keys":[` + strings.Repeat("[", 20_000), "\ufeff" + rawSet(ed), "{\"\xff\":1,\"keys\":[" + ec + "]}",
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		c, err := jwkscache.Static(doc)
		if err != nil {
			require.Nil(t, c)
			return
		}
		var set map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(bytes.TrimPrefix(doc, []byte("\ufeff")), &set), "a set is a JSON object")
		var members []json.RawMessage
		require.NoError(t, json.Unmarshal(set["keys"], &members))
		st := c.Stats()
		require.LessOrEqual(t, st.Keys, len(members))
		require.LessOrEqual(t, len(members), 256)
		require.Positive(t, st.Keys)

		served := 0
		for _, alg := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"} {
			keys, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: alg})
			require.NoError(t, err)
			served += len(keys)
			for _, k := range keys {
				switch k := k.(type) {
				case *rsa.PublicKey:
					require.Contains(t, []string{"RS", "PS"}, alg[:2])
					require.True(t, k.N.BitLen() >= 2048 && k.N.BitLen() <= 8192 && k.E >= 65537 && k.E%2 == 1)
				case *ecdsa.PublicKey:
					require.Equal(t, map[string]string{"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[alg], k.Curve.Params().Name)
					_, err := k.ECDH()
					require.NoError(t, err, "on its curve")
				case ed25519.PublicKey:
					require.Contains(t, []string{"EdDSA", "Ed25519"}, alg)
					require.NoError(t, jose.CheckEd25519(k))
				default:
					require.Fail(t, "unknown kind of key", "%T", k)
				}
			}
		}
		require.GreaterOrEqual(t, served, st.Keys)
		for _, alg := range []string{"", "none", "HS256"} {
			keys, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: alg})
			require.NoError(t, err)
			require.Empty(t, keys)
		}
	})
}
