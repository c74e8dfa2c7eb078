package otelauth_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/seed-12ed5b1c/jwtguard/adapters/otelauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const audience = "https://api.example.com"

// A rig is Metrics with the reader of their SDK.
type rig struct {
	t      *testing.T
	reader *metric.ManualReader
	*otelauth.Metrics
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, reader: metric.NewManualReader()}
	provider := metric.NewMeterProvider(metric.WithReader(r.reader))
	t.Cleanup(func() { assert.NoError(t, provider.Shutdown(context.Background())) })
	var err error
	r.Metrics, err = otelauth.New(otelauth.Config{MeterProvider: provider})
	require.NoError(t, err)
	return r
}

// verifier returns a Verifier that reports to r.
func (r *rig) verifier(s verifier.Settings, issuers ...verifier.Config) *verifier.Verifier {
	r.t.Helper()
	s.Observe, s.ObserveKeys, s.Logger = r.Observe, r.ObserveKeys, slog.New(slog.DiscardHandler)
	v, err := s.New(issuers...)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { assert.NoError(r.t, v.Close()) })
	require.NoError(r.t, r.Watch(v))
	require.NoError(r.t, v.Ready(r.t.Context()))
	return v
}

func (r *rig) collect() (all metricdata.ResourceMetrics) {
	r.t.Helper()
	require.NoError(r.t, r.reader.Collect(r.t.Context(), &all))
	return all
}

// series returns the value of each series, of histograms the count:
// "jwtguard.decisions{error.type=expired,jwtguard.inner=false}".
func (r *rig) series() map[string]float64 {
	r.t.Helper()
	values := make(map[string]float64)
	for _, s := range r.collect().ScopeMetrics {
		for _, m := range s.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					values[name(m.Name, p.Attributes)] = float64(p.Value)
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					values[name(m.Name, p.Attributes)] = p.Value
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					values[name(m.Name, p.Attributes)] = float64(p.Count)
				}
			default:
				require.Fail(r.t, "unknown data", "%s: %T", m.Name, data)
			}
		}
	}
	return values
}

func name(metric string, attrs attribute.Set) string {
	return metric + "{" + attributes(attrs.ToSlice()) + "}"
}

func attributes(attrs []attribute.KeyValue) string {
	var all []string
	for _, a := range attrs {
		all = append(all, fmt.Sprintf("%s=%v", a.Key, a.Value.AsInterface()))
	}
	return strings.Join(all, ",")
}

// of keeps the series of one metric, without its name.
func of(all map[string]float64, metric string) map[string]float64 {
	kept := make(map[string]float64)
	for name, value := range all {
		if attrs, found := strings.CutPrefix(name, metric+"{"); found {
			kept[strings.TrimSuffix(attrs, "}")] = value
		}
	}
	return kept
}

// send sends a request and returns the status.
func send(ctx context.Context, h http.Handler, method, path, raw string) int {
	r := httptest.NewRequestWithContext(ctx, method, path, nil)
	if raw != "" {
		r.Header.Set("Authorization", "Bearer "+raw)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

var ok = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

func sorted(all map[string]float64) (names []string) {
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// histogram returns one series of a histogram.
func (r *rig) histogram(metric, attrs string) (found metricdata.HistogramDataPoint[float64]) {
	r.t.Helper()
	for _, s := range r.collect().ScopeMetrics {
		for _, m := range s.Metrics {
			if data, ok := m.Data.(metricdata.Histogram[float64]); ok {
				for _, p := range data.DataPoints {
					if name(m.Name, p.Attributes) == metric+"{"+attrs+"}" {
						found = p
					}
				}
			}
		}
	}
	require.NotZero(r.t, found.Count, "%s{%s}", metric, attrs)
	return found
}

// claims returns the payload of a token that is good until its signature is checked.
func claims(issuer string) string {
	return fmt.Sprintf(`{"iss":%q,"aud":%q,"exp":%d}`, issuer, audience, time.Now().Add(time.Hour).Unix())
}

// keys returns the names of attributes, sorted.
func keys(attrs attribute.Set) string {
	var all []string
	for _, a := range attrs.ToSlice() {
		all = append(all, string(a.Key))
	}
	return strings.Join(all, " ")
}

// names returns the names of attributes in a table's cell, sorted.
func names(cell string) string {
	all := strings.FieldsFunc(cell, func(c rune) bool { return strings.ContainsRune("`, ", c) })
	slices.Sort(all)
	return strings.Join(all, " ")
}
