package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	head = "## RFC 1\n\n| § | asks | here | tests |\n|---|---|---|---|\n"
	tiny = `package verifier

import "strings"

var limit = 3

func Short(s string) bool { return len(s) < limit }

func Lower(s *string) {
	if *s != "" {
		*s = strings.ToLower(*s)
	}
}
`
	tinyTest = `package verifier

import "testing"

func TestShort(t *testing.T) {
	if Short("abc") {
		t.Fatal("long")
	}
}

func TestLower(t *testing.T) {
	s := "A"
	if Lower(&s); s != "a" {
		t.Fatal(s)
	}
}

func TestBroken(t *testing.T) { t.Fatal("always") }
`
)

func TestRun(t *testing.T) {
	short := mutant{[]string{"1 2.1"}, []string{"verifier.TestShort"}, "verifier/tiny.go", "len(s) < limit", "true"}
	lower := mutant{[]string{"1 2.2"}, []string{"verifier.TestLower"}, "verifier/tiny.go", "*s = strings.ToLower(*s)", ""}
	page := head + "| 2.1 | x | y | `TestShort` |\n| 2.2 | x | y | `TestLower` |\n| 2.3 | x | y | no code |\n"
	with := func(m mutant, change func(*mutant)) mutant {
		change(&m)
		return m
	}
	for _, row := range []struct {
		name, page string
		mutants    []mutant
		says       string // in the report or the error; "": proved
		stale      bool   // without running a test
	}{
		{"proved", page, []mutant{short, lower}, "", false},
		{"a mutant that does not compile", page, []mutant{short, with(lower, func(m *mutant) { m.new = "*s = limits" })}, "does not compile", false},
		{"a mutant that changes nothing", page, []mutant{lower, with(short, func(m *mutant) { m.new = "len(s) <= limit-1" })}, "1 2.1 in verifier/tiny.go: verifier.TestShort: PASS\n", false},
		{"a test that fails anyway", head + "| 2.1 | x | y | `TestBroken` |\n", []mutant{with(short, func(m *mutant) { m.tests = []string{"verifier.TestBroken"} })}, "verifier.TestBroken without a mutant: FAIL", false},
		{"a test that is gone", head + "| 2.1 | x | y | `TestGone` |\n", []mutant{with(short, func(m *mutant) { m.tests = []string{"verifier.TestGone"} })}, "verifier.TestGone without a mutant: no verdict", false},
		{"an unknown package", page, []mutant{lower, with(short, func(m *mutant) { m.tests = []string{"other.TestShort"} })}, "other is not one of the packages", false},
		{"a text that is gone", page, []mutant{lower, with(short, func(m *mutant) { m.old = "len(s) <= limit" })}, "is there 0 times, not once", true},
		{"a text that is there twice", page, []mutant{short, with(lower, func(m *mutant) { m.old = "*s" })}, "times, not once", true},
		{"a text outside functions", page, []mutant{lower, with(short, func(m *mutant) { m.old = "limit = 3" })}, "is not within the body of a function", true},
		{"a point without mutant", page, []mutant{short}, "line 6: no mutant breaks 1 2.2 for TestLower", true},
		{"a mutant whose point does not name its test", page, []mutant{short, lower, with(lower, func(m *mutant) { m.points = []string{"1 2.1"} })}, "no point of 1 2.1 names TestLower", true},
		{"a mutant of a point without code", page, []mutant{short, lower, with(lower, func(m *mutant) { m.points = []string{"1 2.3"} })}, "no point of 1 2.3 names TestLower", true},
		{"a mutant of no point", page, []mutant{short, lower, with(lower, func(m *mutant) { m.points = []string{"1 2.2", "1 9"} })}, "the page has no point 1 9", true},
		{"a row without tests", head + "| 2.1 | x | y | nothing |\n", []mutant{short}, "has neither tests nor", true},
		{"a row of three cells", head + "| 2.1 | x | `TestShort` |\n", []mutant{short}, "a row of 3 cells", true},
		{"a row twice", head + "| 2.1 | x | y | no code |\n| 2.1 | x | y | no code |\n", nil, "line 6: 1 2.1 is there twice", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range map[string]string{
				"go.mod": "module tiny.example\n\ngo 1.26\n", "docs/bcp.md": row.page,
				"verifier/tiny.go": tiny, "verifier/tiny_test.go": tinyTest,
			} {
				name = filepath.Join(root, name)
				require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
				require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
			}
			var report, log bytes.Buffer
			err := run(t.Context(), root, row.mutants, false, &report, &log)
			if row.says == "" {
				require.NoError(t, err, report.String())
				assert.Contains(t, report.String(), "3 points, 2 mutants, 2 tests, 4 of 4 runs as they should be")
				assert.Contains(t, log.String(), "1 2.1 in verifier/tiny.go: verifier.TestShort fails\n")
				report.Reset()
				require.NoError(t, run(t.Context(), root, row.mutants, true, &report, &log))
				assert.Empty(t, report.String())
				return
			}
			require.Error(t, err)
			assert.Equal(t, row.stale, run(t.Context(), root, row.mutants, true, io.Discard, io.Discard) != nil)
			assert.Contains(t, report.String()+err.Error(), row.says)
		})
	}
}
