package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/subject"
)

var algorithms = []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"}

// routed is the algorithm that whole middlewares are measured with.
const routed = "RS256"

// An effort is how much is measured.
type effort struct {
	Rounds int
	Slice  time.Duration
}

// A result is one subject with one algorithm, alone or with its equals on all
// cores.
type result struct {
	subject.Subject
	alg      string
	parallel bool
	wrong    []string       // what it accepts or refuses and should not
	series   measure.Series // nil if it refuses good tokens
}

type matrix []result

// find returns nil if there is no such result.
func (m matrix) find(alg string, parallel bool, on, who string) *result {
	for i, r := range m {
		if r.alg == alg && r.parallel == parallel && r.On == on && r.Who == who {
			return &m[i]
		}
	}
	return nil
}

// of returns the results with alg, on some framework or "" for the libraries.
func (m matrix) of(alg string, parallel bool, on string) (some []result) {
	for _, r := range m {
		if r.alg == alg && r.parallel == parallel && r.On == on {
			some = append(some, r)
		}
	}
	return some
}

func (r result) group() string { return fmt.Sprintf("%s, parallel: %t", r.alg, r.parallel) }

// measureAll checks every subject and measures those that accept good tokens.
func measureAll(ctx context.Context, server *authority.Server, e effort) (matrix, error) {
	all, err := subjects(ctx, server)
	if err != nil {
		return nil, err
	}
	var cases []measure.Case
	var at []int
	for i, r := range all {
		if refusesGood(r.wrong) {
			continue
		}
		workers := 1
		if r.parallel {
			workers = runtime.GOMAXPROCS(0)
		}
		cases = append(cases, measure.Case{Name: r.Who, Group: r.group(), Run: r.Run, Workers: workers})
		at = append(at, i)
	}
	series, err := measure.Rounds(cases, e.Rounds, e.Slice)
	if err != nil {
		return nil, err
	}
	for i, s := range series {
		all[at[i]].series = s
	}
	return all, nil
}

func subjects(ctx context.Context, server *authority.Server) (all matrix, err error) {
	for _, alg := range algorithms {
		stock, err := subject.NewStock(server.Signers[alg])
		if err != nil {
			return nil, err
		}
		bad, err := server.Signers[alg].Bad()
		if err != nil {
			return nil, err
		}
		list, err := subject.Libraries(ctx, stock)
		if err != nil {
			return nil, err
		}
		if alg == routed {
			routes, err := subject.Routes(ctx, stock)
			if err != nil {
				return nil, err
			}
			list = append(list, routes...)
		}
		for _, s := range list {
			var wrong []string
			if s.Who != subject.Bare && s.Who != subject.Alone {
				wrong = subject.Check(s, stock.Warm, bad)
			}
			for _, parallel := range []bool{false, true} {
				all = append(all, result{Subject: s, alg: alg, parallel: parallel, wrong: wrong})
			}
		}
	}
	return all, nil
}

func refusesGood(wrong []string) bool {
	return len(wrong) > 0 && strings.HasPrefix(wrong[0], "refuses")
}
