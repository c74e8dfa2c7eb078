package jwkscache_test

import (
	"crypto"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// A fetch that ends between a caller's look at the keys and its wait for better
// ones is neither missed nor asked for again.
func TestAFetchCrossesACaller(t *testing.T) {
	a, b := newKey("a"), newKey("b")
	expired := func(t *testing.T) (s *server, c *jwkscache.Cache, armed *bool) {
		s, armed = newServer(publish(a)), new(bool)
		c, err := jwkscache.ForURLWatched(jwksURL, configFor(s, jwkscache.Config{MaxStale: time.Hour}), func() {
			if !*armed { // by the one who is about to call
				return
			}
			*armed = false
			s.serve(publish(a, b))
			if c.Unlocked() { // else nothing can end in between
				require.NoError(t, c.Refresh(t.Context()))
			}
		})
		c = opened(t, c, err)
		return s, c, armed
	}
	rows := map[string]struct {
		stale bool // the keys have expired when the call comes
		wait  time.Duration
		call  func(t *testing.T, c *jwkscache.Cache)
	}{
		"K11 Ready": {true, time.Minute, func(t *testing.T, c *jwkscache.Cache) { require.NoError(t, c.Ready(t.Context())) }},
		"K11 Lookup": {true, 0, func(t *testing.T, c *jwkscache.Cache) {
			got, err := c.Lookup(t.Context(), "a", a.alg)
			require.NoError(t, err)
			assert.Equal(t, []crypto.PublicKey{a.public}, got)
		}},
		"K5 an unknown kid": {false, 0, func(t *testing.T, c *jwkscache.Cache) {
			got, err := c.Lookup(t.Context(), "b", b.alg)
			require.NoError(t, err)
			assert.Equal(t, []crypto.PublicKey{b.public}, got)
		}},
	}
	for name, row := range rows {
		t.Run(name, inBubble(func(t *testing.T) {
			s, c, armed := expired(t)
			if row.stale {
				s.serve(fail(500))
				pass(2 * time.Hour)
			}
			before := s.fetches()
			*armed = true
			assert.LessOrEqual(t, took(func() { row.call(t, c) }), row.wait)
			assert.False(t, *armed)
			assert.Equal(t, before+1, s.fetches())
		}))
	}
}
