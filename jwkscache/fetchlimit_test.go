package jwkscache_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// flood looks up perSecond new kids, each in its own goroutine, until the function that it returns is called.
func flood(t *testing.T, c *jwkscache.Cache, perSecond int) (end func()) {
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for i := 0; ctx.Err() == nil; i++ {
			kid := "made-up-" + strconv.Itoa(i)
			go func() {
				keys, err := c.Lookup(ctx, jwkscache.Query{KeyID: kid, Algorithm: "ES256"})
				assert.True(t, keys == nil && (err == nil || errors.Is(err, jwkscache.ErrUnavailable)), kid)
			}()
			select {
			case <-time.After(time.Second / time.Duration(perSecond)):
			case <-ctx.Done():
			}
		}
	}()
	return func() {
		cancel()
		synctest.Wait()
	}
}

// mostInAMinute returns how many fetches fell within the busiest minute.
func mostInAMinute(s *server) (most int) {
	log := s.requests(jwksURL)
	for i, first := range log {
		n := 0
		for _, r := range log[i:] {
			if r.at.Sub(first.at) < time.Minute {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// rotated looks b up every 100 ms, each time in its own goroutine, and
// returns when it was first found and how often there was wrongly no key.
func rotated(t *testing.T, c *jwkscache.Cache, b key) (found time.Duration, wrong int64) {
	start := time.Now()
	var first, no atomic.Int64
	for first.Load() == 0 && time.Since(start) < time.Minute {
		go func() {
			switch keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: b.kid, Algorithm: b.alg}); {
			case keys != nil:
				first.CompareAndSwap(0, int64(time.Since(start))+1)
			case err == nil:
				no.Add(1)
			}
		}()
		pass(100 * time.Millisecond)
	}
	pass(6 * time.Second)
	return time.Duration(first.Load() - 1), no.Load()
}

func TestRotationAfterJunk(t *testing.T) {
	a, b := newKey("a"), newKey("b")
	for _, row := range []struct {
		junk   int
		within time.Duration
	}{{0, 0}, {1, 0}, {2, 0}, {4, 0}, {5, 5 * time.Second}, {6, 5 * time.Second}, {100, 5 * time.Second}} {
		t.Run("K5 "+strconv.Itoa(row.junk)+" made-up kids before a hard rotation", inBubble(func(t *testing.T) {
			s := newServer(publish(a))
			c := open(t, s, jwkscache.Config{})
			pass(minute)
			for i := range row.junk {
				go c.Lookup(t.Context(), jwkscache.Query{KeyID: strconv.Itoa(i), Algorithm: "ES256"})
				synctest.Wait()
			}
			s.serve(publish(b))
			found, wrong := rotated(t, c, b)
			assert.LessOrEqual(t, found, row.within)
			assert.Zero(t, wrong)
		}))
	}
}

func TestFlood(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	for name, latency := range map[string]time.Duration{"at once": 0, "in 100 ms": 100 * time.Millisecond, "in 900 ms": 900 * time.Millisecond} {
		t.Run("K5 10,000 made-up kids a minute cost 17 fetches, with responses "+name, inBubble(func(t *testing.T) {
			s := newServer(publish(a))
			c := open(t, s, jwkscache.Config{})
			s.serve(slow(latency, publish(a)))
			end := flood(t, c, 170)
			for range 180 {
				serves(t, c, a)
				pass(time.Second)
			}
			end()
			assert.LessOrEqual(t, mostInAMinute(s), 17)
			assert.GreaterOrEqual(t, s.fetches(), 30)
		}))
	}

	for _, perSecond := range []int{10, 100, 1000} {
		for _, published := range []time.Duration{0, 1, 3 * time.Second, 7 * time.Second, 44 * time.Second} {
			t.Run("K5 a rotation "+published.String()+" into a flood of "+strconv.Itoa(perSecond)+" a second", inBubble(func(t *testing.T) {
				s := newServer(publish(a))
				c := open(t, s, jwkscache.Config{})
				end := flood(t, c, perSecond)
				defer end()
				pass(10 * time.Second)
				pass(published)
				s.serve(publish(b))
				found, wrong := rotated(t, c, b)
				assert.LessOrEqual(t, found, 6*time.Second)
				if perSecond < 200 { // so that fewer than 1,000 wait
					assert.Zero(t, wrong)
				}
			}))
		}
	}

	t.Run("K5 at most 17 fetches in any minute, outage and recovery included", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		end := flood(t, c, 20)
		defer end()
		for i, next := range []responder{fail(500), publish(a, b), broken(errors.New("refused")), publish(a), hang, publish(b), fail(503), publish(a)} {
			pass(time.Duration(17+i) * time.Second)
			s.serve(next)
			for range 60 { // and signatures that fit no key of their kid
				tried, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
				if err == nil && tried != nil {
					c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256", Tried: tried})
				}
				pass(time.Second)
			}
		}
		assert.LessOrEqual(t, mostInAMinute(s), 17)
	}))

	t.Run("K5 while fetching fails, only the backoff fetches, at most 10 s apart", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		pass(minute)
		s.serve(fail(500))
		cannotTell(t, c, "first")
		pass(5 * minute) // the backoff is at its longest
		failing := len(s.gaps())
		end := flood(t, c, 20)
		pass(5 * minute)
		end()
		require.Greater(t, len(s.gaps()), failing+29)
		assert.Equal(t, 10*time.Second, slices.Max(s.gaps()[failing+1:]))
		assert.LessOrEqual(t, mostInAMinute(s), 17)
	}))

	for _, limited := range []responder{fail(429), fail(503, "Retry-After", "1")} {
		t.Run("K5 a server that limits us is asked more and more slowly", inBubble(func(t *testing.T) {
			s := newServer(publish(a))
			c := open(t, s, jwkscache.Config{})
			end := flood(t, c, 20)
			defer end()
			pass(minute)
			s.serve(limited)
			pass(5 * minute)
			before := len(s.gaps())
			pass(5 * minute)
			slowest := s.gaps()[before:]
			require.NotEmpty(t, slowest)
			for _, gap := range slowest {
				assert.Equal(t, 30*time.Second, gap)
			}
			s.serve(publish(a))
			pass(5 * minute)
			before = len(s.gaps())
			pass(minute)
			require.Len(t, s.gaps()[before:], 12)
			for _, gap := range s.gaps()[before:] {
				assert.Equal(t, 5*time.Second, gap, "healed")
			}
		}))
	}

	t.Run("K5 a server that limits us at times is asked more slowly", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		last := time.Time{}
		s.serve(func(r *http.Request) (*http.Response, error) {
			defer func() { last = time.Now() }()
			if time.Since(last) < 20*time.Second {
				return fail(429)(r)
			}
			return publish(a)(r)
		})
		end := flood(t, c, 20)
		defer end()
		pass(10 * minute)
		before := len(s.requests(jwksURL))
		pass(10 * minute)
		assert.LessOrEqual(t, len(s.requests(jwksURL))-before, 45)
	}))

	t.Run("K5 fetches of Refresh beyond the limit do not delay others", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		for range 10 {
			require.NoError(t, c.Refresh(t.Context()))
		}
		pass(5 * time.Second)
		denies(t, c, "x")
		require.Equal(t, 12, s.fetches())
	}))

	t.Run("K5 a Cooldown of over 30 s is not shortened", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{Cooldown: minute})
		for i := range 4 {
			denies(t, c, strconv.Itoa(i))
		}
		s.serve(fail(429))
		require.Error(t, c.Refresh(t.Context()))
		pass(minute - 1)
		require.Equal(t, 6, s.fetches())
		pass(1)
		require.Equal(t, 7, s.fetches())
	}))

	t.Run("K5 two limiting responses and a good one: twice the cooldown", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		for i := range 4 {
			denies(t, c, strconv.Itoa(i))
		}
		s.serve(fail(429))
		require.Error(t, c.Refresh(t.Context()))
		require.Error(t, c.Refresh(t.Context()))
		s.serve(publish(a))
		require.NoError(t, c.Refresh(t.Context()))
		go c.Lookup(t.Context(), jwkscache.Query{KeyID: "x", Algorithm: "ES256"})
		pass(10*time.Second - 1)
		require.Equal(t, 8, s.fetches())
		pass(1)
		require.Equal(t, 9, s.fetches())
	}))
}
