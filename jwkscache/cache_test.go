package jwkscache_test

import (
	"context"
	"crypto"
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

func TestStart(t *testing.T) {
	a := newKey("a")

	t.Run("K11 New waits for nothing, the fetch starts by itself", inBubble(func(t *testing.T) {
		s := newServer(hang)
		assert.Zero(t, took(func() { open(t, s, jwkscache.Config{}) }))
		assert.Equal(t, 1, s.fetches())
	}))

	t.Run("K11 wrong configuration is an error before anything starts", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		for _, cfg := range []jwkscache.Config{
			{Refresh: -time.Hour}, {Cooldown: -time.Hour}, {MaxStale: -time.Hour},
			{Refresh: 900}, {Cooldown: 30}, {MaxStale: 86400}, // without their unit
			{Refresh: time.Millisecond - 1}, {Cooldown: time.Millisecond - 1}, {MaxStale: time.Millisecond - 1},
		} {
			_, err := jwkscache.ForURL(jwksURL, configFor(s, cfg))
			require.Error(t, err)
			_, err = jwkscache.ForIssuer("https://issuer.example", configFor(s, cfg))
			require.Error(t, err)
		}
		synctest.Wait()
		require.Empty(t, s.urls())
		c, err := jwkscache.ForURL(jwksURL, configFor(s, jwkscache.Config{
			Refresh: time.Millisecond, Cooldown: time.Millisecond, MaxStale: time.Millisecond,
		}))
		require.NoError(t, err)
		require.NoError(t, c.Close())
	}))

	t.Run("K11 failing at the start retries in seconds", inBubble(func(t *testing.T) {
		s := newServer(fail(500))
		c := open(t, s, jwkscache.Config{})
		require.Equal(t, jwkscache.Empty, c.Stats().State)
		pass(7 * time.Second) // 1 + 2 + 4
		require.GreaterOrEqual(t, s.fetches(), 4)
		s.serve(publish(a))
		pass(32 * time.Second)
		serves(t, c, a)
	}))
}

// Every bubble of this package proves, too, that Close leaves no goroutine.
func TestClose(t *testing.T) {
	a := newKey("a")

	t.Run("K12 Close stops a running fetch and waits for it", inBubble(func(t *testing.T) {
		var over atomic.Bool
		c := open(t, newServer(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			<-time.After(time.Second) // a transport that ends slowly
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

	t.Run("K12 Close is idempotent, also concurrently", inBubble(func(t *testing.T) {
		c := open(t, newServer(hang), jwkscache.Config{})
		for range 10 {
			go func() { assert.NoError(t, c.Close()) }()
		}
		require.NoError(t, c.Close())
		require.NoError(t, c.Close())
	}))

	t.Run("K12 nothing is fetched after Close", inBubble(func(t *testing.T) {
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
		require.NoError(t, c.Health())
		require.NoError(t, c.Close())
		pass(day - 1)
		serves(t, c, a)
		require.NoError(t, c.Ready(t.Context()))
		require.ErrorIs(t, c.Health(), jwkscache.ErrUnavailable, "they are not refreshed")
		require.Equal(t, jwkscache.Closed, c.Stats().State)
		pass(1)
		cannotTell(t, c, "a")
		require.ErrorIs(t, c.Health(), jwkscache.ErrUnavailable)
		require.ErrorIs(t, c.Ready(t.Context()), jwkscache.ErrUnavailable)
		require.Equal(t, jwkscache.Closed, c.Stats().State)
	}))

	t.Run("K12 Close ends all waiting", inBubble(func(t *testing.T) {
		c := open(t, newServer(hang), jwkscache.Config{})
		var returned atomic.Int32
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
				returned.Add(1)
			}()
		}
		synctest.Wait()
		require.Zero(t, returned.Load())
		require.NoError(t, c.Close())
		synctest.Wait()
		require.EqualValues(t, 3, returned.Load())
		cannotTell(t, c, "a")
	}))

	t.Run("K12 after Close the error says so", inBubble(func(t *testing.T) {
		c := open(t, newServer(fail(500)), jwkscache.Config{})
		require.NoError(t, c.Close())
		require.ErrorContains(t, cannotTell(t, c, "a"), "closed")
		require.ErrorContains(t, c.Ready(t.Context()), "closed")
		require.ErrorContains(t, c.Refresh(t.Context()), "closed")
		require.ErrorContains(t, c.Health(), "closed")
	}))

	t.Run("K12 Close ends the waiting for an unknown kid", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(hang)
		time.AfterFunc(time.Second, func() { c.Close() })
		_, err := lookupTakes(t, t.Context(), c, "b", time.Second)
		require.ErrorIs(t, err, jwkscache.ErrUnavailable)
	}))

	t.Run("K12 keys that arrive while closing are not served", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done() // and responds nevertheless
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

	t.Run("K3 an error whose methods panic does no harm", inBubble(func(t *testing.T) {
		s := newServer(broken(panickingError{}))
		s.at(oidcForm, broken(panickingError{}))
		byAddress, byIssuer := open(t, s, jwkscache.Config{}), openIssuer(t, s, issuer, jwkscache.Config{})
		pass(minute)
		s.serve(publish(a))
		s.at(oidcForm, metadata(issuer, jwksURL))
		pass(minute)
		serves(t, byAddress, a)
		serves(t, byIssuer, a)
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

	t.Run("K3 a transport that panics is a failure", inBubble(func(t *testing.T) {
		s := newServer(func(*http.Request) (*http.Response, error) { panic("a bug elsewhere") })
		c := open(t, s, jwkscache.Config{})
		require.ErrorContains(t, cannotTell(t, c, "a"), "a bug elsewhere")
		pass(minute)
		s.serve(publish(a))
		pass(minute)
		serves(t, c, a)
	}))
}

type panickingError struct{}

func (panickingError) Error() string { return "odd" }

func (panickingError) Is(error) bool { panic("a bug elsewhere") }

func (panickingError) Unwrap() error { panic("a bug elsewhere") }

func TestReaders(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	t.Run("K1 no lock", func(t *testing.T) {
		t.Parallel()
		c, err := jwkscache.ForURL(jwksURL, jwkscache.Config{HTTPClient: &http.Client{Transport: newServer(publish(a))}})
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.Ready(t.Context()))
		done := make(chan struct{})
		c.Locked(func() {
			go func() {
				defer close(done)
				for _, kid := range []string{"a", ""} {
					keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: kid, Algorithm: "ES256"})
					assert.NoError(t, err)
					assert.Len(t, keys, 1)
				}
				keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "RS256"})
				assert.NoError(t, err)
				assert.Nil(t, keys)
			}()
			select {
			case <-done:
			case <-time.After(10 * time.Second): // only ever reached when a lookup locks
				t.Error("a lookup waits for the lock")
			}
		})
		<-done
	})

	t.Run("K1 no request waits for a refresh of keys it already has", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(hang)
		for range 360 {
			pass(10 * time.Second)
			serves(t, c, a)
		}
		require.Greater(t, s.fetches(), 30)
	}))

	t.Run("K1 a known key does not look at ctx", inBubble(func(t *testing.T) {
		c := open(t, newServer(publish(a)), jwkscache.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		keys, err := c.Lookup(ctx, jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
		require.NoError(t, err)
		require.Len(t, keys, 1)
	}))

	t.Run("K1 a known key costs no reading of the clock with Now", inBubble(func(t *testing.T) {
		readings := 0
		c, err := jwkscache.ForURLWatched(jwksURL, configFor(newServer(publish(a)), jwkscache.Config{}), func() { readings++ })
		c = opened(t, c, err)
		before := readings
		keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256", Now: time.Now()})
		require.NoError(t, err)
		require.Len(t, keys, 1)
		require.Equal(t, before, readings)
	}))

	t.Run("K1 a snapshot never changes", inBubble(func(t *testing.T) {
		s := newServer(publish(a, b))
		c := open(t, s, jwkscache.Config{})
		before, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: "ES256"})
		require.NoError(t, err)
		s.serve(publish(b))
		require.NoError(t, c.Refresh(t.Context()))
		assert.Equal(t, []crypto.PublicKey{a.public, b.public}, before)
		after, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: "ES256"})
		require.NoError(t, err)
		assert.Equal(t, []crypto.PublicKey{b.public}, after)
	}))

	t.Run("K1 readers and refreshes at the same time", inBubble(func(t *testing.T) {
		s := newServer(publish(a, b))
		c := open(t, s, jwkscache.Config{})
		for range 8 {
			go func() {
				for range 500 {
					serves(t, c, a)
					_ = c.Stats()
				}
			}()
		}
		for i := range 100 {
			s.serve(publish([][]key{{a}, {a, b}}[i%2]...))
			require.NoError(t, c.Refresh(t.Context()))
		}
		pass(0)
	}))

	t.Run("K1 an unchanged refresh keeps the very same keys", inBubble(func(t *testing.T) {
		// Callers compare the keys they remember with those of now.
		s := newServer(publish(a, rsaKey("r"), edKey("e")))
		c := open(t, s, jwkscache.Config{})
		before, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
		require.NoError(t, err)
		require.NoError(t, c.Refresh(t.Context()))
		after, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
		require.NoError(t, err)
		assert.Same(t, &before[0], &after[0])
	}))
}

func TestLookupDoesNotAllocate(t *testing.T) { // not parallel: other tests allocate
	c, err := jwkscache.ForURL(jwksURL, jwkscache.Config{HTTPClient: &http.Client{Transport: newServer(publish(newKey("a"), rsaKey("r")))}})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Ready(t.Context()))
	for _, q := range []jwkscache.Query{
		{KeyID: "a", Algorithm: "ES256"}, {Algorithm: "RS256"}, {KeyID: "a", Algorithm: "ES256", Now: time.Now()},
	} {
		assert.Zero(t, testing.AllocsPerRun(1000, func() { c.Lookup(t.Context(), q) }), "K1 %v", q)
	}
}

func BenchmarkLookup(b *testing.B) {
	c, err := jwkscache.ForURL(jwksURL, jwkscache.Config{HTTPClient: &http.Client{Transport: newServer(publish(newKey("a"), newKey("b")))}})
	require.NoError(b, err)
	defer c.Close()
	require.NoError(b, c.Ready(b.Context()))
	b.ReportAllocs()
	for b.Loop() {
		c.Lookup(b.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
	}
}
