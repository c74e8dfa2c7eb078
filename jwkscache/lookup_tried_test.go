package jwkscache_test

import (
	"context"
	"crypto"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Where the token or the set has no kid, a rotation shows only in a
// signature that fits no key.
func TestTriedKeys(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	// again looks kid up, then has the server respond as next does, and looks kid up
	// with those keys tried.
	again := func(t *testing.T, s *server, c *jwkscache.Cache, kid string, next responder) ([]crypto.PublicKey, error) {
		tried, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: kid, Algorithm: "ES256"})
		require.NoError(t, err)
		require.NotEmpty(t, tried)
		s.serve(next)
		return c.Lookup(t.Context(), jwkscache.Query{KeyID: kid, Algorithm: "ES256", Tried: tried})
	}

	for _, row := range []struct {
		name     string
		old, new []key
		kid      string
	}{
		{"K5 a set without kids, a token without kid", []key{a.named("")}, []key{b.named("")}, ""},
		{"K5 a set without kids, a token with kid", []key{a.named("")}, []key{b.named("")}, "b"},
		{"K5 a set with kids, a token without kid", []key{a}, []key{b}, ""},
	} {
		t.Run(row.name+": the rotated key is found", inBubble(func(t *testing.T) {
			s := newServer(publish(row.old...))
			c := open(t, s, jwkscache.Config{})
			keys, err := again(t, s, c, row.kid, publish(row.new...))
			require.NoError(t, err)
			assert.Equal(t, []crypto.PublicKey{b.public}, keys)
			assert.Equal(t, 2, s.fetches())
		}))

		t.Run(row.name+": nothing new, within the fetch limit", inBubble(func(t *testing.T) {
			s := newServer(publish(row.old...))
			c := open(t, s, jwkscache.Config{})
			pass(minute)
			for i := range 10 {
				keys, err := again(t, s, c, row.kid, publish(row.old...))
				require.NoError(t, err)
				require.Nil(t, keys)
				require.Equal(t, 2+i, s.fetches(), "one fetch a call")
			}
			assert.LessOrEqual(t, mostInAMinute(s), 17)
			assert.Zero(t, c.Stats().UnknownKeys, "K14")
		}))
	}

	t.Run("K5 a bad signature on a known kid fetches once in 15 s, and nobody waits", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		pass(minute)
		for range 60 {
			for range 10 {
				assert.Zero(t, took(func() {
					keys, err := again(t, s, c, "a", publish(a))
					require.NoError(t, err)
					require.Nil(t, keys)
				}))
			}
			pass(time.Second)
		}
		require.Equal(t, 1+4, s.fetches())
	}))

	t.Run("K5 another key under the same kid is served after that fetch", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		_, err := again(t, s, c, "a", slow(100*time.Millisecond, publish(b.named("a"))))
		require.NoError(t, err)
		pass(100 * time.Millisecond)
		serves(t, c, b.named("a"))
	}))

	t.Run("K5 within 15 s, also after other bad signatures", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		pass(minute)
		again(t, s, c, "a", publish(a)) // the one fetch in 15 s
		s.serve(publish(b.named("a")))
		for range 15 {
			pass(time.Second)
			tried, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
			require.NoError(t, err)
			c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256", Tried: tried})
		}
		synctest.Wait()
		serves(t, c, b.named("a"))
	}))

	t.Run("K5 at the fetch limit a bad signature's fetch waits", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		pass(minute)
		for _, kid := range []string{"1", "2", "3", "4", "5"} {
			denies(t, c, kid)
		}
		again(t, s, c, "a", publish(b.named("a")))
		pass(5*time.Second - 1)
		require.Equal(t, 6, s.fetches())
		pass(1)
		serves(t, c, b.named("a"))
	}))

	t.Run("K5 while fetching fails a bad signature causes no fetch", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(fail(503))
		require.Error(t, c.Refresh(t.Context()))
		for range 1800 {
			again(t, s, c, "a", fail(503))
			pass(time.Second)
		}
		assert.Greater(t, slices.Max(s.gaps()), 30*time.Second, "the backoff is not shortened")

		s.serve(fail(503, "Retry-After", "300"))
		require.Error(t, c.Refresh(t.Context()))
		before := s.fetches()
		again(t, s, c, "a", publish(b.named("a")))
		pass(4 * minute)
		require.Equal(t, before, s.fetches())
	}))

	t.Run("K5 keys that are newer already cost no fetch", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		tried, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: "ES256"})
		require.NoError(t, err)
		s.serve(publish(b))
		require.NoError(t, c.Refresh(t.Context()))
		keys, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: "ES256", Tried: tried})
		require.NoError(t, err)
		require.Equal(t, []crypto.PublicKey{b.public}, keys)
		require.Equal(t, 2, s.fetches())
	}))

	t.Run("K5 a kid that a newer set has for another key costs no fetch", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		tried, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
		require.NoError(t, err)
		s.serve(publish(b.named("a")))
		require.NoError(t, c.Refresh(t.Context()))
		keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256", Tried: tried})
		require.NoError(t, err)
		require.Equal(t, []crypto.PublicKey{b.public}, keys)
		require.Equal(t, 2, s.fetches())
	}))

	t.Run("K5 a newer set that shrank or grew", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		keys, err := again(t, s, c, "", publish(a, b))
		require.NoError(t, err)
		require.Equal(t, []crypto.PublicKey{a.public, b.public}, keys)
		keys, err = again(t, s, c, "", publish(rsaKey("r")))
		require.NoError(t, err)
		require.Empty(t, keys)
		require.Equal(t, 3, s.fetches())
	}))

	t.Run("K5 no key was tried, and there is none", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		for i, tried := range [][]crypto.PublicKey{nil, {}} {
			keys, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: "RS256", Tried: tried})
			require.NoError(t, err)
			require.Nil(t, keys)
			require.Equal(t, 2+i, s.fetches())
		}
		keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256", Tried: []crypto.PublicKey{}})
		require.NoError(t, err)
		require.Equal(t, []crypto.PublicKey{a.public}, keys)
	}))

	t.Run("K5 while fetching fails the result is ErrUnavailable", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		for range 10 {
			_, err := again(t, s, c, "", fail(500))
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
			require.ErrorContains(t, err, "500")
		}
		require.Equal(t, 2, s.fetches())
	}))

	t.Run("K5 a running fetch is joined, and then there is another", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(slow(time.Second, publish(a)))
		go c.Refresh(t.Context())
		synctest.Wait()
		assert.Equal(t, time.Second, took(func() {
			keys, err := again(t, s, c, "", publish(b))
			require.NoError(t, err)
			require.Equal(t, []crypto.PublicKey{b.public}, keys)
		}))
		require.Equal(t, 3, s.fetches())
	}))

	t.Run("K5 5.5 s at most", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		assert.Equal(t, 5500*time.Millisecond, took(func() {
			_, err := again(t, s, c, "", hang)
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		}))
	}))

	t.Run("K5 both Lookups of one token wait 5.5 s in all", inBubble(func(t *testing.T) {
		s := newServer(slow(1500*time.Millisecond, publish(a)))
		c := open(t, s, jwkscache.Config{})
		s.serve(hang)
		assert.Equal(t, 5500*time.Millisecond, took(func() {
			now := time.Now()
			tried, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: "ES256", Now: now})
			require.NoError(t, err)
			assert.Equal(t, 1500*time.Millisecond, time.Since(now), "for the first keys")
			_, err = c.Lookup(t.Context(), jwkscache.Query{Algorithm: "ES256", Now: now, Tried: tried})
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		}))
	}))

	t.Run("K5 bounded by ctx", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		tried, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: "ES256"})
		require.NoError(t, err)
		s.serve(hang)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		assert.Equal(t, 300*time.Millisecond, took(func() {
			_, err := c.Lookup(ctx, jwkscache.Query{Algorithm: "ES256", Tried: tried})
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		}))
	}))

	t.Run("K5 static keys are final, and without keys the result is ErrUnavailable", inBubble(func(t *testing.T) {
		static, err := jwkscache.Static([]byte(setOf(a)))
		require.NoError(t, err)
		empty := newServer(fail(500))
		gone := newServer(publish(a))
		expired := open(t, gone, jwkscache.Config{MaxStale: time.Hour})
		gone.serve(fail(500))
		pass(time.Hour)
		fetched := gone.fetches()
		tried, err := static.Lookup(t.Context(), jwkscache.Query{Algorithm: "ES256"})
		require.NoError(t, err)
		keys, err := static.Lookup(t.Context(), jwkscache.Query{Algorithm: "ES256", Tried: tried})
		require.NoError(t, err)
		require.Nil(t, keys)
		for _, c := range []*jwkscache.Cache{open(t, empty, jwkscache.Config{}), expired} {
			_, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: "ES256", Tried: tried})
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		}
		require.Equal(t, 1, empty.fetches())
		require.Equal(t, fetched, gone.fetches())
	}))

	t.Run("K5 a wrapper with nothing but Lookup keeps rotation", inBubble(func(t *testing.T) {
		s := newServer(publish(a.named("")))
		var keys keySource = wrapper{open(t, s, jwkscache.Config{})}
		tried, err := keys.Lookup(t.Context(), jwkscache.Query{Algorithm: "ES256"})
		require.NoError(t, err)
		s.serve(publish(b.named("")))
		found, err := keys.Lookup(t.Context(), jwkscache.Query{Algorithm: "ES256", Tried: tried})
		require.NoError(t, err)
		require.Equal(t, []crypto.PublicKey{b.public}, found)
	}))
}

// A keySource is all that package verifier asks of a cache.
type keySource interface {
	Lookup(context.Context, jwkscache.Query) ([]crypto.PublicKey, error)
}

// A wrapper hides all methods of a cache but Lookup.
type wrapper struct{ keys keySource }

func (w wrapper) Lookup(ctx context.Context, q jwkscache.Query) ([]crypto.PublicKey, error) {
	return w.keys.Lookup(ctx, q)
}
