package main

import (
	"fmt"
	"io"
	"strings"
)

// table prints what was served and refused in which step, and the bounds.
func (r *report) table(out io.Writer) {
	const row = "%5s  %-48s %8s %8s %9s %8s %8s %8s %8s\n"
	fmt.Fprintf(out, "\n%-56s %s %s\n", "", "------ good tokens ------", "----- bad ones served -----")
	fmt.Fprintf(out, row, "from", "step", "served", "refused", "slowest", "revoked", "replayed", "expired", "fetches")
	for i, f := range r.figures {
		s, replayed := r.steps[i], number(f.replayed)
		if f.fallback > 0 {
			replayed += " +" + number(f.fallback)
		}
		fmt.Fprintf(out, row, fmt.Sprintf("%.0f s", s.from.Seconds()), fmt.Sprintf("%d. %s", i+1, s.title), number(f.served), number(f.refused),
			milliseconds(f.slowest), number(f.revoked), replayed, number(f.expired), number(f.fetches))
	}
	fmt.Fprintln(out)
	for _, line := range r.remarks() {
		fmt.Fprintln(out, line)
	}
	fmt.Fprintln(out)
	for _, l := range r.limits() {
		mark := "kept"
		if !l.kept {
			mark = "BROKEN"
		}
		fmt.Fprintf(out, "%-6s  %-72s %s\n", mark, l.promise, l.seen)
	}
}

// remarks are sentences on what the table does not show.
func (r *report) remarks() (lines []string) {
	if n := r.sum(func(f figures) int { return f.fallback }); n > 0 {
		lines = append(lines, fmt.Sprintf("+  While Redis is away, each replica knows only the proofs that it has seen itself: it served\n   %s that another one had served before (Fallback in api/protection.go).", number(n)))
	}
	for _, k := range []kind{revoked, revokedAway} {
		if v, found := r.revocations[k]; found {
			lines = append(lines, r.remark(k, v))
		}
	}
	var starts []string
	for _, s := range r.launches {
		text := fmt.Sprintf("%s within %s", s.name, milliseconds(s.took))
		if s.noIssuer {
			text += " without the issuer"
		}
		starts = append(starts, text)
	}
	lines = append(lines, "-  Ready after their start: "+strings.Join(starts, ", ")+".")
	if n := r.sum(func(f figures) int { return f.cutOff }); n > 0 {
		lines = append(lines, fmt.Sprintf("-  %s requests were under way when their replica was killed, and got no response.", number(n)))
	}
	return lines
}

// remark says how soon a revocation was known.
func (r *report) remark(k kind, v revocation) string {
	since := "then"
	if k == revokedAway {
		since = "the return of Redis"
	}
	last := "no replica served the token"
	if l := r.lastServed[k]; l.by > 0 {
		last = fmt.Sprintf("it took %s until all refused the token, replica %d as the last", milliseconds(l.by), l.event.replica)
	}
	return fmt.Sprintf("-  Replica %d confirmed its revocation after %s. From %s on, %s.", v.replica, milliseconds(v.confirmed-v.asked), since, last)
}
