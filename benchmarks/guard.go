package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/subject"
)

// limits are what the guard allows, to bare cryptography.
type limits struct{ verify, miss, hit, hostile float64 }

// A guarded is what the guard found with one algorithm.
type guarded struct {
	alg               string
	verify, miss, hit float64
}

// tooSlow returns what is beyond the limits, one sentence each.
func tooSlow(found []guarded, l limits) (complaints []string) {
	for _, g := range found {
		for _, row := range []struct {
			what    string
			is, may float64
		}{
			{"verifying a token", g.verify, l.verify},
			{"verifying and remembering one", g.miss, l.miss},
			{"a token seen before", g.hit, l.hit},
		} {
			if row.is > row.may {
				complaints = append(complaints, fmt.Sprintf("%s: %s takes %.4f of bare cryptography, more than %g", g.alg, row.what, row.is, row.may))
			}
		}
	}
	return complaints
}

// twice looks, and once more and longer before it complains: a busy machine is
// not a slow library.
func twice(first, longer effort, look func(effort) (complaints []string, err error)) ([]string, error) {
	complaints, err := look(first)
	if err == nil && len(complaints) > 0 {
		complaints, err = look(longer)
	}
	return complaints, err
}

// guard measures good tokens.
func guard(w io.Writer, l limits, measured func(effort) ([]guarded, error)) ([]string, error) {
	return twice(effort{60, 20 * time.Millisecond}, effort{120, 20 * time.Millisecond}, func(e effort) ([]string, error) {
		found, err := measured(e)
		for _, g := range found {
			fmt.Fprintf(w, "%s  verified %.3f  verified and remembered %.3f  seen before %.4f\n", g.alg, g.verify, g.miss, g.hit)
		}
		return tooSlow(found, l), err
	})
}

// measureGuarded measures this library's rows and bare cryptography only.
func measureGuarded(ctx context.Context, algs []string) func(effort) ([]guarded, error) {
	return func(e effort) ([]guarded, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		server, err := authority.New(algs...)
		if err != nil {
			return nil, err
		}
		defer server.Close()
		var cases []measure.Case
		for _, alg := range algs {
			list, err := guardedSubjects(ctx, server.Signers[alg])
			if err != nil {
				return nil, err
			}
			for _, s := range list {
				cases = append(cases, measure.Case{Name: s.Who, Group: alg, Run: s.Run, Workers: 1})
			}
		}
		series, err := measure.Rounds(cases, e.Rounds, e.Slice)
		if err != nil {
			return nil, err
		}
		var found []guarded
		for i, alg := range algs {
			bare, hit, miss, off := series[4*i], series[4*i+1], series[4*i+2], series[4*i+3]
			found = append(found, guarded{alg, off.Ratio(bare), miss.Ratio(bare), hit.Ratio(bare)})
		}
		return found, nil
	}
}

// guardedSubjects are four: bare cryptography, a hit, a miss, and a verification
// without the token cache.
func guardedSubjects(ctx context.Context, s *authority.Signer) ([]subject.Subject, error) {
	stock, err := subject.NewStock(s)
	if err != nil {
		return nil, err
	}
	bare, err := subject.Cryptography(stock)
	if err != nil {
		return nil, err
	}
	ours, err := subject.Ours(ctx, stock)
	if err != nil {
		return nil, err
	}
	return append([]subject.Subject{bare}, ours...), nil
}
