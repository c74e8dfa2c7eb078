package main

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/peers"
)

var algorithms = []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"}

// routed is the algorithm that whole middlewares are measured with.
const routed = "RS256"

// An effort is how much is measured.
type effort struct {
	Rounds int
	Slice  time.Duration
}

// A result is one subject with one algorithm.
type result struct {
	subject
	alg   string
	wrong []string // what it accepts or refuses and should not

	// On one core and on all; nil if it refuses good tokens.
	one, all measure.Series
}

type matrix []*result

// find returns nil if there is no such result.
func (m matrix) find(alg, on, who string) *result {
	for _, r := range m.of(alg, on) {
		if r.who == who {
			return r
		}
	}
	return nil
}

// of returns the results with alg, on some framework or "" for the libraries.
func (m matrix) of(alg, on string) (some []*result) {
	for _, r := range m {
		if r.alg == alg && r.on == on {
			some = append(some, r)
		}
	}
	return some
}

// measureAll checks every subject and measures those that accept good tokens.
func measureAll(ctx context.Context, e effort) (matrix, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var m matrix
	var cases []measure.Case
	var series []*measure.Series
	for _, alg := range algorithms {
		authority := peers.NewAuthority(alg)
		defer authority.Close()
		results := check(ctx, authority)
		m = append(m, results...)
		for _, r := range results {
			if len(r.wrong) > 0 && strings.HasPrefix(r.wrong[0], refuses) {
				continue
			}
			cases = append(cases,
				measure.Case{Name: r.who, Group: alg, Run: r.run, Workers: 1},
				measure.Case{Name: r.who, Group: alg + ", all cores", Run: r.run, Workers: runtime.GOMAXPROCS(0)})
			series = append(series, &r.one, &r.all)
		}
	}
	measured, err := measure.Rounds(cases, e.Rounds, e.Slice)
	for i, s := range measured {
		*series[i] = s
	}
	return m, err
}

// check sets up all subjects of one algorithm and finds out who does the job.
func check(ctx context.Context, a *peers.Authority) (m matrix) {
	s, bad := newStock(a), a.Bad()
	list := s.libraries(ctx)
	if a.Alg == routed {
		list = append(list, s.routes(ctx)...)
	}
	for _, one := range list {
		r := &result{subject: one, alg: a.Alg}
		if one.who != bare && one.who != alone {
			r.wrong = wrongs(one.try, s.warm, bad)
		}
		m = append(m, r)
	}
	return m
}

const refuses = "refuses a good token"

// wrongs returns what try does wrong: a good token that it refuses, a bad one
// that it accepts.
func wrongs(try peers.Verify, good string, bad map[string]string) (wrong []string) {
	if err := try(good); err != nil {
		wrong = append(wrong, fmt.Sprintf(refuses+" (%v)", err))
	}
	for _, what := range slices.Sorted(maps.Keys(bad)) {
		if try(bad[what]) == nil {
			wrong = append(wrong, "accepts "+what)
		}
	}
	return wrong
}
