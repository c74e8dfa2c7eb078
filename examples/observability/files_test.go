package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A dashboard is what we check of Grafana's.
type dashboard struct {
	UID, Title string
	Panels     []struct {
		ID                       int
		Type, Title, Description string
		GridPos                  struct{ X, Y, W, H int }
		Targets                  []struct{ Expr, LegendFormat, RefID string }
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	text, err := files.ReadFile("dashboards/jwtguard.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &d))
	require.NotEmpty(t, d.Panels)
	return d
}

// exported returns the names that a Prometheus gets: of metrics, and of labels.
func exported(t *testing.T) (metrics, labels map[string]bool) {
	t.Helper()
	w, err := build(slog.New(slog.DiscardHandler), "127.0.0.1:0", "127.0.0.1:0", "")
	require.NoError(t, err)
	defer func() { assert.NoError(t, w.close()) }()
	require.NoError(t, w.ready(t.Context()))
	c := &caller{w: w}
	require.NoError(t, c.renew())
	require.NoError(t, c.junk(t.Context()))
	for range 100 {
		require.NoError(t, c.usual(t.Context()))
	}
	res, err := client.Get(w.internalURL + "/metrics")
	require.NoError(t, err)
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	metrics, labels = make(map[string]bool), make(map[string]bool)
	for line := range strings.Lines(string(page)) {
		if name := regexp.MustCompile(`^jwtguard_\w+`).FindString(line); name != "" {
			metrics[name] = true
		}
		for _, label := range regexp.MustCompile(`[{,](\w+)="`).FindAllStringSubmatch(line, -1) {
			labels[label[1]] = true
		}
	}
	return metrics, labels
}

// Dashboard and alerts name metrics and labels that exist, and the dashboard shows all
// metrics.
func TestExpressions(t *testing.T) {
	metrics, labels := exported(t)
	d := readDashboard(t)
	exprs := make(map[string]string)
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			exprs[p.Title+" "+target.RefID] = target.Expr + " " + target.LegendFormat
		}
	}
	used := make(map[string]bool)
	for where, expr := range exprs {
		for _, name := range regexp.MustCompile(`jwtguard_\w+|error_type`).FindAllString(expr, -1) {
			used[name] = true
			assert.True(t, metrics[name] || labels[name], "M4 %s: there is no %s", where, name)
		}
	}
	for _, name := range regexp.MustCompile(`jwtguard_\w+|error_type`).FindAllString(alerts, -1) {
		assert.True(t, metrics[name] || labels[name], "M4 alerts: there is no %s", name)
	}
	for name := range metrics {
		base := regexp.MustCompile(`_(sum|count)$`).ReplaceAllString(name, "_bucket")
		assert.True(t, used[base], "M4 the dashboard does not show %s", name)
	}
}

// The dashboard is one that Grafana shows as it is meant.
func TestDashboard(t *testing.T) {
	var ids []int
	taken := make(map[[2]int]string)
	for _, p := range readDashboard(t).Panels {
		assert.NotContains(t, ids, p.ID)
		ids = append(ids, p.ID)
		assert.Contains(t, []string{"stat", "timeseries"}, p.Type)
		assert.NotEmpty(t, p.Description, p.Title)
		g := p.GridPos
		assert.LessOrEqual(t, g.X+g.W, 24, p.Title)
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				assert.Empty(t, taken[[2]int{x, y}], "it is over %s", p.Title)
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}

// promtool accepts the alerts, and finds that they do what their tests say. Each alert
// has a test in which it fires and one in which it does not.
func TestAlerts(t *testing.T) {
	t.Run("M4 promtool", func(t *testing.T) {
		for _, args := range [][]string{{"check", "rules", "alerts/jwtguard.yml"}, {"test", "rules", "alerts/jwtguard_test.yml"}} {
			out, err := exec.Command(promtool(t), args...).CombinedOutput()
			assert.NoError(t, err, "%s", out)
		}
	})
	tests, err := os.ReadFile("alerts/jwtguard_test.yml")
	require.NoError(t, err)
	page, err := os.ReadFile("../../docs/observability.md")
	require.NoError(t, err)
	rules := regexp.MustCompile(`- alert: (\w+)\n(?s:.+?)severity: (\w+)`).FindAllStringSubmatch(alerts, -1)
	assert.Len(t, rules, strings.Count(string(page), "\n| `Jwtguard"))
	for _, rule := range rules {
		assert.Contains(t, string(page), "| `"+rule[1]+"` | "+rule[2]+" |", "M4 docs/observability.md")
	}
	for _, alert := range regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(alerts, -1) {
		assert.Regexp(t, `alertname: `+alert[1]+`\n +exp_alerts:`, string(tests), "M4 it never fires")
		assert.Regexp(t, `alertname: `+alert[1]+` }`, string(tests), "M4 it is never silent")
	}
}

// Alerts that were made faster are still accepted.
func TestFaster(t *testing.T) {
	rules := filepath.Join(t.TempDir(), "rules.yml")
	require.NoError(t, os.WriteFile(rules, []byte(faster(alerts, sped)), 0o600))
	out, err := exec.Command(promtool(t), "check", "rules", rules).CombinedOutput()
	require.NoError(t, err, "%s", out)
	durations := regexp.MustCompile(`(?:\[|offset |for: )(\d+m?[smh])`).FindAllStringSubmatch(faster(alerts, sped), -1)
	require.NotEmpty(t, durations)
	for _, d := range durations {
		assert.True(t, strings.HasSuffix(d[1], "ms"), d[1])
	}
}

// promtool returns the program beside prometheus, or the one in PATH.
func promtool(t *testing.T) string {
	t.Helper()
	prometheus, err := findPrometheus()
	require.NoError(t, err, "prometheus must be in PATH, or named by PROMETHEUS: see CONTRIBUTING.md")
	beside := filepath.Join(filepath.Dir(prometheus), "promtool")
	if _, err := os.Stat(beside); err == nil {
		return beside
	}
	found, err := exec.LookPath("promtool")
	require.NoError(t, err)
	return found
}
