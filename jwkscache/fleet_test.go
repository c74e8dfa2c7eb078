package jwkscache_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

var fleetSize = flag.Int("fleet", defaultFleet, "caches in the simulation of a day")

// A day of many caches on one Store: nine rotations, each used at once everywhere,
// outages of the issuer and of the Store, a Store that comes back empty, and a replica
// that cannot reach the Store.
func TestFleetDay(t *testing.T) {
	t.Run("F12 a day of many caches on one Store", inBubble(func(t *testing.T) {
		k := newKey("k0")
		st, s := newMemory(), newServer(slow(50*time.Millisecond, publish(k)))
		sw, lagging := &switched{Store: st}, &switched{Store: st}
		var caches []*jwkscache.Cache
		for i := range *fleetSize {
			of := jwkscache.Store(sw)
			if i == 0 {
				of = lagging
			}
			c, err := jwkscache.ForURL(jwksURL, configFor(s, shared(of)))
			require.NoError(t, err)
			defer c.Close()
			caches = append(caches, c)
			time.Sleep(time.Duration(rand.Int64N(int64(10 * time.Second / time.Duration(*fleetSize)))))
		}
		fetched := 0
		phase := func(name string, d time.Duration) int {
			pass(d)
			n := s.fetches() - fetched
			fetched += n
			t.Logf("%-44s %8s %5d fetches, %6.2f per period, %8d loads, %6d leases of %d asked for, %d saves",
				name, d, n, float64(n)/(d.Seconds()/(15*60)), st.loads, st.granted, st.granted+st.denied, st.saves)
			st.mu.Lock()
			st.loads, st.granted, st.denied, st.saves = 0, 0, 0, 0
			st.mu.Unlock()
			for i, c := range caches {
				keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: k.kid, Algorithm: "ES256"})
				require.NoError(t, err, "cache %d", i)
				require.Len(t, keys, 1, "cache %d", i)
			}
			return n
		}
		// The earliest of many refreshes is due at 72 % of a period.
		perPeriod := func(n int, d time.Duration) float64 { return float64(n) / (d.Seconds() / (0.72 * 15 * 60)) }
		var slowest time.Duration
		rotate := func() {
			k = newKey(fmt.Sprintf("k%d", fetched))
			s.serve(slow(50*time.Millisecond, publish(k)))
			var wg sync.WaitGroup
			var mu sync.Mutex
			for _, c := range caches {
				wg.Go(func() {
					time.Sleep(time.Duration(rand.Int64N(int64(5 * time.Second))))
					start := time.Now()
					keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: k.kid, Algorithm: "ES256"})
					assert.NoError(t, err)
					assert.Len(t, keys, 1, "a good token's key")
					mu.Lock()
					defer mu.Unlock()
					slowest = max(slowest, time.Since(start))
				})
			}
			wg.Wait()
		}

		assert.LessOrEqual(t, phase("a start", time.Minute), 2)
		assert.InDelta(t, 1, perPeriod(phase("calm", 4*hour), 4*hour), 0.25)
		for range 9 {
			rotate()
			phase("a rotation", 10*time.Minute)
		}
		t.Logf("the slowest first use of a rotated key took %s", slowest)
		assert.LessOrEqual(t, slowest, 5500*time.Millisecond)
		assert.InDelta(t, 1, perPeriod(phase("calm", 4*hour), 4*hour), 0.25)

		good := publish(k)
		s.serve(fail(503))
		assert.LessOrEqual(t, phase("the issuer is down", hour), 600)
		s.serve(fail(429, "Retry-After", "300"))
		assert.LessOrEqual(t, phase("the issuer limits", hour), 60)
		s.serve(hang)
		assert.LessOrEqual(t, phase("the issuer hangs", hour), 900)
		s.serve(slow(50*time.Millisecond, good))
		phase("it is back", 10*time.Minute)
		assert.InDelta(t, 1, perPeriod(phase("calm", 3*hour), 3*hour), 0.3)

		away := func(context.Context, string) error { return errors.New("no connection") }
		lagging.set(away)
		assert.InDelta(t, 2.2, perPeriod(phase("one cannot reach the Store", 2*hour), 2*hour), 0.5)
		lagging.set(nil)
		rotate()
		phase("it can again", 10*time.Minute)
		sw.set(away)
		phase("nobody can reach the Store", hour)
		sw.set(func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() })
		rotate()
		phase("the Store hangs, and the keys are rotated", 10*time.Minute)
		st.clear()
		sw.set(nil)
		phase("the Store comes back empty", 10*time.Minute)
		assert.InDelta(t, 1, perPeriod(phase("calm", 4*hour), 4*hour), 0.25)
		for _, c := range caches {
			assert.Equal(t, jwkscache.Fresh, c.Stats().State)
			assert.NoError(t, c.Stats().Store.LastError)
			assert.NoError(t, c.Close())
		}
		synctest.Wait()
	}))
}
