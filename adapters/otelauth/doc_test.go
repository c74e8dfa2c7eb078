package otelauth_test

import (
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// The tables of the package's doc and of docs/observability.md have all metrics, with
// their kinds, units and attributes.
func TestTables(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	m := newRig(t)
	cfg := iss.Config(audience)
	cfg.MaxLifetime = time.Hour
	m.verifier(withLists(verifier.RevocationStats{MaxEntries: 1, Age: 1}, verifier.ProofStats{MaxProofs: 1}), cfg, verifier.Config{
		Issuer: "https://stored", Audiences: cfg.Audiences, MaxLifetime: time.Hour,
		Keys: &keysWithStats{State: jwkscache.Fresh, Store: jwkscache.StoreStats{Saves: 1, Age: 1}},
	})
	m.Observe(t.Context(), verifier.Decision{Outcome: verifier.OutcomeRefused, Reason: verifier.ErrScope, Issuer: iss.URL(), KeyLookup: 1, Signature: 1})
	m.ObserveKeys(jwkscache.Event{Kind: jwkscache.EventFailed, Source: iss.URL()})
	type row struct{ kind, unit, attributes string }
	want := make(map[string]row)
	for _, s := range m.collect().ScopeMetrics {
		for _, i := range s.Metrics {
			assert.NotEmpty(t, i.Description)
			switch data := i.Data.(type) {
			case metricdata.Sum[int64]:
				kind := "up-down counter"
				if data.IsMonotonic {
					kind = "counter"
				}
				want[i.Name] = row{kind, i.Unit, keys(data.DataPoints[0].Attributes)}
			case metricdata.Gauge[float64]:
				want[i.Name] = row{"gauge", i.Unit, keys(data.DataPoints[0].Attributes)}
			case metricdata.Histogram[float64]:
				want[i.Name] = row{"histogram", i.Unit, keys(data.DataPoints[0].Attributes)}
			}
		}
	}
	require.Len(t, want, 21)
	for file, pattern := range map[string]string{
		"doc.go":                      `(?m)^//\t(jwtguard\.[a-z_.]+) +(counter|up-down counter|gauge|histogram) +(\S+) *(.*)$`,
		"../../docs/observability.md": "(?m)^\\| `(jwtguard\\.[a-z_.]+)` \\| ([a-z-]+(?: counter)?), `(\\S+)` \\| (.*?) ?\\|",
	} {
		page, err := os.ReadFile(file)
		require.NoError(t, err)
		got := make(map[string]row)
		for _, line := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(page), -1) {
			got[line[1]] = row{line[2], line[3], names(line[4])}
		}
		assert.Equal(t, want, got, "M1 %s", file)
	}
}
