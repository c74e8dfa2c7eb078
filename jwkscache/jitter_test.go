package jwkscache_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Over many rounds the whole of each range is used, and nothing beyond it.
func TestJitter(t *testing.T) {
	t.Run("K2 a refresh comes at 72 to 88 % of the period", inBubble(func(t *testing.T) {
		s := newServer(publish(newKey("a")))
		open(t, s, jwkscache.Config{Refresh: 100 * time.Second})
		pass(1000 * 100 * time.Second)
		gaps := s.gaps()
		require.Greater(t, len(gaps), 1000)
		assert.GreaterOrEqual(t, slices.Min(gaps), 72*time.Second)
		assert.Less(t, slices.Min(gaps), 72500*time.Millisecond)
		assert.Greater(t, slices.Max(gaps), 87500*time.Millisecond)
		assert.LessOrEqual(t, slices.Max(gaps), 88*time.Second)
	}))

	t.Run("K3 the first retry comes within a second", inBubble(func(t *testing.T) {
		good := publish(newKey("a"))
		s := newServer(good)
		c := open(t, s, jwkscache.Config{})
		var gaps []time.Duration
		for range 500 {
			s.serve(good)
			pass(minute) // the bucket is full again
			require.NoError(t, c.Refresh(t.Context()))
			s.serve(fail(http.StatusInternalServerError))
			require.Error(t, c.Refresh(t.Context()))
			failed := time.Now()
			retried := s.fetches()
			pass(time.Second)
			require.Greater(t, s.fetches(), retried)
			gaps = append(gaps, s.requests(jwksURL)[retried].at.Sub(failed))
		}
		assert.Less(t, slices.Min(gaps), 50*time.Millisecond)
		assert.Greater(t, slices.Max(gaps), 950*time.Millisecond)
	}))

	t.Run("K3 no retry comes later than after a minute", inBubble(func(t *testing.T) {
		s := newServer(fail(http.StatusInternalServerError))
		open(t, s, jwkscache.Config{})
		pass(6 * time.Hour)
		require.Greater(t, len(s.gaps()), 500)
		assert.LessOrEqual(t, slices.Max(s.gaps()), minute)
		assert.Greater(t, slices.Max(s.gaps()), 57*time.Second)
	}))
}
