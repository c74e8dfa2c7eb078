package jwkscache_test

import (
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Every bubble of this package proves, too, that Close leaves no goroutine.
func TestClose(t *testing.T) {
	a := newKey("a")

	t.Run("K12 Close stops a fetch under way and waits for it", inBubble(func(t *testing.T) {
		var over atomic.Bool
		c := open(t, newServer(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			<-time.After(time.Second) // a transport that takes its time to let go
			over.Store(true)
			return nil, r.Context().Err()
		}), jwkscache.Config{})
		assert.Equal(t, time.Second, took(func() { require.NoError(t, c.Close()) }))
		assert.True(t, over.Load())
	}))

	t.Run("K12 Close between fetches is immediate", inBubble(func(t *testing.T) {
		c := open(t, newServer(publish(a)), jwkscache.Config{})
		assert.Zero(t, took(func() { require.NoError(t, c.Close()) }))
	}))

	t.Run("K12 Close right after New", inBubble(func(t *testing.T) {
		c, err := jwkscache.ForURL(jwksURL, configFor(newServer(hang), jwkscache.Config{}))
		require.NoError(t, err)
		assert.Zero(t, took(func() { require.NoError(t, c.Close()) }))
	}))

	t.Run("K12 Close is idempotent, and so at the same time", inBubble(func(t *testing.T) {
		c := open(t, newServer(hang), jwkscache.Config{})
		for range 10 {
			go func() { assert.NoError(t, c.Close()) }()
		}
		require.NoError(t, c.Close())
		require.NoError(t, c.Close())
	}))

	t.Run("K12 one scheduler: nothing is fetched after Close", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		denies(t, c, "x")
		require.NoError(t, c.Close())
		cannotTell(t, c, "x")
		pass(23 * time.Hour)
		serves(t, c, a)
		require.ErrorIs(t, c.Refresh(t.Context()), jwkscache.ErrUnavailable)
		for range 4 {
			cannotTell(t, c, "b")
		}
		_, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: "ES256", Tried: nil})
		require.NoError(t, err, "there are keys that were not tried")
		require.Equal(t, 2, s.fetches())
	}))

	t.Run("K12 after Close the last keys serve until MaxStale", inBubble(func(t *testing.T) {
		c := open(t, newServer(publish(a)), jwkscache.Config{})
		require.NoError(t, c.Close())
		pass(day - 1)
		serves(t, c, a)
		require.NoError(t, c.Ready(t.Context()))
		require.ErrorIs(t, c.Health(), jwkscache.ErrUnavailable, "nobody refreshes them")
		require.Equal(t, jwkscache.Closed, c.Stats().State)
		pass(1)
		cannotTell(t, c, "a")
		require.ErrorIs(t, c.Health(), jwkscache.ErrUnavailable)
		require.ErrorIs(t, c.Ready(t.Context()), jwkscache.ErrUnavailable)
		require.Equal(t, jwkscache.Closed, c.Stats().State)
	}))

	t.Run("K12 Close answers all who wait", inBubble(func(t *testing.T) {
		c := open(t, newServer(hang), jwkscache.Config{})
		var answered atomic.Int32
		for _, wait := range []func() error{
			func() error {
				_, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
				return err
			},
			func() error { return c.Ready(t.Context()) },
			func() error { return c.Refresh(t.Context()) },
		} {
			go func() {
				assert.ErrorIs(t, wait(), jwkscache.ErrUnavailable)
				answered.Add(1)
			}()
		}
		synctest.Wait()
		require.Zero(t, answered.Load())
		require.NoError(t, c.Close())
		synctest.Wait()
		require.EqualValues(t, 3, answered.Load())
		cannotTell(t, c, "a")
	}))

	t.Run("K12 after Close the answer names it", inBubble(func(t *testing.T) {
		c := open(t, newServer(fail(500)), jwkscache.Config{})
		require.NoError(t, c.Close())
		require.ErrorContains(t, cannotTell(t, c, "a"), "closed")
		require.ErrorContains(t, c.Ready(t.Context()), "closed")
		require.ErrorContains(t, c.Refresh(t.Context()), "closed")
		require.ErrorContains(t, c.Health(), "closed")
	}))

	t.Run("K12 Close answers those who wait for an unknown kid", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(hang)
		time.AfterFunc(time.Second, func() { c.Close() })
		assert.Equal(t, time.Second, took(func() {
			_, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: "ES256"})
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		}))
	}))

	t.Run("K12 keys that arrive while closing are not taken over", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done() // and is answered nevertheless
			return publish(newKey("b"))(r)
		})
		go c.Refresh(t.Context())
		synctest.Wait()
		require.NoError(t, c.Close())
		serves(t, c, a)
	}))

	t.Run("K12 a Static cache", inBubble(func(t *testing.T) {
		c, err := jwkscache.Static([]byte(setOf(a)))
		require.NoError(t, err)
		require.NoError(t, c.Close())
		require.NoError(t, c.Close())
		serves(t, c, a)
		require.NoError(t, c.Health())
		require.NoError(t, c.Refresh(t.Context()), "there is nothing to refresh")
	}))

	t.Run("K3 an error whose methods panic kills nothing", inBubble(func(t *testing.T) {
		s := newServer(broken(panickingError{}))
		c := open(t, s, jwkscache.Config{})
		pass(minute)
		s.serve(publish(a))
		pass(minute)
		serves(t, c, a)
	}))

	t.Run("K12 a transport that ends its goroutine ends the cache", inBubble(func(t *testing.T) {
		s := newServer(func(*http.Request) (*http.Response, error) {
			runtime.Goexit()
			return nil, nil
		})
		c := open(t, s, jwkscache.Config{})
		require.ErrorIs(t, c.Ready(t.Context()), jwkscache.ErrUnavailable)
		require.ErrorIs(t, c.Refresh(t.Context()), jwkscache.ErrUnavailable)
		require.NoError(t, c.Close())
	}))

	t.Run("K3 a transport that panics kills nothing", inBubble(func(t *testing.T) {
		s := newServer(func(*http.Request) (*http.Response, error) { panic("a bug elsewhere") })
		c := open(t, s, jwkscache.Config{})
		require.ErrorContains(t, cannotTell(t, c, "a"), "a bug elsewhere")
		pass(minute)
		s.serve(publish(a))
		pass(minute)
		serves(t, c, a)
	}))
}

func TestStats(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	t.Run("K14 state, keys, last success and error, fetches, failures, refusals", inBubble(func(t *testing.T) {
		start := time.Now()
		s := newServer(slow(time.Second, fail(500)))
		c := open(t, s, jwkscache.Config{})
		assert.Equal(t, jwkscache.Stats{State: jwkscache.Empty, Fetches: 1}, c.Stats())

		pass(time.Second)
		st := c.Stats()
		assert.ErrorContains(t, st.LastError, "500")
		st.LastError = nil
		assert.Equal(t, jwkscache.Stats{State: jwkscache.Empty, Fetches: 1, Failures: 1}, st)

		s.serve(publish(a, b, key{jwk: jwk{"kty": "mystery"}}))
		require.NoError(t, c.Refresh(t.Context()))
		st = c.Stats()
		require.Len(t, st.KeyWarnings, 1)
		assert.True(t, st.LastSuccess.Equal(start.Add(time.Second)), "it is %v", st.LastSuccess)
		assert.Equal(t, jwkscache.Stats{
			State: jwkscache.Fresh, Keys: 2, KeyWarnings: st.KeyWarnings, LastSuccess: st.LastSuccess, Fetches: 2, Failures: 1,
		}, st)

		denies(t, c, "x") // the server says so
		denies(t, c, "x") // remembered
		denies(t, c, "y") // the server says so
		assert.Equal(t, 3, c.Stats().UnknownKeys)
		assert.Equal(t, 4, c.Stats().Fetches)
		_, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "RS256"})
		require.NoError(t, err)
		assert.Equal(t, 3, c.Stats().UnknownKeys, "a known kid is not unknown")

		require.NoError(t, c.Close())
		assert.Equal(t, jwkscache.Closed, c.Stats().State)
		assert.Equal(t, 2, c.Stats().Keys)
	}))

	t.Run("K14 fresh for the period, then stale, then expired", inBubble(func(t *testing.T) {
		s := newServer(reply(200, setOf(a), "Cache-Control", "max-age=1800"))
		c := open(t, s, jwkscache.Config{})
		s.serve(fail(500))
		pass(30 * minute)
		assert.Equal(t, jwkscache.Fresh, c.Stats().State)
		assert.Positive(t, c.Stats().Failures)
		pass(1)
		assert.Equal(t, jwkscache.Stale, c.Stats().State)
		pass(day - 30*minute - 2)
		assert.Equal(t, jwkscache.Stale, c.Stats().State)
		pass(1)
		assert.Equal(t, jwkscache.Expired, c.Stats().State)
	}))

	t.Run("K14 last success is the last confirmation", inBubble(func(t *testing.T) {
		start := time.Now()
		s := newServer(tagged(`"1"`, a))
		c := open(t, s, jwkscache.Config{})
		pass(minute)
		require.NoError(t, c.Refresh(t.Context()))
		assert.True(t, c.Stats().LastSuccess.Equal(start.Add(minute)))
		s.serve(fail(500))
		pass(minute)
		require.Error(t, c.Refresh(t.Context()))
		assert.True(t, c.Stats().LastSuccess.Equal(start.Add(minute)))
		assert.Error(t, c.Stats().LastError)
	}))

	t.Run("K14 a Static cache is fresh", inBubble(func(t *testing.T) {
		c, err := jwkscache.Static([]byte(setOf(a, b)))
		require.NoError(t, err)
		st := c.Stats()
		assert.Equal(t, jwkscache.Stats{State: jwkscache.Fresh, Keys: 2, LastSuccess: st.LastSuccess}, st)
	}))

	t.Run("K14 the answer is the caller's own", inBubble(func(t *testing.T) {
		c, err := jwkscache.Static([]byte(setOf(a, key{jwk: jwk{"kty": "mystery"}})))
		require.NoError(t, err)
		c.Stats().KeyWarnings[0] = "overwritten"
		assert.NotEqual(t, "overwritten", c.Stats().KeyWarnings[0])
	}))
}

type panickingError struct{}

func (panickingError) Error() string { return "odd" }
func (panickingError) Is(error) bool { panic("a bug elsewhere") }
func (panickingError) Unwrap() error { panic("a bug elsewhere") }
