package jwkscache_test

import (
	"context"
	"crypto"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// A cold start without Ready works: requests wait for the fetch under way.
func TestEmpty(t *testing.T) {
	a := newKey("a")

	t.Run("K11 EMPTY joins the running fetch", inBubble(func(t *testing.T) {
		s := newServer(slow(1900*time.Millisecond, publish(a)))
		c := open(t, s, jwkscache.Config{})
		keys, err := lookupTakes(t, t.Context(), c, "a", 1900*time.Millisecond)
		require.NoError(t, err)
		require.Len(t, keys, 1)
		require.Equal(t, 1, s.fetches())
	}))

	t.Run("K11 EMPTY waits 2 s at most", inBubble(func(t *testing.T) {
		c := open(t, newServer(hang), jwkscache.Config{})
		_, err := lookupTakes(t, t.Context(), c, "a", 2*time.Second)
		require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		require.ErrorContains(t, err, "took too long")
	}))

	t.Run("K11 EMPTY waits no longer than its ctx", inBubble(func(t *testing.T) {
		c := open(t, newServer(hang), jwkscache.Config{})
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := lookupTakes(t, ctx, c, "a", 300*time.Millisecond)
		require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = lookupTakes(t, ctx, c, "a", time.Second)
		require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		require.ErrorIs(t, err, context.Canceled)
	}))

	t.Run("K11 EMPTY in the backoff: an error at once, no fetch", inBubble(func(t *testing.T) {
		cause := errors.New("connection refused")
		s := newServer(broken(cause))
		c := open(t, s, jwkscache.Config{})
		for range 100 {
			require.ErrorIs(t, cannotTell(t, c, "a"), cause)
		}
		require.Equal(t, 1, s.fetches())
	}))

	t.Run("K11 EMPTY under Retry-After: an error at once, no fetch", inBubble(func(t *testing.T) {
		s := newServer(fail(503, "Retry-After", "60"))
		c := open(t, s, jwkscache.Config{})
		for range 9 {
			pass(time.Second)
			cannotTell(t, c, "a")
		}
		require.Equal(t, 1, s.fetches())
		s.serve(publish(a))
		pass(time.Second)
		serves(t, c, a)
	}))

	t.Run("K11 EMPTY: a fetch that fails ends the waiting for it", inBubble(func(t *testing.T) {
		c := open(t, newServer(slow(time.Second, fail(500))), jwkscache.Config{})
		_, err := lookupTakes(t, t.Context(), c, "a", time.Second)
		require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		require.ErrorContains(t, err, "500")
	}))

	t.Run("K11 EMPTY: a kid that the first set lacks", inBubble(func(t *testing.T) {
		s := newServer(slow(500*time.Millisecond, publish(a)))
		c := open(t, s, jwkscache.Config{})
		keys, err := lookupTakes(t, t.Context(), c, "x", time.Second)
		require.NoError(t, err)
		require.Nil(t, keys)
		require.Equal(t, 2, s.fetches())
	}))

	t.Run("K11 EMPTY: the first fetch is waited for, then the one for a kid that it lacked, 5.5 s in all", inBubble(func(t *testing.T) {
		s := newServer(slow(1500*time.Millisecond, publish(a)))
		c := open(t, s, jwkscache.Config{})
		s.serve(slow(4001*time.Millisecond, publish(a)))
		_, err := lookupTakes(t, t.Context(), c, "x", 5500*time.Millisecond)
		require.ErrorIs(t, err, jwkscache.ErrUnavailable)
	}))

	t.Run("K11 EMPTY: at most 1,000 wait", inBubble(func(t *testing.T) {
		s := newServer(slow(1500*time.Millisecond, publish(a)))
		c := open(t, s, jwkscache.Config{})
		var served atomic.Int32
		for range 1000 {
			go func() {
				if keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"}); err == nil && len(keys) == 1 {
					served.Add(1)
				}
			}()
		}
		pass(time.Second)
		for range 100 {
			cannotTell(t, c, "a")
		}
		pass(time.Second)
		assert.EqualValues(t, 1000, served.Load())
		serves(t, c, a)
	}))

	t.Run("K11 EMPTY: those who gave up make room", inBubble(func(t *testing.T) {
		c := open(t, newServer(hang), jwkscache.Config{})
		for range 1000 {
			go c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
		}
		synctest.Wait()
		cannotTell(t, c, "a")
		pass(2 * time.Second)
		assert.Equal(t, 2*time.Second, took(func() { c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"}) }))
	}))

	t.Run("K11 EXPIRED joins the due fetch", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, step := openSkewed(t, s, jwkscache.Config{})
		s.serve(slow(time.Second, publish(a)))
		step(25 * time.Hour)
		keys, err := lookupTakes(t, t.Context(), c, "a", time.Second)
		require.NoError(t, err)
		require.Len(t, keys, 1)
		require.Equal(t, 2, s.fetches())
	}))

	t.Run("K11 EXPIRED in the backoff: an error at once", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{MaxStale: time.Hour})
		s.serve(fail(503, "Retry-After", "300"))
		pass(time.Hour)
		before := s.fetches()
		cannotTell(t, c, "a")
		require.Equal(t, before, s.fetches())
	}))
}

func TestWaiters(t *testing.T) {
	a, b := newKey("a"), newKey("b")
	look := func(t *testing.T, c *jwkscache.Cache) ([]crypto.PublicKey, error) {
		return c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: "ES256"})
	}

	// crowd makes 1,000 goroutines wait for the fetch of an unknown kid.
	crowd := func(t *testing.T, c *jwkscache.Cache) {
		for range 1000 {
			go look(t, c)
		}
		synctest.Wait()
	}

	t.Run("K5 at most 1,000 wait; the others get no key at once", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(slow(1999*time.Millisecond, publish(a, b)))
		crowd(t, c)
		for range 50 {
			denies(t, c, "b")
			serves(t, c, a)
		}
		require.Equal(t, 50, c.Stats().UnknownKeys)
		pass(1999 * time.Millisecond)
		serves(t, c, b)
		require.Equal(t, 2, s.fetches())
		require.Equal(t, 50, c.Stats().UnknownKeys, "the crowd was served")
	}))

	t.Run("K5 999 leave room for one", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(hang)
		for range 999 {
			go look(t, c)
		}
		synctest.Wait()
		assert.Equal(t, 5500*time.Millisecond, took(func() { look(t, c) }))
	}))

	t.Run("K5 callers that have left make room", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(hang)
		crowd(t, c)
		pass(5500 * time.Millisecond)
		assert.Positive(t, took(func() { look(t, c) }))
	}))

	t.Run("K5 while fetching fails the others get ErrUnavailable", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(fail(500))
		require.Error(t, c.Refresh(t.Context()))
		s.serve(hang)
		crowd(t, c)
		cannotTell(t, c, "b")
	}))

	t.Run("K5 at the fetch limit a caller waits for a fetch, at most 5.5 s, then there is no such key", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{Cooldown: 6 * time.Second})
		pass(minute)
		for i := range 5 {
			denies(t, c, strconv.Itoa(i))
		}
		require.Equal(t, 6, s.fetches())
		assert.Equal(t, 5500*time.Millisecond, took(func() {
			keys, err := look(t, c)
			require.NoError(t, err)
			require.Nil(t, keys)
		}))
		pass(500*time.Millisecond - 1)
		require.Equal(t, 6, s.fetches())
		pass(1)
		require.Equal(t, 7, s.fetches(), "it is fetched for nevertheless")
	}))

	t.Run("K5 a time-out while a fetch runs is ErrUnavailable", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		pass(minute)
		for i := range 5 {
			denies(t, c, strconv.Itoa(i))
		}
		s.serve(slow(time.Second, publish(a, b)))
		assert.Equal(t, 5500*time.Millisecond, took(func() {
			_, err := look(t, c)
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		}))
		pass(500 * time.Millisecond)
		serves(t, c, b)
	}))
}

// A watchedContext counts the contexts that are derived from it and not yet
// cancelled. Each of them holds memory, and a timer.
type watchedContext struct {
	context.Context
	done chan struct{}
	open atomic.Int32
}

func watched(ctx context.Context) *watchedContext {
	return &watchedContext{Context: ctx, done: make(chan struct{})}
}

func (w *watchedContext) Done() <-chan struct{} { return w.done }

// AfterFunc is what package context asks for where it does not know a type.
func (w *watchedContext) AfterFunc(func()) (stop func() bool) {
	w.open.Add(1)
	return func() bool {
		w.open.Add(-1)
		return true
	}
}

func TestCallersLeaveNothingBehind(t *testing.T) {
	a := newKey("a")
	for name, row := range map[string]struct {
		served responder // when the call comes
		first  bool      // nothing was accepted before it
		call   func(ctx context.Context, c *jwkscache.Cache) error
	}{
		"K12 the first lookup": {slow(time.Second, publish(a)), true, func(ctx context.Context, c *jwkscache.Cache) error {
			_, err := c.Lookup(ctx, jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
			return err
		}},
		"K12 an unknown kid": {slow(time.Second, publish(a)), false, func(ctx context.Context, c *jwkscache.Cache) error {
			_, err := c.Lookup(ctx, jwkscache.Query{KeyID: "x", Algorithm: "ES256"})
			return err
		}},
		"K12 a lookup with keys tried": {slow(time.Second, publish(a)), false, func(ctx context.Context, c *jwkscache.Cache) error {
			tried, err := c.Lookup(ctx, jwkscache.Query{Algorithm: "ES256"})
			if err != nil {
				return err
			}
			_, err = c.Lookup(ctx, jwkscache.Query{Algorithm: "ES256", Tried: tried})
			return err
		}},
	} {
		t.Run(name, inBubble(func(t *testing.T) {
			s := newServer(publish(a))
			if row.first {
				s.serve(row.served)
			}
			c := open(t, s, jwkscache.Config{})
			s.serve(row.served)
			ctx := watched(t.Context())
			require.NoError(t, row.call(ctx, c))
			assert.Zero(t, ctx.open.Load())
		}))
	}
}
