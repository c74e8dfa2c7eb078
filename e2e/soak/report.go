package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// By how much the end may exceed the start.
const (
	heapSlack      = 4 << 20
	goroutineSlack = 3
)

// A report is what came of it.
type report struct {
	cfg           config
	took, lived   time.Duration // of the load, and of the caches
	apis          []*api
	stats         []jwkscache.Stats // of apis
	observed      []observedCounts  // of apis
	warm, tally   *tally
	before, after footprint
	events        events
	asked         int // key set requests that reached the authority
}

// broken returns the promises that were not kept.
func (r *report) broken() (all []string) {
	for _, t := range []*tally{r.warm, r.tally} {
		c := t.sum()
		for _, p := range []struct {
			n    int
			what string
		}{
			{c.denied, "good tokens refused"},
			{c.passed, "bad tokens accepted"},
			{c.odd, "answers other than promised"},
			{c.lost, "transport errors"},
		} {
			if p.n > 0 {
				all = append(all, fmt.Sprintf("%d %s", p.n, p.what))
			}
		}
		if c.good == 0 || c.bad == 0 {
			all = append(all, "nothing was tested")
		}
		all = append(all, t.examples...)
	}
	for i, st := range r.stats {
		if most := r.maxFetches(); st.Fetches > most {
			all = append(all, fmt.Sprintf("%d fetches of %s's cache, where %d are the most", st.Fetches, r.apis[i].name, most))
		}
	}
	for i, s := range r.observed {
		a, st, warm, tally := r.apis[i], r.stats[i], r.warm.apis[r.apis[i].url], r.tally.apis[r.apis[i].url]
		if requests, ok := warm.requests+tally.requests, warm.ok+tally.ok; s.decisions != requests || s.admitted != ok {
			all = append(all, fmt.Sprintf("%d decisions of %s were observed, %d admitted, of %d requests, %d admitted", s.decisions, a.name, s.admitted, requests, ok))
		}
		// The latest fetch may not have ended when the observer was read.
		if later, failed := st.Fetches-s.fetched, st.Failures-s.failed; later < 0 || later > 1 || failed < 0 || failed > later {
			all = append(all, fmt.Sprintf("%d fetches of %s's cache were observed, %d failed, of %d, %d failed", s.fetched, a.name, s.failed, st.Fetches, st.Failures))
		}
	}
	if r.after.heap > r.before.heap+heapSlack {
		all = append(all, "the heap has grown")
	}
	if r.after.goroutines > r.before.goroutines+goroutineSlack {
		all = append(all, "goroutines are left")
	}
	return all
}

// maxFetches is what the bucket allows: five fetches, and one more per cooldown.
func (r *report) maxFetches() int { return 5 + int(r.lived/cooldown) }

func (r *report) print(out io.Writer, markdown bool) {
	write := plain
	if markdown {
		write = markdownTable
	}
	fmt.Fprintf(out, "Soak: %s at %d requests/s.\n\n", r.took.Round(time.Second), r.cfg.rate)
	for _, table := range [][][]string{r.perAPI(), r.perKind(), r.whole()} {
		write(out, table)
		fmt.Fprintln(out)
	}
	broken := r.broken()
	for _, b := range broken {
		fmt.Fprintln(out, "BROKEN:", b)
	}
	if len(broken) == 0 {
		fmt.Fprintln(out, "Every promise was kept.")
	}
}

func (r *report) perAPI() [][]string {
	rows := []struct {
		name string
		of   func(c *count) string
	}{
		{"requests", func(c *count) string { return strconv.Itoa(c.requests) }},
		{"good tokens", func(c *count) string { return strconv.Itoa(c.good) }},
		{"good tokens refused", func(c *count) string { return strconv.Itoa(c.denied) }},
		{"bad tokens", func(c *count) string { return strconv.Itoa(c.bad) }},
		{"bad tokens accepted", func(c *count) string { return strconv.Itoa(c.passed) }},
		{"tokens that are neither", func(c *count) string { return strconv.Itoa(c.open) }},
		{"answers other than promised", func(c *count) string { return strconv.Itoa(c.odd) }},
		{"transport errors", func(c *count) string { return strconv.Itoa(c.lost) }},
		{"good tokens, p50", func(c *count) string { return quantile(c, 0.5) }},
		{"good tokens, p99", func(c *count) string { return quantile(c, 0.99) }},
		{"good tokens, p99.9", func(c *count) string { return quantile(c, 0.999) }},
	}
	table := [][]string{{"answers by API"}}
	for _, a := range r.apis {
		table[0] = append(table[0], a.name)
	}
	for _, row := range rows {
		line := []string{row.name}
		for _, a := range r.apis {
			line = append(line, row.of(r.tally.apis[a.url]))
		}
		table = append(table, line)
	}
	fetches, failures, most := []string{"fetches of its key cache"}, []string{"of these failed"}, []string{"fetches, at most"}
	for _, st := range r.stats {
		most = append(most, strconv.Itoa(r.maxFetches()))
		fetches = append(fetches, strconv.Itoa(st.Fetches))
		failures = append(failures, strconv.Itoa(st.Failures))
	}
	return append(table, fetches, most, failures)
}

func quantile(c *count, q float64) string {
	if c.good == 0 {
		return "-"
	}
	return c.latency.Quantile(q).Round(10 * time.Microsecond).String()
}

func (r *report) perKind() [][]string {
	statuses := []int{0, 200, 400, 401, 503}
	table := [][]string{{"answers by kind of token", "none", "200", "400", "401", "503", "other"}}
	for _, kind := range slices.Sorted(maps.Keys(r.tally.kinds)) {
		line, other := []string{kind}, 0
		for status, n := range r.tally.kinds[kind] {
			if !slices.Contains(statuses, status) {
				other += n
			}
		}
		for _, status := range statuses {
			line = append(line, strconv.Itoa(r.tally.kinds[kind][status]))
		}
		table = append(table, append(line, strconv.Itoa(other)))
	}
	return table
}

func (r *report) whole() [][]string {
	e := r.events
	return [][]string{
		{"the authorization server and this process", ""},
		{"rotations with overlap", strconv.Itoa(e.planned)},
		{"rotations without overlap", strconv.Itoa(e.abrupt)},
		{"rotations during an outage", strconv.Itoa(e.away)},
		{"restarts", strconv.Itoa(e.restarts)},
		{"times of status 500", strconv.Itoa(e.fails)},
		{"times of hanging", strconv.Itoa(e.hangs)},
		{"key set requests that reached it", strconv.Itoa(r.asked)},
		{"heap in use, start", mib(r.before.heap)},
		{"heap in use, end", mib(r.after.heap)},
		{"the machine's own delays, p99", r.tally.late.Quantile(0.99).Round(10 * time.Microsecond).String()},
		{"the machine's own delays, p99.9", r.tally.late.Quantile(0.999).Round(10 * time.Microsecond).String()},
		{"goroutines, start", strconv.Itoa(r.before.goroutines)},
		{"goroutines, end", strconv.Itoa(r.after.goroutines)},
	}
}

func mib(n uint64) string { return fmt.Sprintf("%.2f MiB", float64(n)/(1<<20)) }

func plain(out io.Writer, table [][]string) {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	for _, line := range table {
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	_ = w.Flush()
}

func markdownTable(out io.Writer, table [][]string) {
	for i, line := range table {
		fmt.Fprintln(out, "| "+strings.Join(line, " | ")+" |")
		if i == 0 {
			fmt.Fprintln(out, "|---|"+strings.Repeat("---:|", len(line)-1))
		}
	}
}
