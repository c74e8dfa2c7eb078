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
	// armed counts down the readings of the clock until the fetch crosses.
	expired := func(t *testing.T) (s *server, c *jwkscache.Cache, armed *int) {
		s, armed = newServer(publish(a)), new(int)
		c, err := jwkscache.ForURLWatched(jwksURL, configFor(s, jwkscache.Config{MaxStale: time.Hour}), func() {
			if *armed == 0 {
				return
			}
			if *armed--; *armed > 0 { // by the one who is about to call
				return
			}
			s.serve(publish(a, b))
			if c.Unlocked() { // else nothing can end in between
				require.NoError(t, c.Refresh(t.Context()))
			}
		})
		c = opened(t, c, err)
		return s, c, armed
	}
	rows := map[string]struct {
		stale   bool // the keys have expired when the call comes
		reading int  // at which the fetch ends
		wait    time.Duration
		call    func(t *testing.T, c *jwkscache.Cache)
	}{
		"K11 Ready at its first look": {true, 1, 0, func(t *testing.T, c *jwkscache.Cache) { require.NoError(t, c.Ready(t.Context())) }},
		"K11 Ready before it waits":   {true, 2, time.Minute, func(t *testing.T, c *jwkscache.Cache) { require.NoError(t, c.Ready(t.Context())) }},
		"K11 Lookup": {true, 1, 0, func(t *testing.T, c *jwkscache.Cache) {
			got, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: a.alg})
			require.NoError(t, err)
			assert.Equal(t, []crypto.PublicKey{a.public}, got)
		}},
		"K5 an unknown kid": {false, 1, 0, func(t *testing.T, c *jwkscache.Cache) {
			got, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: b.alg})
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
			*armed = row.reading
			assert.LessOrEqual(t, took(func() { row.call(t, c) }), row.wait)
			assert.Zero(t, *armed)
			assert.Equal(t, before+1, s.fetches())
		}))
	}
}
