// Bcp shows that the tests named in docs/bcp.md prove what the page says. For each point it
// breaks the code that meets the point, by one of the mutants of the files mutants_*.go. It
// demands that each of the tests named there then fails, and that it passes without.
//
//	go run ./bcp
//	go run ./bcp -stale
//
// A mutant replaces a text that stands exactly once in its file, within a function. All
// mutants are compiled into one test binary per package, with go build's -overlay: a
// function begins with one copy of its body for each of its mutants, and an environment
// variable chooses. A mutant that does not compile fails the build and not a test.
//
// The page and the table of mutants are compared both ways: each test of a point has a
// mutant that breaks this point, and each mutant has a point that names its test. A point
// that no code here meets says so instead of naming tests. -stale compares only, and looks
// for the text of each mutant. The exit status is 1 where any of this is not so.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

var errNotProved = errors.New("the page is not proved")

func main() {
	root := flag.String("root", "../..", "the `directory` of the module")
	stale := flag.Bool("stale", false, "only compare the page, the mutants and the source")
	verbose := flag.Bool("v", false, "print every test that fails as it should")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	out := io.Discard
	if *verbose {
		out = os.Stdout
	}
	if err := run(ctx, *root, mutants, *stale, os.Stdout, out); err != nil {
		fmt.Fprintln(os.Stderr, "bcp:", err)
		os.Exit(1)
	}
}

// run compares the page in root with the mutants and, unless only what is stale is asked
// for, runs its tests. It writes what is wrong and a summary to w, and each test that
// fails as it should to log.
func run(ctx context.Context, root string, mutants []mutant, stale bool, w, log io.Writer) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "bcp.md"))
	if err != nil {
		return err
	}
	points, err := readPage(string(text))
	if err != nil {
		return err
	}
	wrong := compare(points, mutants)
	for _, line := range wrong {
		fmt.Fprintln(w, line)
	}
	dir, err := os.MkdirTemp("", "bcp")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	config, err := writeMutants(root, dir, mutants)
	switch {
	case err != nil:
		return err
	case stale && len(wrong) > 0:
		return errNotProved
	case stale:
		return nil
	}
	start := time.Now()
	tests, err := build(ctx, root, dir, config, mutants)
	if err != nil {
		return err
	}
	built := time.Since(start)
	failed, err := tests.try(ctx, mutants, w, log)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d points, %d mutants, %d tests, %d of %d runs as they should be; %s, of which %s built\n",
		len(points), len(mutants), len(tests.names), tests.runs-failed, tests.runs, time.Since(start).Round(time.Second), built.Round(time.Second))
	if failed > 0 || len(wrong) > 0 {
		return errNotProved
	}
	return nil
}

// compare returns what the page says and the mutants do not, and the other way round.
func compare(points []point, mutants []mutant) (wrong []string) {
	type pair struct{ point, test string }
	onPage, broken := map[pair]bool{}, map[pair]bool{}
	exists := map[string]bool{}
	for _, p := range points {
		exists[p.name] = true
		for _, t := range p.tests {
			onPage[pair{p.name, t}] = true
		}
	}
	for i := range mutants {
		m := &mutants[i]
		for _, t := range m.tests {
			_, name, _ := strings.Cut(t, ".")
			named := false
			for _, p := range m.points {
				broken[pair{p, name}] = true
				named = named || onPage[pair{p, name}]
			}
			if !named {
				wrong = append(wrong, fmt.Sprintf("%s: no point of %s names %s", m, strings.Join(m.points, ", "), name))
			}
		}
		for _, p := range m.points {
			if !exists[p] {
				wrong = append(wrong, fmt.Sprintf("%s: the page has no point %s", m, p))
			}
		}
	}
	for _, p := range points {
		for _, t := range p.tests {
			if !broken[pair{p.name, t}] {
				wrong = append(wrong, fmt.Sprintf("line %d: no mutant breaks %s for %s", p.line, p.name, t))
			}
		}
	}
	return wrong
}
