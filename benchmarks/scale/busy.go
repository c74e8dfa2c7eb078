package scale

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/render"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// liveTokens sends so many tokens round and round, and the longest list once.
func liveTokens(ctx context.Context, i *issuer, e Effort) (Part, error) {
	t := &render.Table{Header: []string{"tokens", "TokenCache", "rounds", "hits", "remembered", "heap grew by"}}
	for _, n := range e.upTo(1000, 4000, 10_000, 100_000) {
		for _, size := range []int{4096, 1 << 20} {
			v, err := i.open(iss, 1, size)
			if err != nil {
				return Part{}, err
			}
			tokens := make([]string, n)
			for k := range tokens {
				tokens[k] = i.token(iss, k, 0)
			}
			rounds := max(1, 20_000/n) + 1
			before := heap()
			for range rounds {
				for _, raw := range tokens {
					if _, err := v.Verify(ctx, raw); err != nil {
						return Part{}, err
					}
				}
			}
			s, after := v.Stats(), heap()
			t.Add(fmt.Sprint(n), fmt.Sprint(size), fmt.Sprint(rounds), fmt.Sprintf("%.0f %%", 100*float64(s.Hits)/float64(s.Hits+s.Misses)),
				fmt.Sprint(s.Tokens), fmt.Sprintf("%.1f MiB", max(0, float64(after)-float64(before))/(1<<20)))
			if _, err := v.Verify(ctx, tokens[0]); err != nil { // and so is alive until here
				return Part{}, err
			}
		}
	}
	return Part{"Tokens alive", "All in turn, which is the hardest order for a cache: a hit needs a token that came a whole round ago. 16 MiB are the bound where TokenCache is not. A million distinct tokens are a test: `go test -run FlatMemory ./verifier -tokens 1000000`.", t}, nil
}

// goroutines share one remembered token.
func goroutines(ctx context.Context, i *issuer, e Effort) (Part, error) {
	v, err := i.open(iss, 1, 0)
	if err != nil {
		return Part{}, err
	}
	run, err := repeated(ctx, v, i.token(iss, 0, 300))
	if err != nil {
		return Part{}, err
	}
	sizes := e.upTo(1, 2, 10, 100, 1000, 10_000)
	var cases []measure.Case
	for _, n := range sizes {
		cases = append(cases, measure.Case{Name: fmt.Sprint(n), Group: "goroutines", Run: run, Workers: n})
	}
	series, err := measure.Rounds(cases, e.Rounds, 5*e.Slice) // goroutines have to start
	if err != nil {
		return Part{}, err
	}
	t := &render.Table{Header: []string{"goroutines", "throughput"}}
	for k, n := range sizes {
		t.Add(fmt.Sprint(n), ratio(series[0].Ratio(series[k])))
	}
	return Part{"Goroutines", "Hits of one token, relative to one goroutine. Starting the goroutines counts.", t}, nil
}

// whileKeysChange compares hits in quiet with hits while the keys are refreshed
// all the time and rotate.
func whileKeysChange(ctx context.Context, i *issuer, e Effort) (Part, error) {
	var busy atomic.Bool
	var n atomic.Int64
	one := i.keySet(1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		set := one
		if busy.Load() { // another second key each time
			set = strings.Replace(i.keySet(2), `"k1"`, fmt.Sprintf(`"k%d"`, n.Add(1)), 1)
		}
		fmt.Fprint(w, set)
	}))
	defer srv.Close()
	changing, err := jwkscache.ForURL(srv.URL, jwkscache.Config{Refresh: 20 * time.Millisecond})
	if err != nil {
		return Part{}, err
	}
	defer changing.Close()
	if err := changing.Ready(ctx); err != nil {
		return Part{}, err
	}
	busy.Store(true)
	quiet, err := i.open(iss, 2, 0)
	if err != nil {
		return Part{}, err
	}
	changes, err := open(iss, changing, 0)
	if err != nil {
		return Part{}, err
	}
	raw := i.token(iss, 0, 300)
	var samples [2][]float64
	for range e.Rounds * 10 {
		for k, v := range []*verifier.Verifier{quiet, changes} {
			if err := sample(ctx, v, raw, 200, &samples[k]); err != nil {
				return Part{}, err
			}
		}
	}
	t := &render.Table{Header: []string{"batches of 100 hits", "p50", "p99", "p99.9"}}
	row := []string{"refreshed every 20 ms, a new key each time, to quiet"}
	for _, p := range []float64{0.5, 0.99, 0.999} {
		row = append(row, ratio(percentile(samples[1], p)/percentile(samples[0], p)))
	}
	t.Add(row...)
	return Part{"Keys that change", fmt.Sprintf("Two goroutines at a time. The key set was rotated %d times. The server and the fetches run on the same cores.", n.Load()), t}, nil
}

// sample times n batches of 100 hits on each of two goroutines.
func sample(ctx context.Context, v *verifier.Verifier, raw string, n int, all *[]float64) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range 2 {
		wg.Go(func() {
			var own []float64
			var err error
			for range n {
				start := time.Now()
				for range 100 {
					if _, err = v.Verify(ctx, raw); err != nil {
						break
					}
				}
				own = append(own, float64(time.Since(start)))
			}
			mu.Lock()
			defer mu.Unlock()
			*all = append(*all, own...)
			if err != nil {
				failed = err
			}
		})
	}
	wg.Wait()
	return failed
}

func percentile(values []float64, p float64) float64 {
	slices.Sort(values)
	return values[min(len(values)-1, int(p*float64(len(values))))]
}
