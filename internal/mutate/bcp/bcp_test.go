package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The page and the table agree, and each mutant finds its place in the source.
func TestPageAndMutants(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "bcp.md"))
	require.NoError(t, err)
	points, err := readPage(string(text))
	require.NoError(t, err)
	require.NotEmpty(t, points)
	assert.Empty(t, compare(points, mutants))
	for _, m := range mutants {
		source, err := os.ReadFile(filepath.Join(root, m.file))
		require.NoError(t, err)
		_, _, err = mutate(m.file, string(source), []mutant{m})
		assert.NoError(t, err)
	}
}

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
		says       []string // in the report or the error; nil: proved
	}{
		{"proved", page, []mutant{short, lower}, nil},
		{"a mutant that does not compile", page, []mutant{short, with(lower, func(m *mutant) { m.new = "*s = limits" })}, []string{"does not compile"}},
		{"a mutant that changes nothing", page, []mutant{lower, with(short, func(m *mutant) { m.new = "len(s) <= limit-1" })}, []string{"1 2.1 in verifier/tiny.go: verifier.TestShort: PASS\n", "3 of 4 runs"}},
		{"a test that fails anyway", head + "| 2.1 | x | y | `TestBroken` |\n", []mutant{with(short, func(m *mutant) { m.tests = []string{"verifier.TestBroken"} })}, []string{"verifier.TestBroken without a mutant: FAIL"}},
		{"a test that is gone", head + "| 2.1 | x | y | `TestGone` |\n", []mutant{with(short, func(m *mutant) { m.tests = []string{"verifier.TestGone"} })}, []string{"verifier.TestGone without a mutant: no verdict"}},
		{"an unknown package", page, []mutant{lower, with(short, func(m *mutant) { m.tests = []string{"other.TestShort"} })}, []string{"other is not one of the packages"}},
		{"a text that is gone", page, []mutant{lower, with(short, func(m *mutant) { m.old = "len(s) <= limit" })}, []string{"is there 0 times, not once"}},
		{"a text that is there twice", page, []mutant{short, with(lower, func(m *mutant) { m.old = "*s" })}, []string{"times, not once"}},
		{"a text outside functions", page, []mutant{lower, with(short, func(m *mutant) { m.old = "limit = 3" })}, []string{"is not within the body of a function"}},
		{"a point without mutant", page, []mutant{short}, []string{"line 6: no mutant breaks 1 2.2 for TestLower"}},
		{"a mutant whose point does not name its test", page, []mutant{short, lower, with(lower, func(m *mutant) { m.points = []string{"1 2.1"} })}, []string{"no point of 1 2.1 names TestLower"}},
		{"a mutant of a point without code", page, []mutant{short, lower, with(lower, func(m *mutant) { m.points = []string{"1 2.3"} })}, []string{"no point of 1 2.3 names TestLower"}},
		{"a mutant of no point", page, []mutant{short, lower, with(lower, func(m *mutant) { m.points = []string{"1 2.2", "1 9"} })}, []string{"the page has no point 1 9"}},
		{"a row without tests", head + "| 2.1 | x | y | nothing |\n", []mutant{short}, []string{"has neither tests nor"}},
		{"a row of three cells", head + "| 2.1 | x | `TestShort` |\n", []mutant{short}, []string{"a row of 3 cells"}},
		{"a row twice", head + "| 2.1 | x | y | no code |\n| 2.1 | x | y | no code |\n", nil, []string{"line 6: 1 2.1 is there twice"}},
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
			err := run(t.Context(), root, row.mutants, &report, &log)
			if row.says == nil {
				require.NoError(t, err, report.String())
				assert.Contains(t, report.String(), "3 points, 2 mutants, 2 tests, 4 of 4 runs as they should be")
				assert.Contains(t, log.String(), "1 2.1 in verifier/tiny.go: verifier.TestShort fails\n")
				return
			}
			require.Error(t, err)
			for _, s := range row.says {
				assert.Contains(t, report.String()+err.Error(), s)
			}
		})
	}
}
