package faults

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	rounds    = 7
	perRound  = 300                    // at least: 2,100 tokens a side
	roundTime = 250 * time.Millisecond // at least
	attempts  = 5
	ratioMost = 2.0
)

// p99 sends good tokens, one after the other, and returns the 99th percentile.
// Each is accepted.
func p99(t *testing.T, a *api, token string) time.Duration {
	t.Helper()
	took := make([]time.Duration, 0, 10*perRound)
	for start := time.Now(); len(took) < perRound || time.Since(start) < roundTime; {
		began := time.Now()
		rec := a.ask(token)
		took = append(took, time.Since(began))
		require.Equal(t, http.StatusOK, rec.Code, "a good token was refused: %s", rec.Body)
		require.Less(t, time.Since(start), 10*time.Second, "good tokens are kept waiting")
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// compare measures two APIs in turn, a in the quiet and b in the storm, and
// returns the medians of their rounds' p99: one hiccup of the machine spoils a
// round, not the result.
func compare(t *testing.T, a, b *api, s *storm, token string, stranger func() string) (quiet, stormy time.Duration) {
	t.Helper()
	var qs, ss []time.Duration
	for range rounds {
		qs = append(qs, p99(t, a, token))
		s.rage(b, stranger)
		func() {
			defer s.lull()
			ss = append(ss, p99(t, b, token))
		}()
	}
	return median(qs), median(ss)
}
