package jwkscache_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func TestRefresh(t *testing.T) {
	t.Run("K8 a withdrawn key goes at the next good refresh", inBubble(func(t *testing.T) {
		a, b := newKey("a"), newKey("b")
		s := newServer(publish(a, b))
		c := open(t, s, jwkscache.Config{})
		s.serve(publish(b))
		pass(10 * minute)
		serves(t, c, a)
		pass(5 * minute)
		serves(t, c, b)
		denies(t, c, "a")
	}))

	t.Run("K4 Refresh closes the window at once", inBubble(func(t *testing.T) {
		a, b := newKey("a"), newKey("b")
		s := newServer(publish(a, b))
		c := open(t, s, jwkscache.Config{})
		s.serve(publish(b))
		require.NoError(t, c.Refresh(t.Context()))
		require.Equal(t, 2, s.fetches())
		denies(t, c, "a")
		serves(t, c, b)
	}))

	t.Run("K4 Refresh ignores backoff, Retry-After and the bucket", inBubble(func(t *testing.T) {
		s := newServer(publish(newKey("a")))
		c := open(t, s, jwkscache.Config{})
		denies(t, c, "x")
		denies(t, c, "y")
		for range 20 {
			s.serve(fail(http.StatusServiceUnavailable, "Retry-After", "300"))
			err := c.Refresh(t.Context())
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
			require.ErrorContains(t, err, "503")
			s.serve(publish(newKey("a")))
			require.NoError(t, c.Refresh(t.Context()))
		}
		assert.Equal(t, 43, s.fetches())
	}))

	t.Run("K4 Refresh begins after the call, even while a fetch runs", inBubble(func(t *testing.T) {
		a, b := newKey("a"), newKey("b")
		s := newServer(slow(time.Second, publish(a, b)))
		c := open(t, s, jwkscache.Config{}) // the first fetch is under way
		s.serve(slow(time.Second, publish(b)))
		assert.Equal(t, 2*time.Second, took(func() { require.NoError(t, c.Refresh(t.Context())) }))
		require.Equal(t, 2, s.fetches())
		serves(t, c, b)
	}))

	t.Run("K4 Refresh is shared", inBubble(func(t *testing.T) {
		s := newServer(slow(time.Second, publish(newKey("a"))))
		c := open(t, s, jwkscache.Config{})
		for range 100 {
			go func() { assert.NoError(t, c.Refresh(t.Context())) }()
		}
		pass(3 * time.Second)
		assert.Equal(t, 2, s.fetches())
	}))

	t.Run("K4 Refresh is bounded by its ctx, and the fetch goes on", inBubble(func(t *testing.T) {
		a := newKey("a")
		s := newServer(publish(newKey("old")))
		c := open(t, s, jwkscache.Config{})
		s.serve(slow(3*time.Second, publish(a)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.Equal(t, time.Second, took(func() {
			require.ErrorIs(t, c.Refresh(ctx), context.DeadlineExceeded)
		}))
		pass(2 * time.Second)
		serves(t, c, a)
		require.Equal(t, 2, s.fetches())
	}))

	t.Run("K4 Refresh moves the schedule", inBubble(func(t *testing.T) {
		s := newServer(publish(newKey("a")))
		c := open(t, s, jwkscache.Config{})
		pass(8 * minute)
		require.NoError(t, c.Refresh(t.Context()))
		pass(10 * minute)
		assert.Equal(t, 2, s.fetches())
	}))
}
