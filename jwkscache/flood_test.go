package jwkscache_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// flood looks up n kids that nobody ever saw, each in a goroutine of its own.
func flood(t *testing.T, c *jwkscache.Cache, n int, serial *atomic.Int64) *sync.WaitGroup {
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "made-up-" + strconv.FormatInt(serial.Add(1), 10), Algorithm: "ES256"})
			assert.NoError(t, err)
			assert.Nil(t, keys)
		})
	}
	return &all
}

func TestFlood(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	for name, latency := range map[string]time.Duration{"at once": 0, "in 100 ms": 100 * time.Millisecond, "in 900 ms": 900 * time.Millisecond} {
		t.Run("K5 10,000 goroutines with made-up kids in a minute cost four fetches, answered "+name, inBubble(func(t *testing.T) {
			s := newServer(publish(a))
			c := open(t, s, jwkscache.Config{})
			s.serve(slow(latency, publish(a)))
			var serial atomic.Int64
			flood(t, c, 4000, &serial)
			for range 60 {
				serves(t, c, a)
				flood(t, c, 100, &serial)
				pass(time.Second)
			}
			require.EqualValues(t, 10_000, serial.Load())
			assert.LessOrEqual(t, s.fetches(), 1+4)
			assert.GreaterOrEqual(t, s.fetches(), 1+3)
			pass(3 * time.Second)
			assert.Equal(t, 10_000, c.Stats().UnknownKIDs)
		}))
	}

	for _, published := range []time.Duration{0, 1, 7 * time.Second, 29 * time.Second, 30 * time.Second, 44 * time.Second} {
		t.Run("K5 under a flood a rotated key is accepted within one cooldown, published after "+published.String(), inBubble(func(t *testing.T) {
			s := newServer(publish(a))
			c := open(t, s, jwkscache.Config{})
			var serial atomic.Int64
			stop := make(chan struct{})
			go func() {
				for {
					select {
					case <-time.After(200 * time.Millisecond):
						flood(t, c, 20, &serial)
					case <-stop:
						return
					}
				}
			}()
			defer close(stop)
			pass(time.Second)
			pass(published)
			s.serve(publish(a, b))
			wait := took(func() {
				for {
					keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: "ES256"})
					require.NoError(t, err)
					if keys != nil {
						return
					}
					pass(100 * time.Millisecond)
				}
			})
			assert.LessOrEqual(t, wait, 30*time.Second)
			assert.LessOrEqual(t, s.fetches(), 1+2+3)
			serves(t, c, a)
		}))
	}
}

func TestWaiters(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	// crowd makes 1,000 goroutines wait for the fetch of an unknown kid.
	crowd := func(t *testing.T, c *jwkscache.Cache) {
		for range 1000 {
			go c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: "ES256"})
		}
		synctest.Wait()
	}

	t.Run("K5 at most 1,000 wait; the others get a no at once", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(slow(1999*time.Millisecond, publish(a, b)))
		crowd(t, c)
		for range 50 {
			denies(t, c, "b")
			serves(t, c, a)
		}
		require.Equal(t, 50, c.Stats().UnknownKIDs)
		pass(1999 * time.Millisecond)
		serves(t, c, b)
		require.Equal(t, 2, s.fetches())
		require.Equal(t, 50, c.Stats().UnknownKIDs, "the crowd was served")
	}))

	t.Run("K5 999 leave room for one", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(hang)
		for range 999 {
			go c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: "ES256"})
		}
		synctest.Wait()
		assert.Equal(t, 2*time.Second, took(func() { c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: "ES256"}) }))
	}))

	t.Run("K5 those who have gone make room", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(hang)
		crowd(t, c)
		pass(2 * time.Second)
		assert.Equal(t, 2*time.Second, took(func() { c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: "ES256"}) }))
	}))

	t.Run("K5 while refreshing fails the others are told so", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(fail(500))
		require.Error(t, c.Refresh(t.Context()))
		s.serve(hang)
		crowd(t, c)
		cannotTell(t, c, "b")
	}))
}
