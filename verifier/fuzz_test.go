package verifier_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// fuzzed is a verifier that trusts only algorithms whose signatures are unique,
// the signers that it trusts, and a token of each.
func fuzzed(t testing.TB) (v *verifier.Verifier, signers []signer, good []string) {
	return fuzzedWith(t, verifier.Settings{})
}

func fuzzedWith(t testing.TB, settings verifier.Settings) (v *verifier.Verifier, signers []signer, good []string) {
	secret := []byte(strings.Repeat("fuzz", 16))
	hs := verifier.Config{Issuer: "hs", Audiences: []string{api}, SharedSecrets: [][]byte{secret}}
	ed := config()
	ed.Keys = keysOf(signerOf("Ed25519"), signerOf("EdDSA"))
	v = newVerifierWith(t, settings, ed, hs)
	signers = []signer{
		signerOf("Ed25519"), signerOf("EdDSA"),
		hmacSigner("HS256", secret),
		hmacSigner("HS384", secret), // its MACs are of whole quanta in base64
		hmacSigner("HS512", secret),
	}
	for _, s := range signers {
		claims := members{"exp": "4e9", "iat": "1300819380", "aud": `["x","` + api + `"]`}
		if strings.HasPrefix(s.Alg, "HS") {
			claims["iss"] = `"hs"`
		}
		good = append(good, s.token(nil, claims))
	}
	return v, signers, good
}

// signedByUs reports whether raw is, to the byte, what one of signers makes of
// its first two segments.
func signedByUs(raw string, signers []signer) bool {
	head, rest, _ := strings.Cut(raw, ".")
	body, _, _ := strings.Cut(rest, ".")
	for _, s := range signers {
		if raw == s.SignEncoded(head, body) {
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

// FuzzRemembered: whether a verifier remembers tokens changes no answer, however
// a good token is changed, with all tokens in one place of the cache.
func FuzzRemembered(f *testing.F) {
	s := signerOf("Ed25519")
	with, _ := setup(f, func(cfg *set) { cfg.TokenCache = 16 })
	without, _ := setup(f, func(cfg *set) { cfg.TokenCache = -1 })
	verifier.Collide(with)
	good := s.token(nil, members{"exp": "4000000000", "iat": "1"})
	f.Add(0, "")
	f.Add(len(good)-1, "A")
	f.Add(5, good)
	f.Add(-1, "x")
	f.Fuzz(func(t *testing.T, at int, more string) {
		verified(t, with, good)
		raw := more
		if at >= 0 && at <= len(good) {
			raw = good[:at] + more + good[min(len(good), at+len(more)):]
		}
		for range 2 {
			a, errA := with.Verify(ctx, raw)
			b, errB := without.Verify(ctx, raw)
			require.Equal(t, errB == nil, errA == nil, "%q: %v, %v", raw, errA, errB)
			if errA != nil {
				require.Equal(t, errB.Error(), errA.Error())
				continue
			}
			require.Equal(t, b.String(), a.String())
			require.Equal(t, must(verifier.ClaimsOf[map[string]any](b)), must(verifier.ClaimsOf[map[string]any](a)))
		}
	})
}

// FuzzAuthenticate: whatever Authorization holds, the answer is one of four.
func FuzzAuthenticate(f *testing.F) {
	var seen []verifier.Decision
	v, signers, good := fuzzedWith(f, verifier.Settings{Observe: func(_ context.Context, d verifier.Decision) { seen = append(seen, d) }})
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
		seen = nil
		tok, err := v.Authenticate(r)
		require.Len(t, seen, 1, "O1")
		d := seen[0]
		assert.Contains(t, []string{"", issuer, "hs"}, d.Issuer, "O2")
		assert.Equal(t, err == nil, d.Outcome == verifier.OutcomeAdmitted, "O1")
		assert.Equal(t, verifier.ReasonName(err), verifier.ReasonName(d.Reason), "O4")
		assert.Equal(t, err == nil, d.Caller != verifier.Caller{}, "O2")
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

// FuzzClaims: whatever issuer and attacker write into header and claims, we
// accept only what an independent parser reads the same way.
func FuzzClaims(f *testing.F) {
	s := signerOf("Ed25519")
	v, _ := setup(f)
	const header = `{"alg":"Ed25519","kid":"Ed25519"}`
	claims := func(more string) string {
		return `{"iss":"` + issuer + `","aud":"` + api + `","exp":4000000000` + more + `}`
	}
	for _, more := range []string{
		"", `,"sub":"a","client_id":"b","jti":"c","scope":"x y"`, `,"azp":"b","scp":["x","y z"]`, `,"client_id":null,"azp":"b","scope":null`,
		`,"iat":1.5e9,"nbf":0`, `,"nbf":1e300`, `,"iat":-0`, `,"iat":"x","nbf":null`, `,"scope":" x  y "`, `,"scope":[]`, `,"sub":"\ud83d\ude00\u0000"`, `,"sub":"\ud800"`,
		`,"exp":4000000001`, `,"\u0065xp":4000000001`, `,"EXP":1`, `,"\u212aid":1`, `,"cnf":{}`, `,"events":{}`, `,"nonce":"n"`, `,"typ":"ID"`,
		`,"deep":` + nested("[", "]", 31), `,"deep":` + nested(`{"a":`, "}", 31), `,"n":123456789012345678901234567890.5e-7`,
	} {
		f.Add(header, claims(more))
	}
	f.Add(`{"alg":"EdDSA","typ":"JWT","kid":"EdDSA","zip":"NONE","jku":"https://evil.example/"}`, claims(""))
	f.Add(`{"alg":"Ed25519","kid":"Ed25519","typ":"application/at+jwt"}`, claims(""))
	f.Add(header, strings.Replace(claims(""), `"`+api+`"`, `["x","`+api+`"]`, 1))
	f.Add(header, " "+claims("")+"\n")
	f.Fuzz(func(t *testing.T, header, payload string) {
		tok, err := v.Verify(ctx, s.SignEncoded(encode(header), encode(payload)))
		if err != nil {
			return
		}
		all := independent(t, payload)
		head := independent(t, header)
		require.Contains(t, []any{"Ed25519", "EdDSA"}, head["alg"])
		require.NotContains(t, head, "crit")
		require.NotContains(t, all, "cnf", "B1")

		text := func(names ...string) string {
			for _, name := range names {
				if s, _ := all[name].(string); s != "" {
					return s
				}
			}
			return ""
		}
		require.Equal(t, issuer, all["iss"])
		require.Equal(t, text("iss"), tok.Issuer())
		require.Equal(t, text("sub"), tok.Subject())
		require.Equal(t, text("jti"), tok.ID())
		require.Equal(t, text("client_id", "azp"), tok.ClientID())
		require.Equal(t, list(all["aud"]), tok.Audience())
		require.Contains(t, tok.Audience(), api)
		scopes := words(all["scope"])
		if len(scopes) == 0 {
			scopes = words(all["scp"])
		}
		require.Equal(t, scopes, append([]string{}, tok.Scopes()...))
		for name, got := range map[string]time.Time{"exp": tok.Expiry(), "nbf": tok.NotBefore(), "iat": tok.IssuedAt()} {
			number, _ := all[name].(json.Number)
			want, err := number.Float64()
			if all[name] == nil || name == "iat" && (err != nil || math.Signbit(want) || want > 253402300799) {
				require.True(t, got.IsZero(), name)
				continue
			}
			require.NoError(t, err)
			require.InDelta(t, want, float64(got.Unix())+float64(got.Nanosecond())/1e9, 1e-3, name)
		}
		decoded, err := verifier.ClaimsOf[map[string]json.RawMessage](tok)
		require.NoError(t, err)
		require.Len(t, decoded, len(all))
	})
}

// independent reads text with encoding/json.
func independent(t *testing.T, text string) (all map[string]any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	require.NoError(t, dec.Decode(&all))
	require.False(t, dec.More())
	return all
}

// list reads a claim that may be a string or an array of strings.
func list(claim any) (values []string) {
	switch c := claim.(type) {
	case string:
		return []string{c}
	case []any:
		for _, v := range c {
			values = append(values, v.(string))
		}
	}
	return values
}

// words reads a claim of scopes.
func words(claim any) []string {
	values := list(claim)
	if s, ok := claim.(string); ok {
		values = strings.Split(s, " ")
	}
	return slices.DeleteFunc(append([]string{}, values...), func(s string) bool { return s == "" })
}
