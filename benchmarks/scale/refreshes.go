package scale

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/render"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

var percentiles = []float64{0.5, 0.99, 0.999}

// An atmosphere is what the keys do while hits are timed.
type atmosphere struct {
	name    string
	refresh time.Duration // zero: no refresh within a slice
	rotate  bool
}

var atmospheres = []atmosphere{
	{"no fetch at all", 0, false},
	{"refreshed every 20 ms, the same keys", 20 * time.Millisecond, false},
	{"refreshed every 20 ms, a new key beside the old one each time", 20 * time.Millisecond, true},
}

// refreshes compares hits in quiet with hits while keys are fetched. Each slice
// has a key cache of its own, so nothing is fetched in the quiet ones.
func refreshes(ctx context.Context, e Effort) (Part, error) {
	s := newChangingServer()
	defer s.http.Close()
	// Long enough for several refreshes.
	length := 5 * e.Slice
	ratios := make([][][]float64, len(atmospheres))
	for k := range ratios {
		ratios[k] = make([][]float64, len(percentiles))
	}
	for range e.Rounds {
		var quiet []float64
		for k, a := range atmospheres {
			batches, err := s.slice(ctx, a, length)
			if err != nil {
				return Part{}, err
			}
			if k == 0 {
				quiet = batches
			}
			for n, p := range percentiles {
				ratios[k][n] = append(ratios[k][n], percentile(batches, p)/percentile(quiet, p))
			}
		}
	}
	t := &render.Table{Header: []string{"to quiet", "p50", "p99", "p99.9"}}
	for k, a := range atmospheres {
		row := []string{a.name}
		for n := range percentiles {
			row = append(row, ratio(measure.Median(ratios[k][n])))
		}
		t.Add(row...)
	}
	return Part{"Refreshes beside quiet", fmt.Sprintf("One goroutine. Unlike above, nothing is fetched in the quiet slices, so the fetches and their server count here. A sample is a batch of 100 hits, which keeps the cost of reading the clock and most of the scheduler's noise out, and hides what a single hit waited. Percentiles are taken within a slice of %s. The keys were fetched %d times.", length, s.fetches.Load()), t}, nil
}

// A changingServer publishes the issuer's key and, while it rotates, another
// one beside it that is new in each answer.
type changingServer struct {
	*issuer
	http    *httptest.Server
	rotate  atomic.Bool
	fetches atomic.Int64
}

func newChangingServer() *changingServer {
	s := &changingServer{issuer: newIssuer()}
	s.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := s.fetches.Add(1)
		set := jwk("k0", s.private.Public().(ed25519.PublicKey))
		if s.rotate.Load() {
			public, _, _ := ed25519.GenerateKey(rand.Reader) // never fails
			set += "," + jwk(fmt.Sprintf("new%d", n), public)
		}
		fmt.Fprintf(w, `{"keys":[%s]}`, set)
	}))
	return s
}

// slice returns what batches of 100 hits took.
func (s *changingServer) slice(ctx context.Context, a atmosphere, length time.Duration) ([]float64, error) {
	s.rotate.Store(a.rotate)
	keys, err := jwkscache.ForURL(s.http.URL, jwkscache.Config{Refresh: a.refresh, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer keys.Close()
	if err := keys.Ready(ctx); err != nil {
		return nil, err
	}
	v, err := open(iss, keys, 0)
	if err != nil {
		return nil, err
	}
	raw := s.token(iss, 0, 300)
	if _, err := v.Verify(ctx, raw); err != nil {
		return nil, err
	}
	var batches []float64
	for begin := time.Now(); time.Since(begin) < length; {
		start := time.Now()
		for range 100 {
			if _, err := v.Verify(ctx, raw); err != nil {
				return nil, err
			}
		}
		batches = append(batches, float64(time.Since(start)))
	}
	if n := v.Stats().Misses; n != 1 {
		return nil, fmt.Errorf("%s: %d misses among the hits", a.name, n-1)
	}
	fetches := keys.Stats().Fetches
	least := 1
	if a.refresh > 0 {
		least += int(math.Floor(float64(length) / float64(a.refresh) / 4)) // on a busy machine
	}
	if fetches < least || a.refresh == 0 && fetches > 1 {
		return nil, fmt.Errorf("%s: %d fetches", a.name, fetches)
	}
	return batches, nil
}
