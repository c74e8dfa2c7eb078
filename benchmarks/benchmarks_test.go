package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchmath"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/peers"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/render"
)

// Everyone who is compared does the same job; only bare cryptography reads no
// claims.
func TestEverySubjectDoesTheJob(t *testing.T) {
	m, err := measureAll(t.Context(), effort{1, 100 * time.Microsecond})
	require.NoError(t, err)
	require.Len(t, m, 9*len(algorithms)+13)
	for _, r := range m {
		assert.Empty(t, r.wrong, r.who)
		assert.Len(t, r.one, 1, r.who)
		assert.Len(t, r.all, 1, r.who)
	}
	a := peers.NewAuthority(routed)
	t.Cleanup(a.Close)
	assert.Len(t, a.With(nil), 875, "performance.md says so")
	wrong := wrongs(peers.Bare(a), a.With(nil), a.Bad())
	assert.Len(t, wrong, 5)
	assert.NotContains(t, wrong, "accepts a broken signature")
	assert.Equal(t, refuses+" ("+assert.AnError.Error()+")", wrongs(func(string) error { return assert.AnError }, "", nil)[0])
}

func TestGuardLooksTwiceBeforeItComplains(t *testing.T) {
	exactly := func(x float64) benchmath.Summary { return benchmath.Summary{Center: x, Lo: x, Hi: x} }
	fast, just, slow := finding{"fast", exactly(1.1), 1.25}, finding{"just within", exactly(0.02), 0.02}, finding{"slow", exactly(3.01), 3}
	unclear := finding{"unclear", benchmath.Summary{Center: 4, Lo: 2.9, Hi: 8}, 3}
	for name, row := range map[string]struct {
		runs       [][]finding
		complaints int
	}{
		"fast":      {[][]finding{{fast, just}}, 0},
		"slow once": {[][]finding{{slow, fast}, {fast, fast}}, 0},
		"slow":      {[][]finding{{fast, slow}, {slow, just, slow}}, 2},
		"busy":      {[][]finding{{unclear}}, 0},
	} {
		looked := 0
		complaints, err := guard(io.Discard, func(times int) ([]finding, error) {
			looked++
			require.Equal(t, looked, times, "the second look is longer")
			return row.runs[looked-1], nil
		})
		require.NoError(t, err)
		require.Len(t, row.runs, looked, name)
		require.Len(t, complaints, row.complaints, name)
		for _, c := range complaints {
			assert.Equal(t, "slow takes 3.01 of bare cryptography, more than 3", c)
		}
	}
	_, err := guard(io.Discard, func(int) ([]finding, error) { return nil, assert.AnError })
	assert.ErrorIs(t, err, assert.AnError)
}

// What the guard compares with its limits is measured, each with its own limit.
func TestFindings(t *testing.T) {
	l := limits{verify: 1, miss: 2, hit: 3, hostile: 4}
	good, err := accepted(t.Context(), l, effort{3, time.Millisecond}, []string{"ES256", "EdDSA"})
	require.NoError(t, err)
	require.Len(t, good, 6)
	for i := 0; i < len(good); i += 3 {
		assert.Equal(t, []float64{1, 2, 3}, []float64{good[i].may, good[i+1].may, good[i+2].may})
		assert.Positive(t, good[i+2].ratio.Center)
		assert.Greater(t, min(good[i].ratio.Center, good[i+1].ratio.Center), good[i+2].ratio.Center, "a hit is quicker")
	}
	bad, err := refused(l, effort{1, 50 * time.Microsecond}, "RS256")
	require.NoError(t, err)
	assert.Greater(t, len(bad), 80)
	for _, f := range bad {
		assert.Positive(t, f.ratio.Center, f.what)
		assert.Equal(t, 4.0, f.may)
	}
}

// invented is a matrix with round figures: bare cryptography takes 10 µs, a
// route alone 1 µs, a peer 25 µs, and its middleware 1 µs more.
func invented() (m matrix) {
	add := func(alg, on, who string, ns float64) {
		s := measure.Series{{Nanoseconds: ns, Allocs: 3, Bytes: 64}}
		for len(s) < 6 {
			s = append(s, s[0])
		}
		s[5].Nanoseconds += ns / 50
		m = append(m, &result{subject: subject{who: who, on: on}, alg: alg, one: s, all: s})
	}
	for _, alg := range algorithms {
		add(alg, "", bare, 10_000)
		add(alg, "", hit, 30)
		add(alg, "", off, 10_500)
		add(alg, "", "a peer", 25_000)
	}
	for _, r := range peers.Routes {
		add(routed, r.On, alone, 1000)
		add(routed, r.On, r.Ours+", new token", 12_000)
		add(routed, r.On, "a middleware", 26_000)
	}
	m.find(routed, "", "a peer").one[0].Nanoseconds *= 0.9
	return m
}

func TestReport(t *testing.T) {
	m := invented()
	lenient, strict := m.find(routed, "", off), m.find(routed, "Gin", "a middleware")
	lenient.wrong = []string{"accepts an expired token"}
	strict.wrong, strict.one, strict.all = []string{refuses + " (no)"}, nil, nil
	dir := t.TempDir()
	r := newReport(m, effort{7, 20 * time.Millisecond}, "a machine")
	require.NoError(t, r.write(dir, charts(m)))
	text, err := os.ReadFile(filepath.Join(dir, "performance.md"))
	require.NoError(t, err)
	for _, want := range []string{
		"a machine", "Slices of 20ms", "the median of 7 rounds",
		"| a peer | 2.50 ±10% | 2.50 ±10% | 25.0 µs | 3 | 64 | yes |",
		"| " + hit + " | 0.003 | 0.003 | 0.03 µs | 3 | 64 | yes |",
		"| " + off + " | 1.05 | 1.05 | 10.5 µs | 3 | 64 | accepts an expired token |",
		"| a peer | 2.50 ±10% | 2.50 | 2.50 | 2.50 | 2.50 |",
		"| a middleware | Echo | 2.50 | 2.50 | 25.0 µs | 0 | 0 | yes |",
		"| a middleware | Gin | – | – | – | – | – | refuses a good token (no) |",
	} {
		assert.Contains(t, string(text), want)
	}
	assert.NotRegexp(t, `<no value>|unknown version`, string(text))
	for _, c := range charts(m) {
		for name := range render.Themes {
			file := "performance/" + c.Name + "-" + name + ".svg"
			assert.Contains(t, string(text), file)
			assert.FileExists(t, filepath.Join(dir, file))
		}
	}
	var b strings.Builder
	r.print(&b)
	assert.Contains(t, b.String(), "\na peer                       2.50 ±10%  2.50 ±10%  25.0 µs  3            64     yes\n")
}

// The charts of the repository are drawn from the figures beside them, and these
// are the page's.
func TestChartsOfTheRepository(t *testing.T) {
	const docs = "../docs"
	text, err := os.ReadFile(filepath.Join(docs, "performance", figuresFile))
	require.NoError(t, err)
	var all []named
	require.NoError(t, json.Unmarshal(text, &all))
	page, err := os.ReadFile(filepath.Join(docs, "performance.md"))
	require.NoError(t, err)
	require.NotEmpty(t, all)
	for _, c := range all {
		for name, theme := range render.Themes {
			kept, err := os.ReadFile(filepath.Join(docs, "performance", c.Name+"-"+name+".svg"))
			require.NoError(t, err)
			assert.Equal(t, string(c.Chart.SVG(theme)), string(kept), c.Name)
		}
		for _, row := range c.Chart.Rows {
			if row.Heading == "" {
				assert.Regexp(t, `(?m)^\| `+regexp.QuoteMeta(row.Label)+` \|.* `+regexp.QuoteMeta(row.Text)+` (±\d+% )?\|`, string(page), c.Name)
			}
		}
	}
}
