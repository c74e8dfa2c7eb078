package verifier_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// fuzzed is a verifier that trusts only algorithms whose signatures are unique,
// the signers that it trusts, and a token of each.
func fuzzed(t testing.TB) (v *verifier.Verifier, signers []*signer, good []string) {
	secret := []byte(strings.Repeat("fuzz", 16))
	hs := newVerifier(t, verifier.Config{Issuer: "hs", Audiences: []string{api}, SharedSecret: secret})
	ed, _ := setup(t, func(cfg *verifier.Config) { cfg.Keys = keysOf(signerOf("Ed25519"), signerOf("EdDSA")) })
	v, err := verifier.Join(ed, hs)
	require.NoError(t, err)
	signers = []*signer{
		signerOf("Ed25519"), signerOf("EdDSA"),
		hmacSigner("HS256", secret),
		hmacSigner("HS384", secret), // its MACs are of whole quanta in base64
		hmacSigner("HS512", secret),
	}
	for _, s := range signers {
		claims := members{"exp": "4e9", "iat": "1300819380", "aud": `["x","` + api + `"]`}
		if strings.HasPrefix(s.alg, "HS") {
			claims["iss"] = `"hs"`
		}
		good = append(good, s.token(nil, claims))
	}
	return v, signers, good
}

// signedByUs tells whether raw is, to the byte, what one of signers makes of
// its first two segments.
func signedByUs(raw string, signers []*signer) bool {
	head, rest, _ := strings.Cut(raw, ".")
	body, _, _ := strings.Cut(rest, ".")
	for _, s := range signers {
		if raw == s.signEncoded(head, body) {
			return true
		}
	}
	return false
}

// FuzzVerify: nothing is accepted but what was signed, to the byte.
func FuzzVerify(f *testing.F) {
	v, signers, good := fuzzed(f)
	for _, raw := range good {
		verified(f, v, raw)
		f.Add(raw)
		f.Add(raw + "\n")
		f.Add(raw + "=")
		f.Add(raw[:len(raw)-1])
		f.Add(strings.Replace(raw, ".", "..", 1))
	}
	f.Add("")
	f.Add("..")
	f.Add("eyJhbGciOiJub25lIn0.e30.AA")
	f.Fuzz(func(t *testing.T, raw string) {
		tok, err := v.Verify(ctx, raw)
		if err == nil {
			require.True(t, signedByUs(raw, signers), "accepted %q", raw)
			return
		}
		require.Nil(t, tok)
		var e *verifier.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, http.StatusUnauthorized, e.Status(), err)
		for _, c := range err.Error() {
			require.True(t, ' ' <= c && c <= '~', "%q in %q", c, err.Error())
		}
		require.Less(t, len(err.Error()), 400)
	})
}

// FuzzReadObject: what the strict reader takes, encoding/json takes too, with
// the same members.
func FuzzReadObject(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"a":1}`, ` {"a" : [1, {"b":null}], "c":"\u0041"} `, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"exp":1,"Exp":2}`,
		`{"a":1}{}`, `[]`, `{"a":01}`, "\ufeff{}", "{\"a\":\"\xff\"}", `{"a":` + nested("[", "]", 31) + `}`, `{"a":` + nested("[", "]", 32) + `}`,
		`{"a":"\ud800"}`, `{"":-0.1e+5}`, goodClaims().text(),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		names, values, err := verifier.ReadObject(text)
		require.Equal(t, before, text, "the text was changed")
		if err != nil {
			return
		}
		var want map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(text, &want))
		require.Len(t, names, len(want), "a name twice")
		for i, name := range names {
			require.Contains(t, want, name)
			require.True(t, json.Valid(values[i]), "%q", values[i])
			require.Equal(t, string(want[name]), string(values[i]), name)
		}
	})
}

// FuzzAuthenticate: whatever Authorization holds, the answer is one of four.
func FuzzAuthenticate(f *testing.F) {
	v, signers, good := fuzzed(f)
	for _, raw := range good {
		f.Add("Bearer " + raw)
	}
	for _, field := range []string{
		"", "Bearer", "Bearer ", "bearer x", "BEARER  a.b.c", "Basic dTpw", "Bearer\tx", "Bearer x,y", "Bearer=x", "Bearer \u00e9", "Bearer ==",
	} {
		f.Add(field)
	}
	f.Fuzz(func(t *testing.T, field string) {
		r := anonymous()
		r.Header["Authorization"] = []string{field}
		tok, err := v.Authenticate(r)
		scheme, rest, _ := strings.Cut(field, " ")
		if err == nil {
			require.NotNil(t, tok)
			require.True(t, strings.EqualFold(scheme, "Bearer"))
			require.True(t, signedByUs(strings.TrimLeft(rest, " "), signers), "accepted %q", field)
			return
		}
		require.Nil(t, tok)
		var e *verifier.Error
		require.ErrorAs(t, err, &e)
		h := http.Header{}
		e.SetHeaders(h)
		challenge := h.Get("WWW-Authenticate")
		switch {
		case errors.Is(err, verifier.ErrNoToken):
			assert.Equal(t, 401, e.Status())
			assert.Equal(t, `Bearer realm="api"`, challenge)
			assert.False(t, strings.EqualFold(scheme, "Bearer"), "R1 for %q", field)
		case e.Status() == 400:
			assert.Equal(t, "invalid_request", e.Code())
			assert.True(t, len(field) >= 6 && strings.EqualFold(field[:6], "Bearer"), "X1 for %q", field)
		default:
			assert.Equal(t, 401, e.Status())
			assert.Equal(t, "invalid_token", e.Code())
			assert.True(t, strings.EqualFold(scheme, "Bearer"))
		}
		if len(field) > 20 {
			assert.NotContains(t, challenge, field[10:])
		}
	})
}
