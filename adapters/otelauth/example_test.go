package otelauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/otelauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Decisions as metrics. In place of the ManualReader goes an exporter's reader.
func Example() {
	reader := metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(reader))

	m, err := otelauth.New(otelauth.Config{MeterProvider: provider})
	if err != nil {
		panic(err)
	}
	v, err := verifier.Settings{Observe: m.Observe, ObserveKeys: m.ObserveKeys}.New(verifier.Config{
		Issuer:        "https://login.example.com/",
		Audiences:     []string{"https://api.example.com"},
		SharedSecrets: [][]byte{[]byte(strings.Repeat("an example's", 4))}, // so that nothing is fetched here
	})
	if err != nil {
		panic(err)
	}
	defer v.Close()
	if err := m.Watch(v); err != nil {
		panic(err)
	}

	api := httpauth.Protect(v)(http.NotFoundHandler())
	r := httptest.NewRequest(http.MethodGet, "/orders", nil)
	api.ServeHTTP(httptest.NewRecorder(), r)
	r.Header.Set("Authorization", "Bearer not-a-token")
	api.ServeHTTP(httptest.NewRecorder(), r)
	api.ServeHTTP(httptest.NewRecorder(), r)

	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &all); err != nil {
		panic(err)
	}
	for _, metric := range all.ScopeMetrics[0].Metrics {
		if decisions, ok := metric.Data.(metricdata.Sum[int64]); ok && metric.Name == "jwtguard.decisions" {
			for _, p := range decisions.DataPoints {
				reason, _ := p.Attributes.Value("error.type")
				fmt.Println(reason.AsString(), p.Value)
			}
		}
	}
	// Unordered output:
	// no_token 1
	// malformed 2
}
