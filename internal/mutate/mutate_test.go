package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A tiny module: Clamp is tested but for its lower bound, Wait never ends
// without its break, and Change is not tested at all.
const tiny = `package tiny

import "errors"

func Clamp(n int) int {
	return min(max(n, 10), 20)
}

func Wait() (n int) {
	for {
		n++
		if n > 3 {
			break
		}
	}
	return n
}

const none = -1

func Find(n int) int {
	if n > 3 {
		return none
	}
	return n
}

func Check(s string) error {
	if s == "" {
		return errors.New("empty")
	}
	return nil
}

func Change(m map[string]int) { m["a"] = 1 }
`

// TestElsewhere reaches no mutant: if it is asked about one all the same, that is
// killed.
const tinyTest = `package tiny

import (
	"os"
	"testing"
)

func TestTiny(t *testing.T) {
	if Clamp(30) != 20 || Clamp(15) != 15 || Wait() != 4 || Find(4) >= 0 || Find(3) != 3 || Check("") == nil || Check("a") != nil {
		t.Fatal("wrong")
	}
}

func TestElsewhere(t *testing.T) {
	if os.Getenv("MUTANT") != "" {
		t.Fatal("asked")
	}
}
`

func tinyModule(t *testing.T) (root string) {
	root = t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module tiny.example\n\ngo 1.26\n", "p/tiny.go": tiny, "p/tiny_test.go": tinyTest,
	} {
		name = filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
	return root
}

const survivors = `p/tiny.go Clamp | return min(max(n, 10), 20) | max(n, 10) -> n
	not tested, on purpose
p/tiny.go Clamp | return min(max(n, 10), 20) | 10 + 1
	as above
p/tiny.go Clamp | return min(max(n, 10), 20) | 10 - 1
	as above
p/tiny.go Change | func Change(m map[string]int) { m["a"] = 1 } | without m["a"] = 1
	as above
p/tiny.go Change | func Change(m map[string]int) { m["a"] = 1 } | 1 + 1
	as above
p/tiny.go Change | func Change(m map[string]int) { m["a"] = 1 } | 1 - 1
	as above
`

func TestTinyModule(t *testing.T) {
	root := tinyModule(t)
	explanations := filepath.Join(root, "explained.txt")
	o := options{root: root, packages: []string{"p"}, explained: explanations, parallel: 2, limit: time.Second, verbose: true}
	try := func(explained string, o options) (report string, err error) {
		require.NoError(t, os.WriteFile(explanations, []byte(explained), 0o644))
		var out bytes.Buffer
		err = run(context.Background(), o, &out)
		return out.String(), err
	}
	mutate := func(explained string, every int) (report string, err error) {
		o.every = every
		return try(explained, o)
	}

	report, err := mutate("", 1)
	require.ErrorIs(t, err, errSurvived)
	for change, killed := range map[string]bool{
		"max(n, 10) -> n":                   false,
		"max(n, 10) -> 10":                  true,
		"min(max(n, 10), 20) -> max(n, 10)": true,
		"20 + 1":                            true,
		"10 - 1":                            false,
		"n > 3: > -> >=":                    true,
		"3 + 1":                             true,
		`without break`:                     true,
		`errors.New("empty") -> nil`:        true,
		`s == "" -> true`:                   true,
		`s == "" -> false`:                  true,
		`without m["a"] = 1`:                false,
	} {
		verdict := "killed=false"
		if killed {
			verdict = "killed=true"
		}
		found := ""
		for line := range strings.SplitSeq(report, "\n") {
			if strings.HasPrefix(line, "killed=") && strings.HasSuffix(line, "| "+change) {
				found = line
			}
		}
		assert.Contains(t, found, verdict, change)
	}
	assert.NotContains(t, report, "none", "a name for no number")
	assert.Contains(t, report, "late=true", "without its break Wait never ends")
	assert.Contains(t, report, "survived, reached by no test: p/tiny.go:35: Change\n\tfunc Change(m map[string]int) { m[\"a\"] = 1 }\n\twithout m[\"a\"] = 1\n")
	assert.Contains(t, report, "6 survived, 0 of them explained")

	const stale = "p/tiny.go Check | if s == \"\" { | s == \"\" -> true\n\tnot so\n"
	report, err = mutate(survivors+stale, 1)
	require.ErrorIs(t, err, errSurvived)
	assert.Contains(t, report, "6 survived, 6 of them explained")
	assert.NotContains(t, report, "tiny.go:", "survivors that are explained are not shown")
	assert.Contains(t, report, "stale: line 13: p/tiny.go Check | if s == \"\" { | s == \"\" -> true\n")

	report, err = mutate(survivors+stale, 4)
	require.NoError(t, err, "a sample meets no explanations")
	assert.Contains(t, report, "p: 5 mutants, 5 killed")

	const gone = "p/tiny.go Check | if s == \"x\" { | s == \"x\" -> true\n\tof a line that was changed\nq/q.go F | x | y\n\tof another package\n"
	report, err = mutate(survivors+gone, 4)
	require.ErrorIs(t, err, errSurvived, "a sample knows all mutants")
	assert.Contains(t, report, "gone: line 13: p/tiny.go Check | if s == \"x\" { | s == \"x\" -> true\n")
	assert.NotContains(t, report, "q.go")

	o.stale = true
	report, err = try(survivors+gone, o)
	require.ErrorIs(t, err, errSurvived)
	assert.Equal(t, "gone: line 13: p/tiny.go Check | if s == \"x\" { | s == \"x\" -> true\n", report)
	report, err = try(survivors, o)
	require.NoError(t, err)
	assert.Empty(t, report)
}

func TestReadExplanations(t *testing.T) {
	name := filepath.Join(t.TempDir(), "explained.txt")
	for text, want := range map[string]string{
		"# a remark\n\na b | c | d\n\tbecause\n\tit is\n": "",
		"a b | c | d\n":                        "no reason",
		"\tbecause\n":                          "a reason for nothing",
		"a b | c | d\n\tx\na b | c | d\n\ty\n": "explained twice",
	} {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
		all, err := readExplanations(name)
		if want != "" {
			require.ErrorContains(t, err, want)
			continue
		}
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.Equal(t, "because it is", all["a b | c | d"].reason)
	}
}
