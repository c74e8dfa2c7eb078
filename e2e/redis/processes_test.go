package redis

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
)

const processes = 50

// A fleet is processes with key caches of one issuer, on one Redis.
type fleet struct {
	t        *testing.T
	issuer   *authserver.Server
	requests atomic.Int64 // at the issuer
	asked    chan struct{}
	all      []*process
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
	at := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.requests.Add(1)
		select {
		case f.asked <- struct{}{}:
		default:
		}
		f.issuer.ServeHTTP(w, r)
	}))
	t.Cleanup(at.Close)
	var err error
	f.issuer, err = authserver.New(at.URL, "ES256")
	require.NoError(t, err)
	return f
}

// ask asks all processes at once.
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
	server := startServer(t)
	client := server.client(t)
	for range processes {
		f.all = append(f.all, startProcess(t, f.issuer.Issuer(), server.address))
	}
	kid, _ := f.issuer.Key()
	first := f.ask(kid)
	assert.Equal(t, processes, sum(first, func(s status) int {
		if s.Found {
			return 1
		}
		return 0
	}))
	starting := f.requests.Load()
	t.Logf("start of %d processes: %d requests at the issuer, %d adopted, slowest %s", processes, starting,
		sum(first, func(s status) int { return s.Adopted }), slices.MaxFunc(first, func(a, b status) int { return int(a.Served - b.Served) }).Served)
	assert.LessOrEqual(t, starting, int64(8), "F11 the start of a fleet, two requests for each fetch")

	const fetches = 4
	before, sent, received := commands(t, client)
	began := time.Now()
	f.await(starting + fetches)
	took := time.Since(began)
	after, sentAfter, receivedAfter := commands(t, client)
	perSecond := func(n int64) float64 { return float64(n) / took.Seconds() / processes }
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
	late := startProcess(t, f.issuer.Issuer(), server.address)
	s, err := late.ask(kid)
	require.NoError(t, err)
	t.Logf("cold start while the issuer is down: serves after %s", s.Served)
	assert.True(t, s.Found, "F11 a cold start while the issuer is down")
	assert.Less(t, s.Served, 5*time.Second)
	f.issuer.Heal()
}

// commands returns how many commands a Redis has processed, and how many bytes it has sent
// and received.
func commands(t testing.TB, client *redis.Client) (n, sent, received int64) {
	t.Helper()
	stats := client.InfoMap(t.Context(), "stats")
	for name, to := range map[string]*int64{"total_commands_processed": &n, "total_net_output_bytes": &sent, "total_net_input_bytes": &received} {
		_, err := fmt.Sscan(stats.Item("Stats", name), to)
		require.NoError(t, err)
	}
	return n, sent, received
}
