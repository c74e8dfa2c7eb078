// Mutate asks whether the tests would notice if the code were wrong. It makes
// one small change at a time (a mutant: a condition forced, a bound moved, a
// statement left out, an error dropped) and runs the tests that guard the
// package. A mutant that no test fails for has survived: a test is missing, the
// code is not needed, or the change cannot matter, which explained.txt then
// says and why.
//
//	go run . ./verifier ./jwkscache ./internal/jose
//	go run . -every 20 ./verifier ./jwkscache ./internal/jose
//	go run . -stale ./verifier ./jwkscache ./internal/jose
//
// All mutants are compiled into one test binary per package, in a copy of the
// module; an environment variable chooses the one that is active. First each test
// runs alone without a mutant, and records which mutants would have made a
// difference (a condition forced true where it was false, a statement left out
// where it ran). Then each mutant is tried with only these tests, the quickest
// first. A test that takes another path in each run can be left out by mistake;
// that can report too many survivors, never too few.
//
// Packages are named by their directories within the module, which is in ../.. or
// where -root says. The exit status is 1 where a survivor is not explained, where an
// explanation is of no mutant of the present source (which -stale alone looks
// for, in seconds), or where a full run meets an explanation without its
// survivor.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// guards are the tests that guard a package besides its own, in order.
var guards = map[string][]string{
	"verifier":      {"adapters"},
	"internal/jose": {"verifier", "jwkscache"},
}

// Options are what a run is asked to do.
type options struct {
	root      string // of the module
	packages  []string
	explained string         // a file, "" for none
	only      *regexp.Regexp // on package/file.go, nil for all
	every     int            // mutants are sampled
	stale     bool           // only look for explanations of what is gone
	parallel  int
	limit     time.Duration // beside four times what the tests take without a mutant
	verbose   bool
}

var errSurvived = errors.New("the explanations and the survivors do not agree")

func main() {
	var o options
	only := flag.String("run", "", "mutate only files whose package/file.go matches this `regexp`")
	flag.IntVar(&o.every, "every", 1, "try every `n`th mutant only")
	flag.BoolVar(&o.stale, "stale", false, "try no mutant, only look for explanations whose mutant is gone from the source")
	flag.IntVar(&o.parallel, "p", 1, "try `n` mutants at a time")
	flag.DurationVar(&o.limit, "limit", 5*time.Second, "tests that need so much more processor `time` than usual have noticed the mutant")
	flag.StringVar(&o.root, "root", "../..", "the `directory` of the module whose packages are mutated")
	flag.StringVar(&o.explained, "explained", "explained.txt", "the `file` of explanations")
	flag.BoolVar(&o.verbose, "v", false, "print every mutant as it is tried")
	flag.Parse()
	var err error
	if *only != "" {
		if o.only, err = regexp.Compile(*only); err != nil {
			fail(err)
		}
	}
	for _, arg := range flag.Args() {
		o.packages = append(o.packages, filepath.ToSlash(filepath.Clean(arg)))
	}
	if len(o.packages) == 0 || o.every < 1 || o.parallel < 1 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "mutate:", err)
	if errors.Is(err, errSurvived) {
		os.Exit(1)
	}
	os.Exit(2)
}

// run tries the mutants that o asks for and reports to w.
func run(ctx context.Context, o options, w io.Writer) error {
	explained, err := readExplanations(o.explained)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, os.DirFS(o.root)); err != nil {
		return err
	}
	mutants, err := instrument(dir, o.packages)
	if err != nil {
		return err
	}
	agree := reportGone(w, o.packages, mutants, explained)
	if o.stale {
		return verdict(agree)
	}
	of, err := compile(dir, o.packages, len(mutants))
	if err != nil {
		return err
	}
	for _, name := range o.packages {
		start := time.Now()
		tried := choose(mutants, name, o, explained)
		r := &runner{options: o, guards: of[name], log: w, killers: make(map[string][]*guard)}
		if err := r.all(ctx, tried); err != nil {
			return err
		}
		agree = report(w, name, tried, explained, time.Since(start)) && agree
	}
	if o.only == nil && o.every == 1 {
		agree = reportStale(w, o.packages, explained) && agree
	}
	return verdict(agree)
}

func verdict(agree bool) error {
	if !agree {
		return errSurvived
	}
	return nil
}

// choose returns the mutants of a package that o asks for. A sample leaves out
// those that are explained: it takes every test to see that they survive, and
// only a run of all asks whether they still do.
func choose(all []*mutant, name string, o options, explained map[string]*explanation) (chosen []*mutant) {
	for i, m := range all {
		wanted := m.pkg == name && i%o.every == 0 && (o.only == nil || o.only.MatchString(m.file))
		if wanted && (o.every == 1 || explained[m.key()] == nil) {
			chosen = append(chosen, m)
		}
	}
	return chosen
}

// report prints one package's figures and unexplained survivors, and tells
// whether there are none.
func report(w io.Writer, name string, tried []*mutant, explained map[string]*explanation, took time.Duration) bool {
	survived, known, late := 0, 0, 0
	for _, m := range tried {
		if m.late {
			late++
		}
		if m.killed {
			continue
		}
		survived++
		if e := explained[m.key()]; e != nil {
			e.met = true
			known++
			continue
		}
		how := "survived"
		if !m.reached {
			how = "survived, reached by no test"
		}
		fmt.Fprintf(w, "%s: %s:%d: %s\n\t%s\n\t%s\n", how, m.file, m.lineNumber, m.function, m.line, m.change)
	}
	fmt.Fprintf(w, "%s: %d mutants, %d killed (%d by the time limit), %d survived, %d of them explained; %s\n",
		name, len(tried), len(tried)-survived, late, survived, known, took.Round(time.Second))
	return survived == known
}

// reportGone prints the explanations of mutants that the source no longer has,
// forgets them, and reports whether there are none.
func reportGone(w io.Writer, packages []string, mutants []*mutant, explained map[string]*explanation) bool {
	present := make(map[string]bool)
	for _, m := range mutants {
		present[m.key()] = true
	}
	return drop(w, "gone", packages, explained, func(key string) bool { return present[key] })
}

// reportStale does the same with those that no survivor of a full run has met.
func reportStale(w io.Writer, packages []string, explained map[string]*explanation) bool {
	return drop(w, "stale", packages, explained, func(key string) bool { return explained[key].met })
}

func drop(w io.Writer, why string, packages []string, explained map[string]*explanation, holds func(key string) bool) bool {
	none := true
	byLine := func(a, b string) int { return explained[a].lineNumber - explained[b].lineNumber }
	for _, key := range slices.SortedFunc(maps.Keys(explained), byLine) {
		name := filepath.ToSlash(filepath.Dir(cmp.Or(strings.Fields(key)...)))
		if slices.Contains(packages, name) && !holds(key) {
			fmt.Fprintf(w, "%s: line %d: %s\n", why, explained[key].lineNumber, key)
			delete(explained, key)
			none = false
		}
	}
	return none
}
