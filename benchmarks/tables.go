package main

import (
	"fmt"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/peers"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/render"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/subject"
)

const none = "–"

// librariesTable is all about one algorithm.
func librariesTable(m matrix, alg string) *render.Table {
	t := &render.Table{Header: []string{alg, "one core", "all cores", "time", "allocations", "bytes", "the job"}}
	for _, r := range m.of(alg, false, "") {
		if r.series == nil {
			t.Add(r.Who, none, none, none, none, none, job(r))
			continue
		}
		t.Add(r.Who, ratio(m, &r), ratio(m, m.find(alg, true, "", r.Who)),
			micros(r.series.Nanoseconds()), whole(r.series.Allocs()), whole(r.series.Bytes()), job(r))
	}
	return t
}

// ratiosTable compares the algorithms.
func ratiosTable(m matrix, parallel bool) *render.Table {
	t := &render.Table{Header: append([]string{"to bare cryptography"}, algorithms...)}
	for _, r := range m.of(algorithms[0], parallel, "") {
		row := []string{r.Who}
		for _, alg := range algorithms {
			row = append(row, ratio(m, m.find(alg, parallel, "", r.Who)))
		}
		t.Add(row...)
	}
	row := []string{"bare cryptography, time"}
	for _, alg := range algorithms {
		row = append(row, micros(m.find(alg, parallel, "", subject.Bare).series.Nanoseconds()))
	}
	t.Add(row...)
	return t
}

// routesTable is about whole middlewares: what they add to their route.
func routesTable(m matrix) *render.Table {
	t := &render.Table{Header: []string{"added to the route", "on", "one core", "all cores", "time", "allocations", "bytes", "the job"}}
	for _, route := range peers.Routes {
		alone := m.find(routed, false, route.On, subject.Alone)
		for _, r := range m.of(routed, false, route.On) {
			if r.Who == subject.Alone {
				continue
			}
			if r.series == nil {
				t.Add(r.Who, r.On, none, none, none, none, none, job(r))
				continue
			}
			t.Add(r.Who, r.On, figure(overhead(m, &r)), figure(overhead(m, m.find(routed, true, route.On, r.Who))),
				micros(r.series.Nanoseconds()-alone.series.Nanoseconds()),
				whole(r.series.Allocs()-alone.series.Allocs()), whole(r.series.Bytes()-alone.series.Bytes()), job(r))
		}
	}
	return t
}

func ratio(m matrix, r *result) string {
	if r == nil || r.series == nil {
		return none
	}
	return figure(r.series.Ratio(m.find(r.alg, r.parallel, "", subject.Bare).series))
}

// overhead is what r adds to its route, by the bare cryptography.
func overhead(m matrix, r *result) float64 {
	return r.series.Overhead(m.find(r.alg, r.parallel, r.On, subject.Alone).series, m.find(r.alg, r.parallel, "", subject.Bare).series)
}

func job(r result) string {
	switch {
	case r.Who == subject.Bare:
		return "reads no claims"
	case len(r.wrong) > 0:
		return strings.Join(r.wrong, ", ")
	}
	return "yes"
}

// figure keeps two figures of what is small and two decimals of the rest.
func figure(x float64) string {
	if x < 0.095 {
		return fmt.Sprintf("%.2g", x)
	}
	return fmt.Sprintf("%.2f", x)
}

func micros(ns float64) string {
	if ns < 1000 {
		return fmt.Sprintf("%.2g µs", ns/1000)
	}
	return fmt.Sprintf("%.1f µs", ns/1000)
}

func whole(x float64) string { return fmt.Sprintf("%.0f", max(x, 0)) }
