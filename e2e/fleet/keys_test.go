package fleet

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
)

const replicas = 50

// A fleet is processes with key caches of one issuer, on one Redis.
type fleet struct {
	t        *testing.T
	issuer   *authserver.Server
	requests atomic.Int64 // at the issuer
	asked    chan struct{}
	all      []*replica
}

// await waits until the issuer has had n requests.
func (f *fleet) await(n int64) {
	f.t.Helper()
	late := time.After(10 * refresh)
	for f.requests.Load() < n {
		select {
		case <-f.asked:
		case <-late:
			require.Fail(f.t, "the issuer is not asked")
		}
	}
}

func newFleet(t *testing.T) *fleet {
	f := &fleet{t: t, asked: make(chan struct{}, 1)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.requests.Add(1)
		select {
		case f.asked <- struct{}{}:
		default:
		}
		f.issuer.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	var err error
	f.issuer, err = authserver.New(server.URL, "ES256")
	require.NoError(t, err)
	return f
}

// ask asks all replicas at once.
func (f *fleet) ask(line string) []status {
	f.t.Helper()
	answers, errs := make([]status, len(f.all)), make([]error, len(f.all))
	var wg sync.WaitGroup
	for i, r := range f.all {
		wg.Go(func() { answers[i], errs[i] = r.ask(line) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(f.t, err)
	}
	return answers
}

// slowest returns the longest time that a key was waited for.
func slowest(answers []status) (longest time.Duration) {
	for _, a := range answers {
		longest = max(longest, a.Waited)
	}
	return longest
}

func sum(answers []status, figure func(status) int) (n int) {
	for _, a := range answers {
		n += figure(a)
	}
	return n
}

// Fifty processes ask the issuer about as often as one.
func TestSharedKeys(t *testing.T) {
	f := newFleet(t)
	address, client := startRedis(t)
	for range replicas {
		f.all = append(f.all, startReplica(t, f.issuer.Issuer(), address))
	}
	kid, _ := f.issuer.Key()
	first := f.ask(kid)
	assert.Equal(t, replicas, sum(first, func(s status) int {
		if s.Found {
			return 1
		}
		return 0
	}))
	starting := f.requests.Load()
	t.Logf("start of %d processes: %d requests at the issuer, %d adopted, slowest %s", replicas, starting,
		sum(first, func(s status) int { return s.Adopted }), slices.MaxFunc(first, func(a, b status) int { return int(a.Served - b.Served) }).Served)
	assert.LessOrEqual(t, starting, int64(8), "F11 the start of a fleet, two requests for each fetch")

	const periods = 3
	const fetches = 4
	before, sent, received := commands(t, client)
	began := time.Now()
	f.await(starting + fetches)
	took := time.Since(began)
	after, sentAfter, receivedAfter := commands(t, client)
	perSecond := func(n int64) float64 { return float64(n) / took.Seconds() / replicas }
	t.Logf("%d requests at the issuer in %s, %.1f periods; of each process, Redis has %.2f commands, %.0f bytes sent and %.0f bytes received a second",
		fetches, took.Round(time.Millisecond), float64(took)/float64(refresh), perSecond(after-before), perSecond(sentAfter-sent), perSecond(receivedAfter-received))
	assert.Greater(t, took, fetches*refresh/3, "F11 one fetch per period, or a few where two began at once")

	require.NoError(t, f.issuer.Rotate(""))
	kid, _ = f.issuer.Key()
	counted := f.requests.Load()
	rotated := f.ask(kid)
	t.Logf("rotation: %d requests at the issuer, slowest lookup %s", f.requests.Load()-counted, slowest(rotated))
	for _, a := range rotated {
		assert.True(t, a.Found, "F11 %+v", a)
	}
	assert.LessOrEqual(t, f.requests.Load()-counted, int64(8), "F11 a rotation")

	f.issuer.Fail(http.StatusServiceUnavailable)
	late := startReplica(t, f.issuer.Issuer(), address)
	s, err := late.ask(kid)
	require.NoError(t, err)
	t.Logf("cold start while the issuer is down: serves after %s", s.Served)
	assert.True(t, s.Found, "F11 a cold start while the issuer is down")
	assert.Less(t, s.Served, 5*time.Second)
	f.issuer.Heal()
}
