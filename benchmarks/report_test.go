package main

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/peers"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/render"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/scale"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/subject"
)

// invented is a matrix with round figures: bare cryptography takes 10 µs, a
// route alone 1 µs, a peer 25 µs, and its middleware 1 µs more.
func invented() (m matrix) {
	add := func(alg, on, who string, ns float64) {
		for _, parallel := range []bool{false, true} {
			m = append(m, result{
				Subject: subject.Subject{Who: who, On: on}, alg: alg, parallel: parallel,
				series: measure.Series{{Nanoseconds: ns, Allocs: 3, Bytes: 64}},
			})
		}
	}
	for _, alg := range algorithms {
		add(alg, "", subject.Bare, 10_000)
		add(alg, "", subject.Hit, 30)
		add(alg, "", subject.Miss, 10_500)
		add(alg, "", "a peer", 25_000)
	}
	for _, r := range peers.Routes {
		add(routed, r.On, subject.Alone, 1000)
		add(routed, r.On, r.Ours+", new token", 12_000)
		add(routed, r.On, "a middleware", 26_000)
	}
	return m
}

func inventedReport(m matrix) *report {
	faults := &render.Table{Header: []string{"fault", "jwtguard"}, Rows: [][]string{{"storm", "2"}}}
	return newReport(m, faults, nil, effort{7, 20 * time.Millisecond}, "a machine")
}

func TestTables(t *testing.T) {
	m := invented()
	assert.Contains(t, librariesTable(m, "RS256").Rows, []string{"a peer", "2.50", "2.50", "25.0 µs", "3", "64", "yes"})
	assert.Contains(t, librariesTable(m, "RS256").Rows, []string{subject.Hit, "0.003", "0.003", "0.03 µs", "3", "64", "yes"})
	assert.Contains(t, ratiosTable(m, false).Rows, []string{subject.Miss, "1.05", "1.05", "1.05", "1.05", "1.05"})
	assert.Contains(t, routesTable(m).Rows, []string{"a middleware", "Gin", "2.50", "2.50", "25.0 µs", "0", "0", "yes"})
}

// Whoever does not do the job is in the tables all the same.
func TestTablesTellWhoIsWrong(t *testing.T) {
	m := invented()
	lenient, strict := m.find("RS256", false, "", "a peer"), m.find("RS256", false, "Gin", "a middleware")
	lenient.wrong = []string{"accepts an expired token"}
	strict.wrong, strict.series = []string{"refuses a good token (no)"}, nil
	assert.True(t, refusesGood(strict.wrong))
	assert.False(t, refusesGood(lenient.wrong))
	assert.Contains(t, librariesTable(m, "RS256").Rows, []string{"a peer", "2.50", "2.50", "25.0 µs", "3", "64", "accepts an expired token"})
	assert.Contains(t, routesTable(m).Rows, []string{"a middleware", "Gin", none, none, none, none, none, "refuses a good token (no)"})
	assert.NotEmpty(t, charts(m))
}

func TestPage(t *testing.T) {
	r := inventedReport(invented())
	text, err := r.markdown()
	require.NoError(t, err)
	assert.Contains(t, string(text), "a machine")
	assert.Contains(t, string(text), "| a peer | 2.50 | 2.50 | 25.0 µs | 3 | 64 | yes |")
	assert.Contains(t, string(text), "| storm | 2 |")
	assert.Contains(t, string(text), "Slices of 20ms")
	assert.NotContains(t, string(text), "<no value>")
	assert.NotContains(t, string(text), "unknown version")

	r.Scale, r.WhereTheTimeGoes = nil, ""
	text, err = r.markdown()
	require.NoError(t, err)
	assert.NotContains(t, string(text), "## Scale")
	assert.NotContains(t, string(text), "## Where the time goes")
	r.Scale = []scale.Part{{Title: "Many", Note: "Tokens.", Table: &render.Table{Header: []string{"n"}, Rows: [][]string{{"7"}}}}}
	r.WhereTheTimeGoes = "In RSA."
	text, err = r.markdown()
	require.NoError(t, err)
	assert.Contains(t, string(text), "### Many\n\nTokens.\n\n| n |\n| --- |\n| 7 |\n")
	assert.Contains(t, string(text), "## Where the time goes\n\nIn RSA.\n")
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	m := invented()
	require.NoError(t, inventedReport(m).write(dir, m))
	text, err := os.ReadFile(filepath.Join(dir, "performance.md"))
	require.NoError(t, err)
	for _, c := range charts(m) {
		for name := range render.Themes {
			file := "performance/" + c.Name + "-" + name + ".svg"
			assert.Contains(t, string(text), file)
			svg, err := os.ReadFile(filepath.Join(dir, file))
			require.NoError(t, err)
			require.NoError(t, xml.Unmarshal(svg, new(struct{})), file)
			for _, row := range c.Chart.Rows {
				assert.Contains(t, string(svg), ">"+row.Heading+row.Label+"<", file)
				if row.Heading == "" {
					assert.Contains(t, string(svg), ">"+row.Text+"<", file)
				}
			}
		}
	}
}

// The charts of the repository are drawn from the figures beside them, and these
// are the page's.
func TestChartsOfTheRepository(t *testing.T) {
	const docs = "../docs"
	text, err := os.ReadFile(filepath.Join(docs, "performance", figuresFile))
	require.NoError(t, err)
	var all []named
	require.NoError(t, json.Unmarshal(text, &all))
	require.NotEmpty(t, all)

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, figuresFile), text, 0o644))
	require.NoError(t, redrawCharts(dir))
	drawn, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, drawn, 1+len(all)*len(render.Themes))
	for _, file := range drawn {
		again, err := os.ReadFile(filepath.Join(dir, file.Name()))
		require.NoError(t, err)
		kept, err := os.ReadFile(filepath.Join(docs, "performance", file.Name()))
		require.NoError(t, err)
		assert.Equal(t, string(again), string(kept), file.Name())
	}

	page, err := os.ReadFile(filepath.Join(docs, "performance.md"))
	require.NoError(t, err)
	for _, c := range all {
		for _, row := range c.Chart.Rows {
			if row.Heading != "" {
				continue
			}
			assert.Regexp(t, `(?m)^\| `+regexp.QuoteMeta(row.Label)+` \|.* `+regexp.QuoteMeta(row.Text)+` \|`, string(page), c.Name)
			if row.Text != none {
				assert.Equal(t, row.Text, figure(row.Value), c.Name)
			}
		}
	}
}

func TestPrint(t *testing.T) {
	var b strings.Builder
	inventedReport(invented()).print(&b)
	assert.Contains(t, b.String(), "a machine; medians of 7 rounds")
	assert.Contains(t, b.String(), "\na peer                           2.50       2.50  25.0 µs            3     64              yes\n")
}

func TestMeasureAll(t *testing.T) {
	server, err := authority.New(algorithms...)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	m, err := measureAll(t.Context(), server, effort{2, time.Millisecond})
	require.NoError(t, err)
	require.Len(t, m, 2*(9*len(algorithms)+13))
	for _, r := range m {
		assert.Empty(t, r.wrong, r.Who)
		assert.Len(t, r.series, 2, r.Who)
	}
	assert.Len(t, librariesTable(m, routed).Rows, 9)
	assert.Len(t, routesTable(m).Rows, 10)
}
