package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/perf/benchmath"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/peers"
)

// limits are what the guard allows, to bare cryptography.
type limits struct{ verify, miss, hit, hostile float64 }

// A finding is what something takes, to bare cryptography.
type finding struct {
	what  string
	ratio benchmath.Summary
	may   float64
}

// guard prints what it finds and returns what is too slow: all of its interval of
// confidence is, and so it was when looked at once more and longer. A busy machine
// is not a slow library.
func guard(w io.Writer, look func(times int) ([]finding, error)) (complaints []string, err error) {
	for times := 1; times <= 2; times++ {
		found, err := look(times)
		if err != nil {
			return nil, err
		}
		complaints = nil
		for _, f := range found {
			fmt.Fprintf(w, "%-14s %s\n", spread(f.ratio), f.what)
			if f.ratio.Lo > f.may {
				complaints = append(complaints, fmt.Sprintf("%s takes %s of bare cryptography, more than %g", f.what, spread(f.ratio), f.may))
			}
		}
		if len(complaints) == 0 {
			break
		}
	}
	return complaints, nil
}

// accepted measures good tokens.
func accepted(ctx context.Context, l limits, e effort, algs []string) (found []finding, err error) {
	for _, alg := range algs {
		series, err := measured(alg, e, func(s *stock) []subject { return s.guarded(ctx) })
		if err != nil {
			return nil, err
		}
		ratio := func(who string) benchmath.Summary { return series[who].Ratio(series[bare]) }
		found = append(found,
			finding{alg + ": verifying a token", ratio(off), l.verify},
			finding{alg + ": verifying and remembering one", ratio(miss), l.miss},
			finding{alg + ": a token seen before", ratio(hit), l.hit})
	}
	return found, nil
}

// refused measures tokens that nobody signed.
func refused(l limits, e effort, alg string) (found []finding, err error) {
	series, err := measured(alg, e, func(s *stock) []subject {
		return append(s.hostile(), subject{who: bare, run: s.over(peers.Bare(s.Authority))})
	})
	for who, s := range series {
		if who != bare {
			found = append(found, finding{"refusing a hostile token (" + who + ")", s.Ratio(series[bare]), l.hostile})
		}
	}
	return found, err
}

// measured returns the series of some subjects of one algorithm, by name.
func measured(alg string, e effort, subjects func(*stock) []subject) (map[string]measure.Series, error) {
	authority := peers.NewAuthority(alg)
	defer authority.Close()
	list := subjects(newStock(authority))
	var cases []measure.Case
	for _, one := range list {
		cases = append(cases, measure.Case{Name: one.who, Group: alg, Run: one.run, Workers: 1})
	}
	series, err := measure.Rounds(cases, e.Rounds, e.Slice)
	byName := make(map[string]measure.Series)
	for i := range series {
		byName[list[i].who] = series[i]
	}
	return byName, err
}

// guardAll is what CI runs.
func guardAll(ctx context.Context, w io.Writer, l limits) ([]string, error) {
	slow, err := guard(w, func(times int) ([]finding, error) {
		return accepted(ctx, l, effort{60 * times, 20 * time.Millisecond}, []string{"RS256", "ES256", "EdDSA"})
	})
	if err != nil {
		return nil, err
	}
	more, err := guard(w, func(times int) ([]finding, error) {
		return refused(l, effort{25 * times, 2 * time.Millisecond}, "RS256")
	})
	return append(slow, more...), err
}
