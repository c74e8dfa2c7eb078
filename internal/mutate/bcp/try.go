package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
)

// Tests are compiled tests.
type tests struct {
	root     string
	names    []string          // pkg.TestName, sorted, each once
	binaries map[string]string // by pkg
	runs     int
}

// try runs each test without a mutant, where it must pass, and with each mutant that
// names it, where it must fail. It returns how many did not, and writes these to w.
func (t *tests) try(ctx context.Context, mutants []mutant, w, log io.Writer) (wrong int, err error) {
	for _, name := range t.names {
		switch got, err := t.run(ctx, name, 0); {
		case err != nil:
			return wrong, err
		case got != "PASS":
			fmt.Fprintf(w, "%s without a mutant: %s\n", name, got)
			wrong++
		}
	}
	for i, m := range mutants {
		for _, name := range m.tests {
			got, err := t.run(ctx, name, i+1)
			if err != nil {
				return wrong, err
			}
			if got == "FAIL" {
				fmt.Fprintf(log, "%s: %s fails\n", &m, name)
				continue
			}
			fmt.Fprintf(w, "%s: %s: %s\n\t- %s\n\t+ %s\n", &m, name, got, m.old, m.new)
			wrong++
		}
	}
	return wrong, nil
}

// run runs a test while a mutant is active, and returns PASS, FAIL or, if the test did
// not come to its end, how the run ended.
func (t *tests) run(ctx context.Context, name string, mutant int) (string, error) {
	pkg, test, _ := strings.Cut(name, ".")
	binary := t.binaries[pkg]
	if binary == "" {
		return "", fmt.Errorf("%s: %s is not one of the packages", name, pkg)
	}
	t.runs++
	cmd := exec.CommandContext(ctx, binary, "-test.v", "-test.timeout=60s", "-test.run=^"+test+"$")
	cmd.Dir = filepath.Join(t.root, packages[pkg])
	cmd.Env = environment(mutant)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	for _, verdict := range []string{"FAIL", "PASS"} {
		if (err != nil) == (verdict == "FAIL") && strings.Contains("\n"+string(out), "\n--- "+verdict+": "+test+" ") {
			return verdict, nil
		}
	}
	return fmt.Sprintf("no verdict: %v, %.200q", err, out[max(0, len(out)-200):]), nil
}
