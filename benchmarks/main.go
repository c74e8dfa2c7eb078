// Benchmarks compares jwtguard with bare cryptography and with other libraries:
// what verifying a token costs, and what a whole middleware adds to a request.
//
//	go run .                    # the tables, in about a minute
//	go run . -guard             # exit status 1 if the library became slow
//	go run . -report ../docs    # five minutes; writes performance.md and charts
//
// Everything runs in this process, in slices taken in turn. Only ratios mean
// anything. It is a module of its own whose dependencies reach nobody else.
//
// The packages: peers sets up the libraries and the server whose tokens they
// verify, measure measures, render draws. The text of docs/performance.md is in
// performance.md.tmpl.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	guarding := flag.Bool("guard", false, "only report whether the library is fast enough, by the exit status")
	dir := flag.String("report", "", "measure long, and write performance.md and its charts into this directory")
	rounds := flag.Int("rounds", 0, "measure this many rounds (default 14, with -report 85)")
	var l limits
	flag.Float64Var(&l.verify, "verify", 1.25, "with -guard: what verifying a token may take, to bare cryptography")
	flag.Float64Var(&l.miss, "miss", 1.35, "with -guard: what verifying and remembering one may take")
	flag.Float64Var(&l.hit, "hit", 0.02, "with -guard: what a token seen before may take")
	flag.Float64Var(&l.hostile, "hostile", 3, "with -guard: what refusing a token that nobody signed may take")
	flag.Parse()
	if flag.NArg() > 0 || *rounds < 0 || *guarding && *dir != "" {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *guarding {
		complaints, err := guardAll(ctx, os.Stdout, l)
		for _, c := range complaints {
			fmt.Fprintln(os.Stderr, c)
		}
		exit(err, len(complaints) > 0)
	}
	e := effort{14, 12 * time.Millisecond}
	if *dir != "" {
		e = effort{85, 20 * time.Millisecond}
	}
	if *rounds > 0 {
		e.Rounds = *rounds
	}
	exit(compare(ctx, e, *dir), false)
}

func exit(err error, failed bool) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmarks:", err)
	}
	if err != nil || failed {
		os.Exit(1)
	}
	os.Exit(0)
}

// compare measures, prints, and writes the report if there is a directory for
// it.
func compare(ctx context.Context, e effort, dir string) error {
	m, err := measureAll(ctx, e)
	if err != nil {
		return err
	}
	r := newReport(m, e, machine())
	r.print(os.Stdout)
	if dir == "" {
		return nil
	}
	return r.write(dir, charts(m))
}
