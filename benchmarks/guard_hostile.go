package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/subject"
)

// A refused is what refusing one kind of hostile token takes, to the bare
// cryptography of a good one.
type refused struct {
	kind  string
	ratio float64
}

// guardHostile measures tokens that nobody signed.
func guardHostile(w io.Writer, l limits, measured func(effort) ([]refused, error)) ([]string, error) {
	return twice(effort{25, 2 * time.Millisecond}, effort{60, 3 * time.Millisecond}, func(e effort) (complaints []string, err error) {
		found, err := measured(e)
		slices.SortFunc(found, func(a, b refused) int { return cmp.Compare(b.ratio, a.ratio) })
		for _, r := range found {
			fmt.Fprintf(w, "%.2f  %s\n", r.ratio, r.kind)
			if r.ratio > l.hostile {
				complaints = append(complaints, fmt.Sprintf("refusing a hostile token (%s) takes %.2f of bare cryptography, more than %g", r.kind, r.ratio, l.hostile))
			}
		}
		return complaints, err
	})
}

// measureHostile measures each kind beside the bare cryptography of alg.
func measureHostile(alg string) func(effort) ([]refused, error) {
	return func(e effort) ([]refused, error) {
		server, err := authority.New(alg)
		if err != nil {
			return nil, err
		}
		defer server.Close()
		stock, err := subject.NewStock(server.Signers[alg])
		if err != nil {
			return nil, err
		}
		bare, err := subject.Cryptography(stock)
		if err != nil {
			return nil, err
		}
		hostile, err := subject.Hostile(server.Signers[alg])
		if err != nil {
			return nil, err
		}
		var cases []measure.Case
		for _, s := range hostile {
			for _, c := range []subject.Subject{bare, s} {
				cases = append(cases, measure.Case{Name: c.Who, Group: s.Who, Run: c.Run, Workers: 1})
			}
		}
		series, err := measure.Rounds(cases, e.Rounds, e.Slice)
		if err != nil {
			return nil, err
		}
		var found []refused
		for i, s := range hostile {
			found = append(found, refused{s.Who, series[2*i+1].Fastest() / series[2*i].Fastest()})
		}
		return found, nil
	}
}
