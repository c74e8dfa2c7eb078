package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A scene is the example with a Prometheus that scrapes it four times a second, and
// clients that go on until the test ends.
type scene struct {
	t *testing.T
	*world
	*scraper
	caller *caller
	mu     sync.Mutex // guards caller.tokens
}

// sped is how much faster than in production the alerts are: 5 minutes are a second.
const sped = 300

func newScene(t *testing.T) *scene {
	program, err := findPrometheus()
	require.NoError(t, err, "prometheus must be in PATH, or named by PROMETHEUS: see CONTRIBUTING.md")
	log := slog.New(slog.DiscardHandler)
	w, err := build(log, "127.0.0.1:0", "127.0.0.1:0", "")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, w.close()) })
	address, err := freeAddress()
	require.NoError(t, err)
	p, err := startPrometheus(program, address, strings.TrimPrefix(w.internalURL, "http://"), faster(alerts, sped), 250*time.Millisecond)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.stop()) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, p.ready(ctx))
	require.NoError(t, w.ready(ctx))

	s := &scene{t: t, world: w, scraper: p, caller: &caller{w: w}}
	s.renew()
	s.background(20*time.Millisecond, func(ctx context.Context) error {
		s.mu.Lock()
		c := *s.caller
		s.mu.Unlock()
		return c.usual(ctx)
	})
	return s
}

// background sends requests until the test ends or the function that it returns is
// called, at most for five minutes.
func (s *scene) background(every time.Duration, request func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- send(ctx, every, 5*time.Minute, request) }()
	stop = sync.OnceFunc(func() {
		cancel()
		assert.NoError(s.t, <-done)
	})
	s.t.Cleanup(stop)
	return stop
}

func (s *scene) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	require.NoError(s.t, s.caller.renew())
}

// eventually waits until the expression has a result.
func (s *scene) eventually(t *testing.T, expr string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		result, err := s.query(t.Context(), expr)
		require.NoError(c, err)
		require.NotEmpty(c, result)
	}, time.Minute, 100*time.Millisecond, expr)
}

// never reports a result of the expression at any time so far.
func (s *scene) never(t *testing.T, expr string) {
	t.Helper()
	result, err := s.query(t.Context(), "max_over_time(("+expr+")[5m:1s])")
	require.NoError(t, err)
	assert.Empty(t, result, expr)
}

func firing(alert string) string {
	return fmt.Sprintf("ALERTS{alertname=%q, alertstate=\"firing\"}", alert)
}

// quiet has a result if any alert is pending or firing, except one that compares seconds
// with other seconds here, of few requests.
const quiet = `ALERTS{alertname!="JwtguardRefusalsRising"}`

// What a Prometheus sees of a rotation, of an outage and of an attack.
func TestPrometheus(t *testing.T) {
	s := newScene(t)
	partner := fmt.Sprintf("{jwtguard_issuer=%q}", s.partner.Issuer())

	t.Run("M5 as usual", func(t *testing.T) {
		s.eventually(t, `jwtguard_decisions_total{jwtguard_outcome="admitted"} > 100`)
		for _, reason := range []string{"no_token", "expired", "scope", "audience"} {
			s.eventually(t, fmt.Sprintf(`jwtguard_decisions_total{error_type=%q}`, reason))
		}
		s.eventually(t, `jwtguard_token_cache_lookups_total{jwtguard_token_cache_hit="true"} > 100`)
		s.never(t, quiet)
	})
	t.Run("M5 a rotation is seen, and nothing is refused", func(t *testing.T) {
		s.never(t, `jwtguard_keys_events_total{jwtguard_keys_event="rotated"} > 0`)
		s.eventually(t, `jwtguard_keys_events_total{jwtguard_keys_event="rotated"} == 0`)
		const admitted = `sum(jwtguard_decisions_total{jwtguard_outcome="admitted"})`
		before, err := s.query(t.Context(), admitted)
		require.NoError(t, err)
		require.NoError(t, s.login.Rotate(""))
		s.renew()
		s.eventually(t, `jwtguard_keys_events_total{jwtguard_keys_event="rotated"} == 1`)
		s.eventually(t, fmt.Sprintf("%s > %f + 100", admitted, before[0].Value)) // nearly all with the new key
		s.eventually(t, fmt.Sprintf(`jwtguard_keys{jwtguard_issuer=%q} == 2`, s.login.Issuer()))
		s.never(t, `jwtguard_decisions_total{error_type=~"signature|unavailable"}`)
		s.never(t, quiet)
	})
	t.Run("M5 an outage is seen, and so is its end", func(t *testing.T) {
		s.partner.Fail(http.StatusServiceUnavailable)
		require.NoError(t, s.partner.Rotate(""))
		s.renew()
		s.eventually(t, `jwtguard_decisions_total{jwtguard_outcome="unavailable"} > 10`)
		for _, alert := range []string{"JwtguardUnavailable", "JwtguardRefreshFailing", "JwtguardKeysOld"} {
			s.eventually(t, firing(alert))
		}
		s.never(t, firing("JwtguardNoKeys")) // since the known keys stay in use
		s.eventually(t, "jwtguard_keys"+partner+" == 1")
		s.partner.Heal()
		s.eventually(t, "jwtguard_keys"+partner+" == 2")
		s.eventually(t, "jwtguard_keys_age_seconds"+partner+" < 3")
		for _, alert := range []string{"JwtguardUnavailable", "JwtguardRefreshFailing", "JwtguardKeysOld"} {
			s.eventually(t, "absent("+firing(alert)+")")
		}
	})
	t.Run("M2 M5 an attack is seen, and makes few series", func(t *testing.T) {
		var stops []func()
		for range 25 { // some wait for a fetch
			stops = append(stops, s.background(100*time.Millisecond, s.caller.junk))
		}
		for _, reason := range []string{"signature", "issuer", "algorithm"} {
			s.eventually(t, fmt.Sprintf(`jwtguard_decisions_total{error_type=%q} > 10`, reason))
		}
		s.eventually(t, "jwtguard_keys_missing_total > 10")
		const count = `count({__name__=~"jwtguard_.+"})`
		before, err := s.query(t.Context(), count)
		require.NoError(t, err)
		for _, alert := range []string{"JwtguardUnknownIssuers", "JwtguardRefusalsRising"} {
			s.eventually(t, firing(alert))
		}
		s.eventually(t, `sum(jwtguard_decisions_total{error_type="issuer"}) > 100`)
		after, err := s.query(t.Context(), count)
		require.NoError(t, err)
		assert.InDelta(t, before[0].Value, after[0].Value, 25, "series of one histogram may have been late")
		assert.Less(t, after[0].Value, 270.)
		for _, stop := range stops {
			stop()
		}
	})
	t.Run("M3 nothing that a stranger chose is stored", func(t *testing.T) {
		var names []string
		require.NoError(t, s.get(t.Context(), "/api/v1/labels", &names))
		require.Contains(t, names, "error_type")
		for _, name := range names {
			var values []string
			require.NoError(t, s.get(t.Context(), "/api/v1/label/"+name+"/values", &values))
			assert.NotContains(t, strings.ToLower(strings.Join(values, " ")), "junk", name)
			assert.NotContains(t, strings.Join(values, " "), "billing", name)
		}
	})
	t.Run("M4 every expression of the dashboard has a result", func(t *testing.T) {
		for _, p := range readDashboard(t).Panels {
			for _, target := range p.Targets {
				expr := strings.NewReplacer("$__rate_interval", "4m", "$job", ".*").Replace(target.Expr)
				s.eventually(t, expr) // a scrape that fails ends all series until the next one
			}
		}
	})
	t.Run("M4 every alert can be evaluated", func(t *testing.T) {
		var data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
		require.NoError(t, s.get(t.Context(), "/api/v1/rules", &data))
		require.Len(t, data.Groups, 1)
		require.Len(t, data.Groups[0].Rules, strings.Count(alerts, "- alert:"))
		for _, rule := range data.Groups[0].Rules {
			assert.Equal(t, "ok", rule.Health, "%s: %s", rule.Name, rule.LastError)
		}
	})
}

// The command, for a few seconds.
func TestRun(t *testing.T) {
	_, err := findPrometheus()
	require.NoError(t, err)
	address, err := freeAddress()
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, options{api: "127.0.0.1:0", internal: "127.0.0.1:0", prometheus: address, during: 3 * time.Second, exit: true}))
	assert.Contains(t, out.String(), "Prometheus  http://"+address)
	assert.Contains(t, out.String(), "a stranger sends junk")
}

// The internal listener has what the page needs.
func TestPage(t *testing.T) {
	w, err := build(slog.New(slog.DiscardHandler), "127.0.0.1:0", "127.0.0.1:0", "")
	require.NoError(t, err)
	defer func() { assert.NoError(t, w.close()) }()
	w.note("one")
	get := func(path string) []byte {
		res, err := client.Get(w.internalURL + path)
		require.NoError(t, err)
		defer res.Body.Close()
		require.Equal(t, http.StatusOK, res.StatusCode, path)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return body
	}
	assert.Contains(t, string(get("/")), "/dashboards/jwtguard.json")
	var phases []phaseStart
	require.NoError(t, json.Unmarshal(get("/phases"), &phases))
	assert.Equal(t, "one", phases[0].Title)
	assert.True(t, json.Valid(get("/dashboards/jwtguard.json")))
}
