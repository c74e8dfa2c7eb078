package jwkscache_test

import (
	"crypto"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Which keys a token with thumbprints of a certificate means.
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
		known bool // no newer set is asked for
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
		{"A5 x5t is no x5t#S256", []key{one256}, jwkscache.Query{X5T: s1, X5TS256: t1}, nil, false},

		{"A5 an unknown x5t: the keys published without thumbprint", []key{one, c, bare(b)}, jwkscache.Query{X5T: "unknown"}, []key{c, b}, true},
		{"A5 and beside an unknown kid: those without kid, too", []key{one, c, bare(b)}, jwkscache.Query{KeyID: "x", X5T: "unknown"}, []key{b}, true},
		{"A5 a thumbprint of another kind excludes nothing", []key{one, two256}, jwkscache.Query{X5T: "unknown"}, []key{two256}, true},
		{"A5 nor the other way round", []key{one, two256}, jwkscache.Query{X5TS256: "unknown"}, []key{one}, true},
		{"A5 both unknown exclude both", []key{one, two256, c}, jwkscache.Query{X5T: "unknown", X5TS256: "unknown"}, []key{c}, true},
		{"A5 an x5t that is no string is none", []key{having(a, "x5t", 7), one.named("one")}, jwkscache.Query{X5T: "unknown"}, []key{a}, true},
		{"A5 nor is null, or nothing", []key{having(a, "x5t", (*string)(nil), "x5t#S256", "")}, jwkscache.Query{X5T: "unknown", X5TS256: "unknown"}, []key{a}, true},
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
			require.Equal(t, want, append(got, c.public)[:len(got)], "K1 whoever appends gets a copy")
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
		for range 100 { // is like one of its kid's: nobody waits
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
