package verifier_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// liveHeap returns what is in use. What pools keep is gone by the second
// collection.
func liveHeap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Whatever the tokens of an issuer are like, those that are remembered take 16
// MiB at most, and all that is remembered of them is counted in that.
func TestTokenCacheBytes(t *testing.T) {
	secret := []byte(strings.Repeat("s", 32))
	s := hmacSigner("HS256", secret)
	aud := `,"aud":"` + api + `"`
	// numbered repeats a format, with a number in each.
	numbered := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	as := strings.Repeat("a", 25)
	for _, row := range []struct {
		name           string
		tokens         int    // enough to fill the cache
		header, claims string // more members; a %d in the header is the token's number
	}{
		{"short tokens", 12500, "", aud},
		{"1 KB", 6300, "", aud + `,"x":"` + strings.Repeat("x", 500) + `"`},
		{"plain text", 550, "", aud + `,"x":"` + strings.Repeat("x", 11900) + `"`},
		{"scopes", 130, "", aud + `,"scope":"` + strings.Repeat("a ", 5900) + `"`},
		{"scopes, a list", 210, "", aud + `,"scope":[` + strings.Repeat(`"a",`, 2900) + `"a"]`},
		{"scopes of escapes", 130, "", aud + `,"scope":"` + strings.Repeat(`\na `, 2900) + `"`},
		{"scopes of escapes, a list", 170, "", aud + `,"scope":[` + strings.Repeat(`"\na",`, 1900) + `"a"]`},
		{"two scopes far apart", 390, "", aud + `,"scope":"\n` + strings.Repeat(" ", 11800) + `a"`},
		{"spaces for a scope", 550, "", aud + `,"scope":"` + strings.Repeat(" ", 11900) + `"`},
		{"aud of commas", 550, "", `,"aud":["` + api + `","` + strings.Repeat(",", 11900) + `"]`},
		{"scopes at two places", 2600, "", aud + `,"scope":"` + numbered(255, "s%d ") + `","scp":"one more"`},
		{"256 audiences", 670, "", `,"aud":["` + api + `"` + numbered(255, `,"`+as+`%d"`) + `]`},
		{"256 audiences with escapes", 360, "", `,"aud":["` + api + `"` + numbered(255, `,"`+as+`\n%d"`) + `]`},
		{"256 members", 560, "", aud + numbered(250, `,"`+as+`%d":1`)},
		{"256 members of short names", 1150, "", aud + numbered(250, `,"%d":1`)},
		{"256 members with escapes", 330, "", aud + numbered(250, `,"`+as+`\n%d":1`)},
		{"sub with an escape", 300, "", aud + `,"sub":"\n` + strings.Repeat("x", 11900) + `"`},
		{"kid", 550, `,"x5t":"x","kid":"` + strings.Repeat("k", 11800) + `%d"`, aud},
		{"typ", 550, `,"kid":"x","typ":"at+jwt","x5t":"` + strings.Repeat("k", 11800) + `%d"`, aud},
		{"a header that is not kept", 550, `,"kid":"x","x5c":"` + strings.Repeat("k", 11800) + `%d"`, aud},
	} {
		t.Run(row.name, func(t *testing.T) {
			empty := liveHeap()
			v, err := verifier.Settings{TokenCache: 1 << 30}.New(verifier.Config{
				Issuer: issuer, Audiences: []string{api}, SharedSecrets: [][]byte{secret},
			})
			require.NoError(t, err)
			for i := range row.tokens {
				header := row.header
				if header != "" {
					header = fmt.Sprintf(header, i)
				}
				verified(t, v, s.Sign(`{"alg":"HS256"`+header+`}`, fmt.Sprintf(`{"iss":%q,"exp":9999999999,"jti":"%d"%s}`, issuer, i, row.claims)))
			}
			verifier.Upkeep(v)
			assert.Less(t, v.Stats().Tokens, row.tokens, "it was filled")
			used := liveHeap() - empty
			assert.LessOrEqual(t, used, 16<<20)
			assert.Greater(t, used, 6<<20, "nor is the estimate far off")
			t.Logf("%d tokens in %.1f MiB", v.Stats().Tokens, float64(used)/(1<<20))
			require.NoError(t, v.Close())
		})
	}
}
