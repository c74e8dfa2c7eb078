package faults

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

const (
	waitForKey  = 5500 * time.Millisecond // the longest of a request whose key is missing
	waitForKeys = 2 * time.Second         // the same where there are none yet
	slack       = 5 * time.Second / 2     // of a busy machine
	cooldown    = time.Second             // configured, for unknown kids
	fetchTime   = 2 * 10 * time.Second    // the longest of a fetch: metadata, then keys
)

// The network breaks under an API that has keys. The measuring is done with one
// fault at a time; mending runs side by side.
func TestWarm(t *testing.T) {
	for _, f := range faults {
		t.Run("K1 K3 K5 K12 "+f.name, func(t *testing.T) {
			w := newWorld(t)
			quiet := w.open(t, f.name, jwkscache.Config{})
			shaken := w.open(t, f.name, jwkscache.Config{Refresh: 500 * time.Millisecond, Cooldown: cooldown})
			require.NoError(t, quiet.v.Ready(t.Context()))
			require.NoError(t, shaken.v.Ready(t.Context()))
			old, stranger := w.token(t, nil), w.strangers(t)
			p99(t, quiet, old) // to warm up
			p99(t, shaken, old)

			w.spoil(t, f)
			require.NoError(t, w.Rotate(""))
			rotated := w.token(t, nil)
			s := &storm{}
			for attempt := 1; ; attempt++ { // a busy machine gets another chance
				q, p := compare(t, quiet, shaken, s, old, stranger)
				ratio := float64(p) / float64(q)
				t.Logf("attempt %d: p99 quiet %s, with the fault %s, ratio %.2f", attempt, q, p, ratio)
				if ratio <= ratioMost {
					break
				}
				require.Less(t, attempt, attempts, "the fault makes good tokens slower: %.2f times", ratio)
			}
			s.crowd.Wait()
			st := shaken.keys.Stats()
			t.Logf("fetches %d, failed %d; strangers by status: %v, slowest %s", st.Fetches, st.Failures, s.answers, s.slowest)
			assert.Greater(t, st.Fetches, quiet.keys.Stats().Fetches, "the storm fetched")
			for status := range s.answers {
				assert.Contains(t, []int{http.StatusUnauthorized, http.StatusServiceUnavailable}, status)
			}
			assert.Positive(t, s.answers[http.StatusServiceUnavailable], "nobody can tell of a stranger's key")
			assert.Less(t, s.slowest, waitForKey+slack)

			t.Parallel()
			if f.late {
				assertSoon(t, func() bool { return shaken.ask(rotated).Code == http.StatusOK }, "a late answer is a good one")
			} else {
				assert.Equal(t, http.StatusServiceUnavailable, shaken.ask(rotated).Code)
			}
			assert.Equal(t, http.StatusOK, shaken.ask(old).Code)
			w.mend(t)
			assertSoon(t, func() bool { return shaken.ask(rotated).Code == http.StatusOK }, "the cache recovers")
			assert.Equal(t, http.StatusOK, shaken.ask(old).Code)
			closeAll(t, w, f.name, quiet, shaken)
		})
	}
}

// assertSoon waits for what takes the cache a fetch that is under way, another,
// and a cooldown at most.
func assertSoon(t *testing.T, ok func() bool, message string) {
	t.Helper()
	require.Eventually(t, ok, fetchTime+waitForKey+cooldown+2*slack, 50*time.Millisecond, message)
}

// closeAll closes the APIs and looks for what is left. A cache connects once per
// fetch of the key set, and up to perFind times more where it reads the metadata
// anew, as Refresh does, in both of its places.
func closeAll(t *testing.T, w *world, label string, apis ...*api) {
	t.Helper()
	n, _ := goroutines(label)
	assert.GreaterOrEqual(t, n, len(apis), "the labels work")
	const perFind = 2
	atMost := 0
	for _, a := range apis {
		labelled(label, func() { require.NoError(t, a.keys.Close()) })
		atMost += (1 + perFind) * a.keys.Stats().Fetches
	}
	assert.Eventually(t, func() bool { n, _ := goroutines(label); return n == 0 }, 2*slack, 10*time.Millisecond)
	n, where := goroutines(label)
	assert.Zero(t, n, "goroutines left:\n%s", where)
	assert.Eventually(t, func() bool { _, open, _ := w.conns.count(); return open == 0 }, 2*slack, 10*time.Millisecond, "connections left")
	accepted, _, peak := w.conns.count()
	assert.LessOrEqual(t, accepted, atMost, "connections for %d caches", len(apis))
	assert.LessOrEqual(t, peak, 1+len(apis), "at a time; one may be closing")
}
