package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// goCommand runs go in dir and returns its output.
func goCommand(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off") // the module as its users have it
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, failed.Stderr)
	}
	return out, err
}

// A listed is what go list says of a package.
type listed struct {
	ImportPath, Dir, Name, Export string
	GoFiles                       []string
}

// list returns what go list says of the packages in dir and of all that they
// import, by import path.
func list(dir string, packages []string) (map[string]*listed, error) {
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Dir,Name,Export,GoFiles"}
	for _, name := range packages {
		args = append(args, "./"+name)
	}
	out, err := goCommand(dir, args...)
	if err != nil {
		return nil, err
	}
	all := make(map[string]*listed)
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		p := new(listed)
		if err := dec.Decode(p); err != nil {
			return nil, err
		}
		all[p.ImportPath] = p
	}
	return all, nil
}

// A guard is one test of one package.
type guard struct {
	name    string
	binary  string // the package's compiled tests
	dir     string // where they run
	took    time.Duration
	reached []byte // by a mutant's number, 1 where that would make a difference
}

// tooRandom is never run: a mutant that it kills by chance is not tested for.
const tooRandom = "TestChaos"

// compile builds the tests that guard each package, and runs each of them alone
// to see that it passes while no mutant is active, how long it takes and which
// mutants it reaches.
func compile(dir string, packages []string, mutants int) (map[string][]*guard, error) {
	built := make(map[string][]*guard)
	of := make(map[string][]*guard)
	for _, name := range packages {
		for _, pkg := range append([]string{name}, guards[name]...) {
			if built[pkg] == nil {
				binary := filepath.Join(dir, strings.ReplaceAll(pkg, "/", "_")+".test")
				if _, err := goCommand(dir, "test", "-c", "-vet=off", "-o", binary, "./"+pkg); err != nil {
					return nil, err
				}
				var err error
				if built[pkg], err = try(binary, filepath.Join(dir, pkg), mutants); err != nil {
					return nil, err
				}
			}
			of[name] = append(of[name], built[pkg]...)
		}
	}
	return of, nil
}

// try runs each test of a binary.
func try(binary, dir string, mutants int) (all []*guard, err error) {
	names, err := exec.Command(binary, "-test.list=^(Test|Fuzz|Example)").Output()
	if err != nil {
		return nil, err
	}
	record := binary + ".reached"
	for _, name := range strings.Fields(string(names)) {
		if name == tooRandom {
			continue
		}
		if err := os.WriteFile(record, make([]byte, mutants+1), 0o600); err != nil {
			return nil, err
		}
		cmd := exec.Command(binary, "-test.run=^"+name+"$")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "MUTANTS_REACHED="+record)
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s of %s fails without a mutant: %w\n%s", name, binary, err, out)
		}
		g := &guard{name: name, binary: binary, dir: dir, took: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
		if g.reached, err = os.ReadFile(record); err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return all, nil
}

// A runner tries mutants.
type runner struct {
	options
	guards []*guard

	mu      sync.Mutex // guards what follows
	log     io.Writer
	killers map[string][]*guard // by file, the latest first
	failed  error
}

const maxKillers = 4

func (r *runner) all(ctx context.Context, mutants []*mutant) error {
	var wg sync.WaitGroup
	queue := make(chan *mutant)
	for range r.parallel {
		wg.Go(func() {
			for m := range queue {
				r.one(ctx, m)
			}
		})
	}
	for _, m := range mutants {
		if ctx.Err() == nil {
			queue <- m
		}
	}
	close(queue)
	wg.Wait()
	return errors.Join(r.failed, ctx.Err())
}

// one tries m with the tests that reach it, in batches of which each may take
// four times as long as the one before.
func (r *runner) one(ctx context.Context, m *mutant) {
	start := time.Now()
	left := r.reaching(m)
	m.reached = len(left) > 0
	var killer *guard
	var err error
	for budget := 100 * time.Millisecond; len(left) > 0 && !m.killed && err == nil; budget *= 4 {
		n, took := 1, left[0].took
		for n < len(left) && left[n].binary == left[0].binary && took+left[n].took <= budget {
			took += left[n].took
			n++
		}
		killer, err = r.test(ctx, m, left[:n])
		left = left[n:]
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = errors.Join(r.failed, err)
	if killer != nil {
		others := slices.DeleteFunc(r.killers[m.file], func(g *guard) bool { return g == killer })
		r.killers[m.file] = append([]*guard{killer}, others[:min(len(others), maxKillers-1)]...)
	}
	if r.verbose {
		fmt.Fprintf(r.log, "killed=%t late=%t %.1fs %d %s\n", m.killed, m.late, time.Since(start).Seconds(), m.lineNumber, m.key())
	}
}

// reaching returns the tests that reach m: first those that have just noticed a
// mutant in the same file, then the package's own, the quickest first.
func (r *runner) reaching(m *mutant) []*guard {
	r.mu.Lock()
	killers := r.killers[m.file]
	r.mu.Unlock()
	rank := func(g *guard) int {
		switch {
		case slices.Contains(killers, g):
			return 0
		case g.binary == r.guards[0].binary:
			return 1
		}
		return 2
	}
	reaching := slices.DeleteFunc(slices.Clone(r.guards), func(g *guard) bool { return g.reached[m.number] == 0 })
	slices.SortFunc(reaching, func(a, b *guard) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.took, b.took)) })
	return reaching
}

var failedTest = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)

// test runs tests of one binary while m is active and returns the first that
// fails, if it has a name. Memory is limited, for mutants that never stop to
// allocate.
func (r *runner) test(ctx context.Context, m *mutant, tests []*guard) (killer *guard, err error) {
	// The limit is one of processor time, so that a busy machine proves nothing;
	// whoever only sleeps gets four times as much.
	limit := r.limit
	var names []string
	for _, g := range tests {
		limit += 4 * g.took
		names = append(names, g.name)
	}
	seconds := int(limit.Seconds())
	ctx, cancel := context.WithTimeout(ctx, 4*limit)
	defer cancel()
	script := fmt.Sprintf(`{ ulimit -t %d; ulimit -v 6000000; } 2>/dev/null; exec "$0" -test.failfast "$1"`, seconds)
	cmd := exec.CommandContext(ctx, "sh", "-c", script, tests[0].binary, "-test.run=^("+strings.Join(names, "|")+")$")
	cmd.Dir = tests[0].dir
	cmd.Env = append(os.Environ(), "MUTANT="+strconv.Itoa(m.number))
	cmd.WaitDelay = time.Second
	var out beginning
	cmd.Stdout = &out
	err = cmd.Run()
	var exited *exec.ExitError
	switch {
	case ctx.Err() != nil:
		m.killed, m.late = true, true
		return nil, nil
	case errors.As(err, &exited):
		m.killed, m.late = true, (exited.UserTime()+exited.SystemTime()).Seconds() > 0.9*float64(seconds)
		if found := failedTest.FindSubmatch(out.text); found != nil {
			if i := slices.Index(names, string(found[1])); i >= 0 {
				killer = tests[i]
			}
		}
		return killer, nil
	}
	return nil, err
}

// A beginning keeps the first megabyte of what is written to it.
type beginning struct{ text []byte }

func (b *beginning) Write(p []byte) (int, error) {
	b.text = append(b.text, p[:min(len(p), 1<<20-len(b.text))]...)
	return len(p), nil
}
