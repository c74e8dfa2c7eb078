package verifier_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
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
				verified(t, v, s.signEncoded(head, body))
				keys.lookups.Store(0)

				for _, raw := range []string{s.signEncoded(tt.spoil(head), body), s.signEncoded(head, tt.spoil(body))} {
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
					signed = encode(s.header().text()) + "." + encode(claims.over(goodClaims()).text())
					sig = encode(string(s.signature(signed)))
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
func textsOfRest(t *testing.T, rest int) (s *signer, header, claims string) {
	s = signerOf("ES256")
	grow := func(m members, base members) string {
		for range 3 {
			m["x"] = m["x"][:len(m["x"])-1] + `x"`
			for _, odd := range []string{`"~~~???>>>"`, `"x~~~???>>>"`, `"xx~~~???>>>"`} {
				m["odd"] = odd
				text := m.over(base).text()
				e := encode(text)
				if len(e)%4 == rest && strings.Contains(e, "-") && strings.Contains(e, "_") {
					return text
				}
			}
		}
		require.Fail(t, "no text of this length")
		return ""
	}
	return s, grow(members{"x": `""`}, s.header()), grow(members{"x": `""`}, goodClaims())
}

// withSigner makes a verifier that trusts only s.
func withSigner(t testing.TB, s *signer) (*verifier.Verifier, *keyMap) {
	t.Helper()
	return setup(t, func(cfg *set) { cfg.Keys = keysOf(s) })
}
