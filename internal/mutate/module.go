package main

import (
	"bytes"
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

// A binary is a compiled test of one package.
type binary struct {
	path string
	dir  string // where it runs
}

// compile builds the tests that guard each package, and sees that they pass
// while no mutant is active.
func compile(dir string, packages []string) (map[string][]binary, error) {
	built := make(map[string]binary)
	of := make(map[string][]binary)
	for _, name := range packages {
		for _, guard := range append([]string{name}, guards[name]...) {
			b, ok := built[guard]
			if !ok {
				b = binary{filepath.Join(dir, strings.ReplaceAll(guard, "/", "_")+".test"), filepath.Join(dir, guard)}
				if _, err := goCommand(dir, "test", "-c", "-vet=off", "-o", b.path, "./"+guard); err != nil {
					return nil, err
				}
				cmd := exec.Command(b.path)
				cmd.Dir = b.dir
				if out, err := cmd.CombinedOutput(); err != nil {
					return nil, fmt.Errorf("the tests of %s fail without a mutant: %w\n%s", guard, err, out)
				}
				built[guard] = b
			}
			of[name] = append(of[name], b)
		}
	}
	return of, nil
}

// A runner tries mutants. Tests that have just noticed one in a file are asked
// first about the next one there: that saves most of the time.
type runner struct {
	options
	binaries []binary

	mu      sync.Mutex // guards what follows
	log     io.Writer
	killers map[string][]string // by file, the latest first
	failed  error
}

const (
	killersAtMost = 4
	tooRandom     = "^TestChaos$"       // never asked: luck is no proof
	tooSlow       = "^TestRSAKeySizes$" // asked last
)

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

func (r *runner) one(ctx context.Context, m *mutant) {
	start := time.Now()
	r.mu.Lock()
	first := strings.Join(r.killers[m.file], "|")
	r.mu.Unlock()
	killer, err := "", error(nil)
	if first != "" {
		killer, err = r.test(ctx, m, r.binaries[0], "-test.run=^("+first+")$")
	}
	for _, flag := range []string{"-test.skip=" + tooRandom + "|" + tooSlow, "-test.run=" + tooSlow} {
		for _, b := range r.binaries {
			if !m.killed && err == nil {
				killer, err = r.test(ctx, m, b, flag)
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = errors.Join(r.failed, err)
	if killer != "" {
		others := slices.DeleteFunc(r.killers[m.file], func(s string) bool { return s == killer })
		r.killers[m.file] = append([]string{killer}, others[:min(len(others), killersAtMost-1)]...)
	}
	if r.verbose {
		fmt.Fprintf(r.log, "killed=%t late=%t %.1fs %d %s\n", m.killed, m.late, time.Since(start).Seconds(), m.lineNumber, m.key())
	}
}

var failedTest = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)

// test runs b while m is active and returns the first test that fails, if it
// has a name. Memory is limited, for mutants that never stop to allocate.
func (r *runner) test(ctx context.Context, m *mutant, b binary, flag string) (killer string, err error) {
	// The limit is one of processor time, so that a busy machine proves nothing;
	// whoever only sleeps gets four times as much.
	ctx, cancel := context.WithTimeout(ctx, 4*r.limit)
	defer cancel()
	script := fmt.Sprintf(`{ ulimit -t %d; ulimit -v 6000000; } 2>/dev/null; exec "$0" -test.failfast "$1"`, int(r.limit.Seconds()))
	cmd := exec.CommandContext(ctx, "sh", "-c", script, b.path, flag)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "MUTANT="+strconv.Itoa(m.number))
	cmd.WaitDelay = time.Second
	var out beginning
	cmd.Stdout = &out
	err = cmd.Run()
	var exited *exec.ExitError
	switch {
	case ctx.Err() != nil:
		m.killed, m.late = true, true
		return "", nil
	case errors.As(err, &exited):
		m.killed, m.late = true, exited.UserTime()+exited.SystemTime() > r.limit-r.limit/10
		if found := failedTest.FindSubmatch(out.text); found != nil {
			killer = string(found[1])
		}
		return killer, nil
	}
	return "", err
}

// A beginning keeps the first megabyte of what is written to it.
type beginning struct{ text []byte }

func (b *beginning) Write(p []byte) (int, error) {
	b.text = append(b.text, p[:min(len(p), 1<<20-len(b.text))]...)
	return len(p), nil
}
