package jwkscache_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func TestSharedMissingKey(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	t.Run("F5 another replica has brought it", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		caches := replicas(t, 2, s, st)
		pass(time.Minute)
		s.serve(publish(a, b))
		require.NoError(t, caches[0].Refresh(t.Context()))
		pass(1) // until it is saved
		keys, err := lookupTakes(t, t.Context(), caches[1], "b", 0)
		require.NoError(t, err)
		assert.Len(t, keys, 1)
		assert.Equal(t, 2, s.fetches())
	}))

	t.Run("F5 one fetches for all who miss it", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		caches := replicas(t, 50, s, st)
		pass(time.Minute)
		s.serve(slow(200*time.Millisecond, publish(a, b)))
		var wg sync.WaitGroup
		for _, c := range caches {
			wg.Go(func() {
				start := time.Now()
				keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: "ES256"})
				assert.NoError(t, err)
				assert.Len(t, keys, 1)
				assert.LessOrEqual(t, time.Since(start), 250*time.Millisecond)
			})
		}
		wg.Wait()
		assert.Equal(t, 2, s.fetches())
	}))

	t.Run("F5 a key that nobody has is missing for all, after one fetch for each two seconds", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		caches := replicas(t, 20, s, st)
		pass(time.Minute)
		before := s.fetches()
		var wg sync.WaitGroup
		for _, c := range caches {
			wg.Go(func() {
				keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "x", Algorithm: "ES256"})
				assert.NoError(t, err)
				assert.Nil(t, keys)
			})
		}
		wg.Wait()
		assert.LessOrEqual(t, s.fetches()-before, 5)
	}))

	t.Run("F5 the holder of the lease has died", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		c := replicas(t, 1, s, st)[0]
		pass(time.Minute)
		s.serve(publish(a, b))
		st.leases[st.name()] = time.Now().Add(hour)
		keys, err := lookupTakes(t, t.Context(), c, "b", 3*time.Second)
		require.NoError(t, err)
		assert.Len(t, keys, 1)
	}))

	t.Run("F5 the holder of the lease has died, and there are no keys", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		require.NoError(t, open(t, s, shared(st)).Close())
		st.leases[st.name()] = time.Now().Add(hour)
		st.put(nil)
		c := open(t, s, shared(st))
		keys, err := lookupTakes(t, t.Context(), c, "a", time.Second)
		require.NoError(t, err)
		assert.Len(t, keys, 1)
	}))

	t.Run("F5 a lease is good for the next missing key", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		c := replicas(t, 1, s, st)[0]
		for i := range 3 {
			k := newKey(strconv.Itoa(i))
			s.serve(publish(a, k))
			keys, err := lookupTakes(t, t.Context(), c, k.kid, 0)
			require.NoError(t, err)
			assert.Len(t, keys, 1)
		}
		assert.Equal(t, 1, st.granted)
	}))

	t.Run("F5 a flood of made-up keys on all", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		caches := replicas(t, 30, s, st)
		before, start := s.fetches(), time.Now()
		var wg sync.WaitGroup
		for i, c := range caches {
			for j := range 4 {
				wg.Go(func() {
					for n := 0; time.Since(start) < time.Minute; n++ {
						_, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: strconv.Itoa(1_000_000*i + 100_000*j + n), Algorithm: "ES256"})
						if err != nil { // a fetch was running when the wait ended
							assert.ErrorIs(t, err, jwkscache.ErrUnavailable)
						}
						time.Sleep(100 * time.Millisecond)
					}
				})
			}
		}
		wg.Go(func() { // a rotation meanwhile
			time.Sleep(20 * time.Second)
			s.serve(publish(a, b))
			for _, c := range caches {
				wg.Go(func() {
					begin := time.Now()
					keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: "ES256"})
					assert.NoError(t, err)
					assert.Len(t, keys, 1, "after %s", time.Since(begin))
					assert.LessOrEqual(t, time.Since(begin), 5500*time.Millisecond)
				})
			}
		})
		wg.Wait()
		t.Logf("%d fetches of %d caches in a minute", s.fetches()-before, len(caches))
		assert.LessOrEqual(t, s.fetches()-before, 160, "five for each of 31 leases, and for those who did not wait")
	}))
}

func TestSharedFailure(t *testing.T) {
	a := newKey("a")
	for _, tc := range []struct {
		name string
		down responder
		per  int // fetches in the second minute of the outage
	}{
		{"F8 the issuer is down", fail(500), 20},
		{"F8 the issuer hangs", hang, 30},
		{"F8 the issuer wants fewer requests", fail(429, "Retry-After", "300"), 1},
	} {
		t.Run(tc.name, inBubble(func(t *testing.T) {
			st, s := newMemory(), newServer(publish(a))
			caches := replicas(t, 100, s, st)
			s.serve(tc.down)
			for s.fetches() == 1 {
				pass(time.Second)
			}
			pass(time.Minute)
			before := s.fetches()
			t.Logf("%d fetches in the first minute", before-1)
			pass(time.Minute)
			t.Logf("%d fetches in the second minute", s.fetches()-before)
			assert.LessOrEqual(t, s.fetches()-before, tc.per)
			for _, c := range caches {
				serves(t, c, a)
			}
			s.serve(publish(a))
			pass(10 * time.Minute)
			for _, c := range caches {
				assert.Equal(t, jwkscache.Fresh, c.Stats().State)
				assert.NoError(t, c.Stats().LastError)
			}
		}))
	}

	t.Run("F8 a start while the issuer is down and nothing is kept", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(fail(500))
		for range 100 {
			open(t, s, shared(st))
		}
		pass(time.Minute)
		t.Logf("%d fetches in the first minute", s.fetches())
		assert.LessOrEqual(t, s.fetches(), 40)
		before := s.fetches()
		pass(time.Minute)
		t.Logf("%d fetches in the second minute", s.fetches()-before)
		assert.LessOrEqual(t, s.fetches()-before, 31)
	}))

	t.Run("F8 one replica that cannot reach the issuer does not hold up the others", inBubble(func(t *testing.T) {
		st, s, broken := newMemory(), newServer(publish(a)), newServer(fail(500))
		alone := open(t, broken, shared(st))
		caches := []*jwkscache.Cache{open(t, s, shared(st)), open(t, s, shared(st))}
		pass(5 * time.Second)
		for range 10 {
			k := newKey(strconv.Itoa(s.fetches()))
			s.serve(publish(a, k))
			_ = alone.Refresh(t.Context()) // leaves a note
			keys, err := caches[0].Lookup(t.Context(), jwkscache.Query{KeyID: k.kid, Algorithm: "ES256"})
			require.NoError(t, err)
			assert.Len(t, keys, 1)
			keys, err = alone.Lookup(t.Context(), jwkscache.Query{KeyID: k.kid, Algorithm: "ES256"})
			if err != nil { // its last fetch failed; the next look brings the key
				pass(10 * time.Second)
				keys, err = alone.Lookup(t.Context(), jwkscache.Query{KeyID: k.kid, Algorithm: "ES256"})
			}
			require.NoError(t, err)
			assert.Len(t, keys, 1)
			pass(time.Minute)
		}
	}))

	t.Run("F8 one replica that cannot reach the issuer does not hold up refreshes", inBubble(func(t *testing.T) {
		for _, why := range []responder{fail(500), fail(429, "Retry-After", "120")} {
			st, s, broken := newMemory(), newServer(publish(a)), newServer(why)
			open(t, broken, shared(st))
			good := open(t, s, shared(st))
			pass(30 * time.Second)
			for range 50 {
				pass(10 * time.Minute)
				require.Less(t, time.Since(good.Stats().LastSuccess), 20*time.Minute)
			}
			require.NoError(t, good.Close())
		}
	}))

	t.Run("F8 Retry-After without keys is honoured for 10 seconds", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(fail(429, "Retry-After", "300"))
		first := open(t, s, shared(st))
		pass(1)
		c := open(t, s, shared(st))
		require.Equal(t, 1, s.fetches(), "both asked")
		pass(9 * time.Second)
		require.Equal(t, 1, s.fetches())
		assert.ErrorContains(t, cannotTell(t, first, "a"), "429")
		s.serve(publish(a))
		pass(3 * time.Second)
		serves(t, c, a)
	}))

	t.Run("F8 a note by a clock that is an hour ahead holds nobody up for longer", inBubble(func(t *testing.T) {
		st, s, broken := newMemory(), newServer(publish(a)), newServer(fail(429, "Retry-After", "60"))
		var skew atomic.Int64
		skew.Store(int64(hour))
		ahead, err := jwkscache.ForURLSkewed(jwksURL, configFor(broken, shared(st)), &skew)
		opened(t, ahead, err)
		pass(time.Second)
		require.Len(t, st.docs, 1)
		c := open(t, s, shared(st))
		require.Zero(t, s.fetches())
		pass(24 * time.Second) // without keys, 10 seconds count
		serves(t, c, a)
		assert.Equal(t, 1, s.fetches())
	}))

	t.Run("F8 a note that is not good has no effect, and is replaced", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(fail(429, "Retry-After", "300"))
		require.NoError(t, open(t, s, shared(st)).Close())
		require.Len(t, st.docs, 1)
		for name, note := range st.docs {
			note[len(note)/2] ^= 1
			st.docs[name] = note
		}
		s.serve(publish(a))
		pass(3 * time.Second)
		c := open(t, s, shared(st))
		serves(t, c, a)
		assert.ErrorContains(t, c.Stats().Store.LastError, "was changed")
		pass(time.Minute)
		require.NoError(t, c.Refresh(t.Context()))
		_, _ = c.Lookup(t.Context(), jwkscache.Query{KeyID: "x", Algorithm: "ES256"})
		assert.NoError(t, c.Stats().Store.LastError)
	}))
}
