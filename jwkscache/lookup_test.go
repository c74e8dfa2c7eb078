package jwkscache_test

import (
	"crypto"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func TestCandidates(t *testing.T) {
	a, b, ed, rs := newKey("a"), newKey("b"), edKey("ed"), rsaKey("rs")
	bare := newKey("")
	bare = bare.named("")

	for _, row := range []struct {
		name     string
		set      []key
		kid, alg string
		want     []key
	}{
		{"A5 by kid and alg", []key{a, b, ed, rs}, "b", "ES256", []key{b}},
		{"A5 by kid, another alg", []key{a, b, ed, rs}, "b", "EdDSA", nil},
		{"A5 by an unknown kid", []key{a, b, ed, rs}, "c", "ES256", nil},
		{"A5 kids are compared exactly", []key{a, b}, "A", "ES256", nil},
		{"A5 without kid all that fit alg, in order", []key{b, ed, a, rs}, "", "ES256", []key{b, a}},
		{"A5 without kid: a rotation's overlap, old and new", []key{a, b}, "", "ES256", []key{a, b}},
		{"A5 without kid, one that fits", []key{a, b, ed, rs}, "", "PS384", []key{rs}},
		{"A5 without kid, none that fits", []key{a, b}, "", "RS256", nil},
		{"A5 without kid also keys without kid", []key{a, bare}, "", "ES256", []key{a, bare}},
		{"A5 a kid that no key has: the keys without kid", []key{bare, ed}, "c", "ES256", []key{bare}},
		{"A5 a kid that a key has: not those without", []key{a, bare}, "a", "ES256", []key{a}},
		{"A5 a kid that a key of another alg has: not those without", []key{ed, bare}, "ed", "ES256", nil},
		{"A5 a doubled kid, both are used", []key{a, b.named("a")}, "a", "ES256", []key{a, b}},
		{"A5 a doubled kid across types", []key{a, ed.named("a")}, "a", "EdDSA", []key{ed}},
		{"A5 five keys under one kid are for the caller to judge", []key{a, a, a, a, a}, "a", "ES256", []key{a, a, a, a, a}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := jwkscache.Static([]byte(setOf(row.set...)))
			require.NoError(t, err)
			var want []crypto.PublicKey
			for _, k := range row.want {
				want = append(want, k.public)
			}
			assert.Equal(t, want, lookup(t, c, row.kid, row.alg))
			assert.Equal(t, len(row.set), c.Stats().Keys)
		})
	}

	t.Run("A5 a doubled kid is reported, not dropped", func(t *testing.T) {
		c, err := jwkscache.Static([]byte(setOf(a, b.named("a"), ed)))
		require.NoError(t, err)
		require.Len(t, c.Stats().KeyWarnings, 1)
		assert.Contains(t, c.Stats().KeyWarnings[0], `"a"`)
		assert.Contains(t, c.Stats().KeyWarnings[0], "all are used")
		assert.Equal(t, 3, c.Stats().Keys)
	})

	t.Run("A5 a doubled kid is reported briefly", func(t *testing.T) {
		long := strings.Repeat("k", 10_000)
		c, err := jwkscache.Static([]byte(setOf(a.named(long), b.named(long))))
		require.NoError(t, err)
		require.Len(t, c.Stats().KeyWarnings, 1)
		assert.Less(t, len(c.Stats().KeyWarnings[0]), 200)
	})

	t.Run("A5 keys without kid are no doubles", func(t *testing.T) {
		c, err := jwkscache.Static([]byte(setOf(bare, ed.named(""))))
		require.NoError(t, err)
		assert.Empty(t, c.Stats().KeyWarnings)
	})

	t.Run("A5 an empty kid is none", func(t *testing.T) {
		for _, kid := range []any{"", (*string)(nil)} {
			c := static(t, a.jwk.with("kid", kid).String())
			assert.Equal(t, []crypto.PublicKey{a.public}, lookup(t, c, "x", "ES256"))
			assert.Empty(t, c.Stats().KeyWarnings)
		}
	})

	t.Run("K1 whoever appends to an answer gets a copy", func(t *testing.T) {
		for n := 1; n <= 5; n++ {
			c, err := jwkscache.Static([]byte(setOf([]key{a, a, a, a, a}[:n]...)))
			require.NoError(t, err)
			for _, kid := range []string{"a", ""} {
				one := append(lookup(t, c, kid, "ES256"), a.public)
				_ = append(lookup(t, c, kid, "ES256"), b.public)
				assert.Equal(t, a.public, one[n])
			}
		}
	})

	t.Run("K5 a kid is only ever a map lookup", func(t *testing.T) {
		c := static(t, a.jwk.String())
		for _, kid := range []string{"' OR 1=1 --", "../../etc/passwd", "\x00", string(make([]byte, 10<<10))} {
			assert.Empty(t, lookup(t, c, kid, "ES256"))
		}
	})
}

// What counts as a change decides whether callers keep what they remember.
func TestChange(t *testing.T) {
	a, b, rs := newKey("a"), newKey("b"), rsaKey("a")
	for _, row := range []struct {
		name     string
		old, new []key
	}{
		{"K8 another key under the same kid", []key{a}, []key{b.named("a")}},
		{"K8 the same key under another kid", []key{a}, []key{a.named("b")}},
		{"K8 one more", []key{a}, []key{a, b}},
		{"K8 one less", []key{a, b}, []key{a}},
		{"K8 another type under the same kid", []key{a}, []key{rs}},
		{"K8 the same key for fewer algs", []key{rs}, []key{{"a", "RS256", rs.public, rs.jwk.with("alg", "RS256")}}},
	} {
		t.Run(row.name+" is taken over", inBubble(func(t *testing.T) {
			s := newServer(publish(row.old...))
			c := open(t, s, jwkscache.Config{})
			s.serve(publish(row.new...))
			require.NoError(t, c.Refresh(t.Context()))
			for _, k := range row.new {
				serves(t, c, k)
			}
			assert.Equal(t, len(row.new), c.Stats().Keys)
			for _, alg := range []string{"RS256", "PS256", "ES256"} {
				assert.LessOrEqual(t, len(lookup(t, c, "", alg)), len(row.new))
			}
		}))
	}

	t.Run("K8 fewer algs are taken over", inBubble(func(t *testing.T) {
		s := newServer(publish(rs))
		c := open(t, s, jwkscache.Config{})
		s.serve(reply(200, rawSet(rs.jwk.with("alg", "RS256").String())))
		require.NoError(t, c.Refresh(t.Context()))
		serves(t, c, rs)
		require.Empty(t, lookup(t, c, "a", "PS256"))
	}))

	t.Run("K14 a change in what is skipped is taken over", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(publish(a, key{jwk: jwk{"kty": "mystery"}}))
		require.NoError(t, c.Refresh(t.Context()))
		require.Len(t, c.Stats().KeyWarnings, 1)
	}))
}
