package jwkscache_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func TestStoreThatFails(t *testing.T) {
	a, b, d := newKey("a"), newKey("b"), newKey("d")
	for _, tc := range []struct {
		name   string
		before func(release <-chan struct{}) func(context.Context, string) error
		slow   time.Duration // that a call takes at most
	}{
		{"F7 fails", func(<-chan struct{}) func(context.Context, string) error {
			return func(context.Context, string) error { return errors.New("no connection") }
		}, 0},
		{"F7 panics", func(<-chan struct{}) func(context.Context, string) error {
			return func(context.Context, string) error { panic("no connection") }
		}, 0},
		{"F7 has an error that panics", func(<-chan struct{}) func(context.Context, string) error {
			return func(context.Context, string) error { return (*nilError)(nil) }
		}, 0},
		{"F7 ends its goroutine", func(<-chan struct{}) func(context.Context, string) error {
			return func(context.Context, string) error { runtime.Goexit(); return nil }
		}, 0},
		{"F7 hangs", func(<-chan struct{}) func(context.Context, string) error {
			return func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
		}, time.Second},
		{"F7 hangs past its context", func(release <-chan struct{}) func(context.Context, string) error {
			return func(context.Context, string) error { <-release; return nil }
		}, time.Second},
		{"F7 is slow", func(<-chan struct{}) func(context.Context, string) error {
			return func(context.Context, string) error { time.Sleep(1100 * time.Millisecond); return nil }
		}, time.Second},
		{"F7 refuses to lease only", func(<-chan struct{}) func(context.Context, string) error {
			return func(_ context.Context, call string) error {
				if call == "lease" {
					return errors.New("not permitted")
				}
				return nil
			}
		}, 0},
		{"F7 refuses to save only", func(<-chan struct{}) func(context.Context, string) error {
			return func(_ context.Context, call string) error {
				if call == "save" {
					return errors.New("the disk is full")
				}
				return nil
			}
		}, 0},
	} {
		t.Run(tc.name, inBubble(func(t *testing.T) {
			release := make(chan struct{})
			defer func() { close(release); pass(time.Second) }()
			st, s := &switched{Store: newMemory()}, newServer(publish(a))
			st.set(tc.before(release))
			l := new(listener)
			cfg := shared(st)
			cfg.Observe = l.observe
			c, err := jwkscache.ForURL(jwksURL, configFor(s, cfg))
			require.NoError(t, err)
			defer func() { assert.LessOrEqual(t, took(func() { assert.NoError(t, c.Close()) }), time.Second) }()

			assert.Equal(t, tc.slow, took(func() { require.NoError(t, c.Ready(t.Context())) }), "a start")
			serves(t, c, a)
			pass(time.Minute)
			for _, k := range []key{b, d} {
				s.serve(publish(a, k))
				start := time.Now()
				keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: k.kid, Algorithm: "ES256"})
				require.NoError(t, err)
				assert.Len(t, keys, 1)
				assert.LessOrEqual(t, time.Since(start), tc.slow)
				pass(7 * time.Second)
			}
			before := s.fetches()
			for range 60 {
				pass(time.Minute)
				serves(t, c, a)
				assert.Equal(t, jwkscache.Fresh, c.Stats().State)
			}
			assert.InDelta(t, before+5, s.fetches(), 1, "it fetches as without a Store")
			assert.Error(t, c.Stats().Store.LastError)
			assert.NoError(t, c.Stats().LastError)
			st.set(nil)
			if tc.name == "F7 hangs past its context" {
				close(release)
				release = make(chan struct{})
			}
			pass(11 * time.Second)
			assert.NoError(t, c.Stats().Store.LastError)
			assert.NotZero(t, c.Stats().Store.Saves, "what it had fetched was saved")
			heard := l.heard()
			assert.Contains(t, heard, "store_failed")
			assert.Contains(t, heard, "store_healed/2")
			assert.Less(t, len(heard), 400, "each change once: %s", heard)
		}))
	}

	t.Run("F7 a Store that is slow, but not too slow", inBubble(func(t *testing.T) {
		st, s := &switched{Store: newMemory()}, newServer(publish(a))
		st.set(func(context.Context, string) error { time.Sleep(900 * time.Millisecond); return nil })
		c, err := jwkscache.ForURL(jwksURL, configFor(s, shared(st)))
		require.NoError(t, err)
		defer c.Close()
		_, err = lookupTakes(t, t.Context(), c, "a", 900*time.Millisecond)
		require.NoError(t, err)
		pass(time.Minute)
		s.serve(publish(a, b))
		start := time.Now()
		keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: "ES256"})
		require.NoError(t, err)
		assert.Len(t, keys, 1)
		assert.LessOrEqual(t, time.Since(start), 2*time.Second)
	}))

	t.Run("F7 a Store that lost its documents gets them back", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		caches := replicas(t, 20, s, st)
		doc := st.document()
		for range 5 {
			st.clear()
			pass(10 * time.Second)
			assert.Equal(t, doc, st.document())
		}
		assert.Equal(t, 1, s.fetches())
		assert.Equal(t, 6, st.saves)
		for _, c := range caches {
			assert.Zero(t, c.Stats().Store.Failures)
		}
	}))

	t.Run("F7 keys that are too old are not given back", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		cfg := shared(st)
		cfg.MaxStale = time.Minute
		open(t, s, cfg)
		s.serve(fail(500))
		pass(2 * time.Minute)
		st.clear()
		pass(time.Minute)
		assert.Nil(t, st.document())
	}))

	t.Run("F7 a Store without end gives no work without end", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		open(t, s, shared(st))
		doc, n := st.document(), 0
		ever := &switched{Store: st, before: func(_ context.Context, call string) error {
			if call == "load" {
				n++
				st.put(jwkscache.EditDocument(doc, secret, "issuerTime", time.Now().Add(time.Duration(n))))
			}
			return nil
		}}
		c := open(t, s, shared(ever))
		loads := n
		for start := time.Now(); time.Since(start) < time.Minute; {
			_, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "x", Algorithm: "ES256"})
			assert.NoError(t, err)
			time.Sleep(time.Millisecond)
		}
		assert.LessOrEqual(t, n-loads, 2*4*60+60, "two documents, four times a second")
		synctest.Wait()
	}))
}

// A nilError panics if it is asked for its text.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

// A call that has given its result does not stand in the way of the next one, however
// busy the machine is. There is no bubble, so that goroutines really run at once.
func TestCallsOneAfterTheOther(t *testing.T) {
	t.Run("F7 a call that has returned is not taken for an outstanding one", func(t *testing.T) {
		var all sync.WaitGroup
		for range 8 * runtime.GOMAXPROCS(0) {
			all.Go(func() {
				call := jwkscache.NewCaller()
				for range 5000 {
					if err := call(t.Context(), func(context.Context) error { return nil }); !assert.NoError(t, err) {
						return
					}
				}
			})
		}
		all.Wait()
	})
}
