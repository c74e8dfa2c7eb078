package jwkscache_test

import (
	"crypto"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Spellings that can mean one thing only are read. The key works, and is
// reported.
func TestOddSpellings(t *testing.T) {
	ec, ed, rs := newKey("k"), edKey("k"), rsaKey("k")
	std := func(k key, members ...string) key {
		for _, m := range members {
			b, _ := base64.RawURLEncoding.DecodeString(k.jwk[m].(string))
			k.jwk = k.jwk.with(m, base64.StdEncoding.EncodeToString(b))
		}
		return k
	}
	padded := func(k key, m string) key {
		k.jwk = k.jwk.with(m, k.jwk[m].(string)+strings.Repeat("=", 4-len(k.jwk[m].(string))%4))
		return k
	}
	slashes := func(k key, m string) key {
		k.jwk = k.jwk.with(m, strings.NewReplacer("-", "+", "_", "/").Replace(k.jwk[m].(string)))
		return k
	}
	for _, row := range []struct {
		name string
		k    key
		odd  []string // one for each report
	}{
		{"A4 padded n", padded(rs, "n"), []string{"n has padding"}},
		{"A4 padded e", padded(shaped(2048, 1<<31-1), "e"), []string{"e has padding"}},
		{"A4 standard base64 in n", std(rs, "n"), []string{"n has padding"}},
		{"A4 the standard alphabet without padding in n", slashes(rs, "n"), []string{"n is in standard base64"}},
		{"A4 padded x and y", padded(padded(ec, "x"), "y"), []string{"x has padding", "y has padding"}},
		{"A4 standard base64 in x and y", std(ec, "x", "y"), []string{"x has padding", "y has padding"}},
		{"A4 padded x of Ed25519", padded(ed, "x"), []string{"x has padding"}},
	} {
		t.Run(row.name+" is read, and reported", inBubble(func(t *testing.T) {
			j := new(journal)
			s := newServer(publish(row.k))
			c := open(t, s, jwkscache.Config{Logger: j.logger()})
			assert.Equal(t, []crypto.PublicKey{row.k.public}, lookup(t, c, "k", row.k.alg))
			require.Len(t, c.Stats().KeyWarnings, len(row.odd))
			for i, odd := range row.odd {
				assert.Contains(t, c.Stats().KeyWarnings[i], `key 0 (kid "k") is used, though `+odd)
			}
			pass(day)
			assert.Equal(t, 1, j.count(), "once")
		}))
	}
}
