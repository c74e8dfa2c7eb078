package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"golang.org/x/perf/benchmath"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/peers"
)

// A table has rows of as many cells as the first, the header.
type table [][]string

// Markdown returns t as a table of GitHub's Markdown.
func (t table) Markdown() string {
	rule := "| ---" + strings.Repeat(" | --:", len(t[0])-1) + " |\n"
	var b strings.Builder
	for i, row := range t {
		b.WriteString("| " + strings.ReplaceAll(strings.Join(row, "\x00"), "|", `\|`) + " |\n")
		if i == 0 {
			b.WriteString(rule)
		}
	}
	return strings.ReplaceAll(b.String(), "\x00", " | ")
}

// Text returns t with aligned columns.
func (t table) Text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range t {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush() // a Builder does not fail
	return b.String()
}

const none = "–"

// librariesTable is all about one algorithm.
func librariesTable(m matrix, alg string) table {
	t := table{{alg, "one core", "all cores", "time", "allocations", "bytes", "the job"}}
	for _, r := range m.of(alg, "") {
		nothing := make(measure.Series, len(r.one))
		t = append(t, append([]string{r.who}, costs(m, r, &result{one: nothing, all: nothing})...))
	}
	return t
}

// routesTable is about whole middlewares: what they add to their route.
func routesTable(m matrix) table {
	t := table{{"added to the route", "on", "one core", "all cores", "time", "allocations", "bytes", "the job"}}
	for _, route := range peers.Routes {
		plain := m.find(routed, route.On, alone)
		for _, r := range m.of(routed, route.On) {
			if r != plain {
				t = append(t, append([]string{r.who, r.on}, costs(m, r, plain)...))
			}
		}
	}
	return t
}

// costs are the cells of r: what it takes longer than without.
func costs(m matrix, r, without *result) []string {
	if r.one == nil {
		return []string{none, none, none, none, none, job(r)}
	}
	base := m.find(r.alg, "", bare)
	return []string{
		spread(r.one.Overhead(without.one, base.one)), spread(r.all.Overhead(without.all, base.all)),
		micros(r.one.Nanoseconds().Center - without.one.Nanoseconds().Center),
		whole(r.one.Allocs() - without.one.Allocs()), whole(r.one.Bytes() - without.one.Bytes()), job(r),
	}
}

// ratiosTable compares the algorithms.
func ratiosTable(m matrix, series func(*result) measure.Series) table {
	t := table{append([]string{"to bare cryptography"}, algorithms...)}
	times := []string{bare + ", time"}
	for _, r := range m.of(algorithms[0], "") {
		row := []string{r.who}
		for _, alg := range algorithms {
			s, base := series(m.find(alg, "", r.who)), series(m.find(alg, "", bare))
			if r.who == bare {
				times = append(times, micros(base.Nanoseconds().Center))
			}
			if s == nil {
				row = append(row, none)
				continue
			}
			row = append(row, spread(s.Ratio(base)))
		}
		t = append(t, row)
	}
	return append(t, times)
}

func oneCore(r *result) measure.Series  { return r.one }
func allCores(r *result) measure.Series { return r.all }

func job(r *result) string {
	switch {
	case r.who == bare:
		return "reads no claims"
	case len(r.wrong) > 0:
		return strings.Join(r.wrong, ", ")
	}
	return "yes"
}

// spread is a median and its interval of confidence; bare cryptography is 1 to
// itself.
func spread(s benchmath.Summary) string {
	if s.Lo == s.Hi {
		return figure(s.Center)
	}
	return figure(s.Center) + " ±" + s.PctRangeString()
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
