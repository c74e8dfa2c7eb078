package otelauth_test

import (
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/seed-12ed5b1c/jwtguard/adapters/otelauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// What Observe costs with the SDK, per decision about a remembered token.
func BenchmarkObserve(b *testing.B) {
	m, err := otelauth.New(otelauth.Config{MeterProvider: metric.NewMeterProvider(metric.WithReader(metric.NewManualReader()))})
	if err != nil {
		b.Fatal(err)
	}
	v := verifiertest.NewIssuer(b).Verifier(audience)
	if err := m.Watch(v); err != nil {
		b.Fatal(err)
	}
	d := verifier.Decision{Outcome: verifier.OutcomeAdmitted, Issuer: v.Issuers()[0].Issuer, Remembered: true, Duration: 300 * time.Nanosecond}
	b.ReportAllocs()
	for b.Loop() {
		m.Observe(b.Context(), d)
	}
}
