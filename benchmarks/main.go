package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/scale"
)

func main() {
	guarding := flag.Bool("guard", false, "only tell whether the library is fast enough, by the exit status")
	dir := flag.String("report", "", "measure long, and write performance.md and its charts into this directory")
	redraw := flag.String("charts", "", "only draw the charts of this directory's performance.md again, from the figures of the last -report")
	date := flag.String("date", "", "the date of the report (default today)")
	rounds := flag.Int("rounds", 0, "measure this many rounds (default 14, with -report 85)")
	var l limits
	flag.Float64Var(&l.verify, "verify", 1.25, "with -guard: what verifying a token may take, to bare cryptography")
	flag.Float64Var(&l.miss, "miss", 1.35, "with -guard: what verifying and remembering one may take")
	flag.Float64Var(&l.hit, "hit", 0.02, "with -guard: what a token seen before may take")
	flag.Float64Var(&l.hostile, "hostile", 3, "with -guard: what refusing a token that nobody signed may take")
	flag.Parse()
	if flag.NArg() > 0 || *rounds < 0 || *guarding && *dir != "" || *redraw != "" && (*guarding || *dir != "") {
		flag.Usage()
		os.Exit(2)
	}
	if *redraw != "" {
		exit(redrawCharts(filepath.Join(*redraw, "performance")))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *guarding {
		os.Exit(runGuard(ctx, l))
	}
	e := effort{14, 12 * time.Millisecond}
	if *dir != "" {
		e = effort{85, 20 * time.Millisecond}
	}
	if *rounds > 0 {
		e.Rounds = *rounds
	}
	exit(run(ctx, os.Stdout, e, *dir, *date))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmarks:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func runGuard(ctx context.Context, l limits) (status int) {
	complaints, err := guard(os.Stdout, l, measureGuarded(ctx, []string{"RS256", "ES256", "EdDSA"}))
	if err == nil {
		var more []string
		more, err = guardHostile(os.Stdout, l, measureHostile("RS256"))
		complaints = append(complaints, more...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmarks:", err)
		return 1
	}
	for _, c := range complaints {
		fmt.Fprintln(os.Stderr, c)
	}
	return min(len(complaints), 1)
}

// run measures, prints, and writes the report if there is a directory for it.
func run(ctx context.Context, w io.Writer, e effort, dir, date string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server, err := authority.New(algorithms...)
	if err != nil {
		return err
	}
	defer server.Close()
	var parts []scale.Part
	if dir != "" { // before the pools of tokens fill the heap
		if parts, err = scale.Parts(ctx, scale.Effort{Rounds: 20, Slice: e.Slice, Largest: 100_000}); err != nil {
			return err
		}
	}
	m, err := measureAll(ctx, server, e)
	if err != nil {
		return err
	}
	faults, err := faultsTable(ctx)
	if err != nil {
		return err
	}
	r := newReport(m, faults, parts, e, machine(date))
	r.print(w)
	if dir == "" {
		return nil
	}
	return r.write(dir, m)
}
