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
		{"A5 one kid for two keys, both are used", []key{a, b.named("a")}, "a", "ES256", []key{a, b}},
		{"A5 one kid for keys of two types", []key{a, ed.named("a")}, "a", "EdDSA", []key{ed}},
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

	t.Run("A5 a kid of two keys is reported, and both are used", func(t *testing.T) {
		c, err := jwkscache.Static([]byte(setOf(a, b.named("a"), ed)))
		require.NoError(t, err)
		require.Len(t, c.Stats().KeyWarnings, 1)
		assert.Contains(t, c.Stats().KeyWarnings[0].Text, `"a"`)
		assert.Contains(t, c.Stats().KeyWarnings[0].Text, "all are used")
		assert.Equal(t, 3, c.Stats().Keys)
	})

	t.Run("A5 a long kid of two keys is cut in the report", func(t *testing.T) {
		long := strings.Repeat("k", 10_000)
		c, err := jwkscache.Static([]byte(setOf(a.named(long), b.named(long))))
		require.NoError(t, err)
		require.Len(t, c.Stats().KeyWarnings, 1)
		assert.Less(t, len(c.Stats().KeyWarnings[0].Text), 200)
	})

	t.Run("A5 keys without kid have no kid in common", func(t *testing.T) {
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

	t.Run("K1 appending to a result makes a copy", func(t *testing.T) {
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

// The keys that a token with thumbprints of a certificate means.
func TestThumbprints(t *testing.T) {
	const (
		t1, t2 = "dGh1bWJwcmludC1vZi1vbmUtLS0", "dGh1bWJwcmludC1vZi10d28tLS0"
		s1, s2 = "c2hhLTI1Ni10aHVtYnByaW50LW9mLW9uZS0tLS0tLS0", "c2hhLTI1Ni10aHVtYnByaW50LW9mLXR3by0tLS0tLS0"
	)
	having := func(k key, members ...any) key { k.jwk = k.jwk.with(members...); return k }
	a, b, c := newKey("a"), newKey("b"), newKey("c")
	one, two := having(a, "x5t", t1), having(b, "x5t", t2)
	one256, two256 := having(a, "x5t#S256", s1), having(b, "x5t#S256", s2)
	bare := func(k key) key { return k.named("") }

	for _, row := range []struct {
		name  string
		set   []key
		q     jwkscache.Query
		want  []key
		known bool // no fetch for a newer set
	}{
		{"A5 x5t without kid", []key{one, two}, jwkscache.Query{X5T: t2}, []key{two}, true},
		{"A5 x5t#S256 without kid", []key{one256, two256}, jwkscache.Query{X5TS256: s1}, []key{one256}, true},
		{"A5 x5t of keys without kid", []key{bare(one), bare(two)}, jwkscache.Query{X5T: t2}, []key{two}, true},
		{"A5 x5t beside a kid that no key has", []key{one, two}, jwkscache.Query{KeyID: "x", X5T: t2}, []key{two}, true},
		{"A5 the kid decides where a key has it", []key{one, two}, jwkscache.Query{KeyID: "a", X5T: t2}, []key{one}, true},
		{"A5 the kid decides, whatever the thumbprint", []key{one, two}, jwkscache.Query{KeyID: "a", X5T: "unknown"}, []key{one}, true},
		{"A5 x5t of a key of another alg", []key{having(rsaKey("r"), "x5t", t1), two}, jwkscache.Query{X5T: t1}, nil, true},
		{"A5 x5t of two keys", []key{one, having(b, "x5t", t1), c}, jwkscache.Query{X5T: t1}, []key{one, b}, true},
		{"A5 x5t#S256 comes before x5t", []key{one, two256}, jwkscache.Query{X5T: t1, X5TS256: s2}, []key{two256}, true},
		{"A5 x5t where x5t#S256 is unknown", []key{one, two256}, jwkscache.Query{X5T: t1, X5TS256: s1}, []key{one}, true},

		{"A5 an x5t that no key has", []key{one, two}, jwkscache.Query{X5T: "unknown"}, nil, false},
		{"A5 neither kid nor x5t is known", []key{one, bare(two)}, jwkscache.Query{KeyID: "x", X5T: "unknown"}, nil, false},
		{"A5 thumbprints are compared exactly", []key{one}, jwkscache.Query{X5T: strings.ToLower(t1)}, nil, false},
		{"A5 x5t is not x5t#S256", []key{one256}, jwkscache.Query{X5T: s1, X5TS256: t1}, nil, false},

		{"A5 an unknown x5t: the keys published without thumbprint", []key{one, c, bare(b)}, jwkscache.Query{X5T: "unknown"}, []key{c, b}, true},
		{"A5 an unknown x5t beside an unknown kid: the keys without kid, too", []key{one, c, bare(b)}, jwkscache.Query{KeyID: "x", X5T: "unknown"}, []key{b}, true},
		{"A5 a thumbprint of another kind excludes nothing", []key{one, two256}, jwkscache.Query{X5T: "unknown"}, []key{two256}, true},
		{"A5 a thumbprint of the other kind excludes nothing", []key{one, two256}, jwkscache.Query{X5TS256: "unknown"}, []key{one}, true},
		{"A5 both unknown exclude both", []key{one, two256, c}, jwkscache.Query{X5T: "unknown", X5TS256: "unknown"}, []key{c}, true},
		{"A5 an x5t that is not a string is ignored", []key{having(a, "x5t", 7), one.named("one")}, jwkscache.Query{X5T: "unknown"}, []key{a}, true},
		{"A5 an x5t that is null or empty is ignored", []key{having(a, "x5t", (*string)(nil), "x5t#S256", "")}, jwkscache.Query{X5T: "unknown", X5TS256: "unknown"}, []key{a}, true},
		{"A5 a token without thumbprint may mean any", []key{one, two256, c}, jwkscache.Query{}, []key{one, two256, c}, true},

		{"A5 padding of the set's", []key{having(a, "x5t", t1+"=")}, jwkscache.Query{X5T: t1}, []key{a}, true},
		{"A5 padding of the token's", []key{one}, jwkscache.Query{X5T: t1 + "="}, []key{one}, true},
		{"A5 padding of the token's x5t#S256", []key{one256}, jwkscache.Query{X5TS256: s1 + "="}, []key{one256}, true},
		{"A5 the standard alphabet", []key{having(a, "x5t#S256", "+/"+s1)}, jwkscache.Query{X5TS256: "-_" + s1}, []key{a}, true},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			s := newServer(publish(row.set...))
			cache := open(t, s, jwkscache.Config{})
			row.q.Algorithm = "ES256"
			var want []crypto.PublicKey
			for _, k := range row.want {
				want = append(want, k.public)
			}
			static, err := jwkscache.Static([]byte(setOf(row.set...)))
			require.NoError(t, err)
			for _, c := range []*jwkscache.Cache{static, cache} {
				got, err := c.Lookup(t.Context(), row.q)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
			require.Equal(t, row.known, s.fetches() == 1)
			if len(want) == 0 {
				return
			}
			again, err := static.Lookup(t.Context(), row.q)
			require.NoError(t, err)
			_ = append(again, c.public)
			got, err := static.Lookup(t.Context(), row.q)
			require.NoError(t, err)
			require.Equal(t, want, append(got, c.public)[:len(got)], "K1 appending makes a copy")
		}))
	}

	t.Run("K5 a rotated key is found by its thumbprint at first use", inBubble(func(t *testing.T) {
		s := newServer(publish(bare(one)))
		c := open(t, s, jwkscache.Config{})
		s.serve(publish(bare(one), bare(two)))
		got, err := c.Lookup(t.Context(), jwkscache.Query{X5T: t2, Algorithm: "ES256"})
		require.NoError(t, err)
		require.Equal(t, []crypto.PublicKey{two.public}, got)
		require.Equal(t, 2, s.fetches())
	}))

	t.Run("K5 a signature that fits none of its thumbprint's keys", inBubble(func(t *testing.T) {
		s := newServer(publish(bare(one)))
		cache := open(t, s, jwkscache.Config{})
		q := jwkscache.Query{X5T: t1, Algorithm: "ES256"}
		var err error
		q.Tried, err = cache.Lookup(t.Context(), q)
		require.NoError(t, err)
		s.serve(publish(bare(having(c, "x5t", t1))))
		for range 100 { // as with a kid, nobody waits
			assert.Zero(t, took(func() { _, err = cache.Lookup(t.Context(), q) }))
			require.NoError(t, err)
		}
		pass(1)
		require.Equal(t, 2, s.fetches())
		q.Tried = nil
		got, err := cache.Lookup(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, []crypto.PublicKey{c.public}, got)
	}))

	for name, next := range map[string]key{"x5t": having(a, "x5t", t2), "x5t#S256": having(a, "x5t", t1, "x5t#S256", s1), "none": a} {
		t.Run("K8 the same key under another thumbprint is a change: "+name, inBubble(func(t *testing.T) {
			s := newServer(publish(one))
			c := open(t, s, jwkscache.Config{})
			s.serve(publish(next))
			require.NoError(t, c.Refresh(t.Context()))
			got, err := c.Lookup(t.Context(), jwkscache.Query{X5T: t2, X5TS256: s1, Algorithm: "ES256"})
			require.NoError(t, err)
			require.Equal(t, []crypto.PublicKey{a.public}, got)
		}))
	}
}

// A change decides whether callers keep verified tokens.
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
