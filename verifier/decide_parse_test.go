package verifier_test

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func TestSegments(t *testing.T) {
	v, keys := setup(t)
	raw := signerOf("ES256").good()
	verified(t, v, raw)
	head, rest, _ := strings.Cut(raw, ".")
	body, sig, _ := strings.Cut(rest, ".")
	jws := `{"payload":"` + body + `","protected":"` + head + `","signature":"` + sig + `"}`
	tests := []struct{ name, raw string }{
		{"P1 nothing", ""},
		{"P1 one segment", head},
		{"P1 two segments", head + "." + body},
		{"P1 two segments, the first empty", "." + body},
		{"P1 four segments", raw + "." + sig},
		{"P1 a dot at the end", raw + "."},
		{"P1 a dot at the start", "." + raw},
		{"P1 two dots together", head + ".." + body + "." + sig},
		{"P1 JWE", raw + "." + sig + "." + sig},
		{"P1 JWE of direct encryption", head + ".." + body + "." + sig + "." + sig},
		{"P1 only dots", ".."},
		{"P1 no header", "." + body + "." + sig},
		{"P1 no payload", head + ".." + sig},
		{"P1 no signature", head + "." + body + "."},
		{"P1 flattened JSON serialization", jws},
		{"P1 general JSON serialization", `{"payload":"` + body + `","signatures":[{"protected":"` + head + `","signature":"` + sig + `"}]}`},
		{"P1 JSON serialization with dots", strings.ReplaceAll(jws, `,`, `,".":".",`)},
	}
	keys.lookups.Store(0)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := v.Verify(ctx, tt.raw)
			assertRefused(t, verifier.ErrMalformed, err)
			assert.Zero(t, keys.lookups.Load())
		})
	}
}

// TestBase64 spoils one segment of a token at a time. The signature is always
// over the spoiled text, so that nothing but the strict decoding refuses it.
func TestBase64(t *testing.T) {
	at := func(n int, what string) func(string) string {
		return func(s string) string { return s[:n] + what + s[n:] }
	}
	add := func(what string) func(string) string { return func(s string) string { return s + what } }
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	tests := []struct {
		name  string
		rest  int // of the segment's length modulo 4; -1: any
		spoil func(string) string
	}{
		{"P1 one padding sign", 3, add("=")},
		{"P1 two padding signs", 2, add("==")},
		{"P1 padding where none belongs", 0, add("====")},
		{"P1 a newline at the end", -1, add("\n")},
		{"P1 CR at the end", -1, add("\r")},
		{"P1 CR LF at the end", -1, add("\r\n")},
		{"P1 four newlines at the end", -1, add("\n\n\n\n")},
		{"P1 a newline at the start", -1, at(0, "\n")},
		{"P1 a newline inside", -1, at(4, "\n")},
		{"P1 CR inside", -1, at(5, "\r")},
		{"P1 CR LF inside", -1, at(6, "\r\n")},
		{"P1 a newline before the last letter", -1, func(s string) string { return s[:len(s)-1] + "\n" + s[len(s)-1:] }},
		{"P1 a space at the end", -1, add(" ")},
		{"P1 a space inside", -1, at(4, " ")},
		{"P1 a tab inside", -1, at(4, "\t")},
		{"P1 NUL at the end", -1, add("\x00")},
		{"P1 plus", -1, func(s string) string { return strings.Replace(s, "-", "+", 1) }},
		{"P1 slash", -1, func(s string) string { return strings.Replace(s, "_", "/", 1) }},
		{"P1 a letter too many", 0, add("A")},
		{"P1 a letter beyond ASCII", -1, add("\u00e9")},
		{"P1 bits that belong to no byte, two letters", 2, func(s string) string {
			return s[:len(s)-1] + alphabet[strings.IndexByte(alphabet, s[len(s)-1])|1:][:1]
		}},
		{"P1 bits that belong to no byte, three letters", 3, func(s string) string {
			return s[:len(s)-1] + alphabet[strings.IndexByte(alphabet, s[len(s)-1])|1:][:1]
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, rest := range []int{0, 2, 3} {
				if tt.rest >= 0 && tt.rest != rest {
					continue
				}
				s, header, claims := textsOfRest(t, rest)
				head, body := encode(header), encode(claims)
				v, keys := withSigner(t, s)
				verified(t, v, s.SignEncoded(head, body))
				keys.lookups.Store(0)

				for _, raw := range []string{s.SignEncoded(tt.spoil(head), body), s.SignEncoded(head, tt.spoil(body))} {
					_, err := v.Verify(ctx, raw)
					assertRefused(t, verifier.ErrMalformed, err)
				}
				assert.Zero(t, keys.lookups.Load())
			}
		})
		t.Run(tt.name+", signature", func(t *testing.T) {
			for _, alg := range []string{"ES256", "ES384", "RS256", "ES512"} {
				s := signerOf(alg)
				v, keys := setup(t)
				var signed, sig string
				for i := 0; !strings.Contains(sig, "-") || !strings.Contains(sig, "_"); i++ {
					claims := members{"jti": strconv.Quote(strconv.Itoa(i))}
					signed = encode(s.Header().Text()) + "." + encode(claims.Over(goodClaims()).Text())
					sig = encode(string(s.Signature(signed)))
				}
				if tt.rest >= 0 && tt.rest != len(sig)%4 {
					continue
				}
				verified(t, v, signed+"."+sig)
				keys.lookups.Store(0)
				_, err := v.Verify(ctx, signed+"."+tt.spoil(sig))
				assertRefused(t, verifier.ErrMalformed, err)
				assert.Zero(t, keys.lookups.Load())
			}
		})
	}
}

// textsOfRest returns a header and claims whose segments have this length
// modulo 4 and both of the letters in which base64url differs from base64.
func textsOfRest(t *testing.T, rest int) (s signer, header, claims string) {
	s = signerOf("ES256")
	grow := func(m members, base members) string {
		for range 3 {
			m["x"] = m["x"][:len(m["x"])-1] + `x"`
			for _, odd := range []string{`"~~~???>>>"`, `"x~~~???>>>"`, `"xx~~~???>>>"`} {
				m["odd"] = odd
				text := m.Over(base).Text()
				e := encode(text)
				if len(e)%4 == rest && strings.Contains(e, "-") && strings.Contains(e, "_") {
					return text
				}
			}
		}
		require.Fail(t, "no text of this length")
		return ""
	}
	return s, grow(members{"x": `""`}, s.Header()), grow(members{"x": `""`}, goodClaims())
}

// withSigner makes a verifier that trusts only s.
func withSigner(t testing.TB, s signer) (*verifier.Verifier, *keyMap) {
	t.Helper()
	return setup(t, func(cfg *set) { cfg.Keys = keysOf(s) })
}

func TestHeaderMembers(t *testing.T) {
	s := signerOf("ES256")
	v, keys := setup(t)
	long := `"` + strings.Repeat("k", 10_000) + `"`
	tests := []struct {
		name    string
		header  members
		reason  error // nil: accepted
		lookups int64
	}{
		{"P3 crit", members{"crit": `["exp"]`, "exp": "1"}, verifier.ErrMalformed, 0},
		{"P3 crit of something unknown", members{"crit": `["x"]`, "x": "1"}, verifier.ErrMalformed, 0},
		{"P3 crit without names", members{"crit": `[]`}, verifier.ErrMalformed, 0},
		{"P3 crit null", members{"crit": `null`}, verifier.ErrMalformed, 0},
		{"P3 crit false", members{"crit": `false`}, verifier.ErrMalformed, 0},
		{"P3 b64 false", members{"b64": `false`}, verifier.ErrMalformed, 0},
		{"P3 b64 false and critical", members{"b64": `false`, "crit": `["b64"]`}, verifier.ErrMalformed, 0},
		{"P3 b64 true", members{"b64": `true`}, verifier.ErrMalformed, 0},
		{"P3 b64 null", members{"b64": `null`}, verifier.ErrMalformed, 0},
		{"P3 zip NONE", members{"zip": `"NONE"`}, nil, 1},
		{"P3 zip DEF", members{"zip": `"DEF"`}, nil, 1},
		{"P3 zip of another kind", members{"zip": `7`}, nil, 1},

		{"P4 cty JWT", members{"cty": `"JWT"`}, verifier.ErrType, 0},
		{"P4 cty jwt", members{"cty": `"jwt"`}, verifier.ErrType, 0},
		{"P4 cty application/jwt", members{"cty": `"application/jwt"`}, verifier.ErrType, 0},
		{"P4 cty APPLICATION/JWT", members{"cty": `"APPLICATION/JWT"`}, verifier.ErrType, 0},
		{"P4 cty a number", members{"cty": `7`}, verifier.ErrMalformed, 0},
		{"P4 cty null", members{"cty": `null`}, nil, 1},
		{"P4 cty json", members{"cty": `"json"`}, nil, 1},

		{"A1 alg none", members{"alg": `"none"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg nOnE", members{"alg": `"nOnE"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg NONE", members{"alg": `"NONE"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg es256", members{"alg": `"es256"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg with a space", members{"alg": `"ES256 "`}, verifier.ErrAlgorithm, 0},
		{"A1 alg with NUL", members{"alg": `"ES256\u0000"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg empty", members{"alg": `""`}, verifier.ErrAlgorithm, 0},
		{"A1 alg missing", members{"alg": ``}, verifier.ErrAlgorithm, 0},
		{"A1 alg null", members{"alg": `null`}, verifier.ErrAlgorithm, 0},
		{"A1 alg an array", members{"alg": `["ES256"]`}, verifier.ErrMalformed, 0},
		{"A1 alg a number", members{"alg": `256`}, verifier.ErrMalformed, 0},
		{"A1 alg HS256", members{"alg": `"HS256"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg ES256K", members{"alg": `"ES256K"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg RS1", members{"alg": `"RS1"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg Ed448", members{"alg": `"Ed448"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg of an encryption", members{"alg": `"RSA-OAEP-256"`, "enc": `"A256GCM"`}, verifier.ErrAlgorithm, 0},

		{"A5 kid unknown", members{"kid": `"x"`}, verifier.ErrSignature, 1},
		{"A5 kid like SQL", members{"kid": `"' OR 1=1 --"`}, verifier.ErrSignature, 1},
		{"A5 kid like a path", members{"kid": `"../../../../dev/null"`}, verifier.ErrSignature, 1},
		{"A5 kid of 10 KB", members{"kid": long}, verifier.ErrSignature, 1},
		{"A5 kid in another case", members{"kid": `"es256"`}, verifier.ErrSignature, 1},
		{"A5 kid a number", members{"kid": `7`}, verifier.ErrMalformed, 0},
		{"A5 kid null", members{"kid": `null`}, verifier.ErrSignature, 1},
		{"A5 kid an object", members{"kid": `{}`}, verifier.ErrMalformed, 0},
		{"A5 x5t a number", members{"x5t": `7`}, nil, 1},
		{"A5 x5t#S256 an array", members{"x5t#S256": `["x"]`}, nil, 1},
		{"A5 x5t empty", members{"x5t": `""`, "x5t#S256": `""`}, nil, 1},
		{"A5 kid of another key", members{"kid": `"ES384"`}, verifier.ErrSignature, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys.lookups.Store(0)
			_, err := v.Verify(ctx, s.token(tt.header, nil))
			if tt.reason == nil {
				require.NoError(t, err)
			} else {
				assertRefused(t, tt.reason, err)
			}
			assert.Equal(t, tt.lookups, keys.lookups.Load())
		})
	}
	t.Run("A1 alg twice", func(t *testing.T) {
		_, err := v.Verify(ctx, s.Sign(inside(s.Header(), `"alg":"none"`), goodClaims().Text()))
		assertRefused(t, verifier.ErrMalformed, err)
	})
	t.Run("A1 none with an empty signature", func(t *testing.T) {
		_, err := v.Verify(ctx, jwttest.Attach(encode(`{"alg":"none"}`)+"."+encode(goodClaims().Text()), nil))
		assertRefused(t, verifier.ErrMalformed, err)
	})
}

// TestKeysInTheHeader lets an attacker point at keys that do fit the signature.
func TestKeysInTheHeader(t *testing.T) {
	theirs, ours := verifiertest.NewIssuer(t), verifiertest.NewIssuer(t)
	attacker := newSigner("ES256")
	cfg := ours.Config(api)
	cfg.JWKS.Cooldown = time.Millisecond // so that nobody waits for the budget
	v := newVerifier(t, cfg)
	require.NoError(t, v.Ready(ctx))
	kid, _ := ours.Key()
	theirKID, _ := theirs.Key()
	claims := strings.Replace(goodClaims().Text(), issuer, ours.URL(), 1)
	tests := []struct {
		name, value, kid string
		sign             func(header, payload string) string
	}{
		{"jku", `"` + theirs.URL() + `/jwks.json"`, theirKID, theirs.Sign},
		{"x5u", `"` + theirs.URL() + `/jwks.json"`, theirKID, theirs.Sign},
		{"jwk", attacker.JWK(nil), attacker.KeyID, attacker.Sign},
		{"x5c", `["` + certificate(t, attacker) + `"]`, attacker.KeyID, attacker.Sign},
	}
	for _, tt := range tests {
		t.Run("P4 "+tt.name, func(t *testing.T) {
			header := members{"alg": `"ES256"`, "kid": `"` + kid + `"`, tt.name: tt.value}
			_, err := v.Verify(ctx, ours.Sign(header.Text(), claims))
			require.NoError(t, err, "ignored in a good token")
			for _, other := range []string{`"` + kid + `"`, `"` + tt.kid + `"`, ""} {
				header["kid"] = other
				_, err = v.Verify(ctx, tt.sign(header.Text(), claims))
				assertRefused(t, verifier.ErrSignature, err)
			}
		})
	}
	assert.Zero(t, theirs.Fetches(), "P4 zero network")
}

// certificate returns one that s gives itself, as x5c has it.
func certificate(t *testing.T, s signer) string {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, s.Public(), s.Private)
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(der)
}

// verbatim keeps the text that it is decoded from.
type verbatim string

func (v *verbatim) UnmarshalJSON(text []byte) error {
	*v = verbatim(text)
	return nil
}

func TestClaimsAreTheSignedBytes(t *testing.T) {
	t.Run("P5 to the byte", func(t *testing.T) {
		s := signerOf("ES256")
		v, _ := setup(t)
		payload := inside(goodClaims(), "\t\"z\" : [1.0, 1e2,\"\\u0041\\/\"] ")
		tok := verified(t, v, s.Sign(s.Header().Text(), payload))
		text, err := verifier.ClaimsOf[verbatim](tok)
		require.NoError(t, err)
		assert.Equal(t, payload, string(text))

		var claims struct{ Jti, Aud string }
		require.NoError(t, json.Unmarshal([]byte(payload), &claims))
		assert.Equal(t, claims.Jti, tok.ID())
		assert.Equal(t, []string{claims.Aud}, tok.Audience())
	})
}

// TestVectorsAsTokens has the examples of RFC 7515 and RFC 7519 that are JWTs,
// which are no access tokens of today. Those of RFC 7515, RFC 7520 and RFC 8037
// as signatures are in internal/jose.
func TestVectorsAsTokens(t *testing.T) {
	// RFC 7515 appendix A.1.1.
	const joe = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	raw := "eyJhbGciOiJFUzI1NiJ9." + joe +
		".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
	v := newVerifier(t, verifier.Config{Issuer: "joe", Audiences: []string{api}, Keys: &keyMap{}})
	_, err := v.Verify(ctx, raw)
	assertRefused(t, verifier.ErrExpired, err)
	_, err = v.Verify(ctx, "eyJhbGciOiJub25lIn0."+joe+".") // RFC 7519 §6.1
	assertRefused(t, verifier.ErrMalformed, err)
}
