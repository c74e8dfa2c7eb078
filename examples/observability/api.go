package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/otlptranslator"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/otelauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

// An observedAPI is the part of this example to copy: a protected API, and a handler
// for Prometheus that belongs on an internal listener.
type observedAPI struct {
	handler, metrics http.Handler
	revoked          *revocation.List
	close            func() error
}

// maxLifetime is that of the issuers' tokens. A revocation is kept as long.
const maxLifetime = time.Hour

func newAPI(log *slog.Logger, issuers ...verifier.Config) (*observedAPI, error) {
	registry := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(
		otelprometheus.WithRegisterer(registry),
		otelprometheus.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes),
		otelprometheus.WithoutScopeInfo(),
	)
	if err != nil {
		return nil, err
	}
	provider := metric.NewMeterProvider(metric.WithReader(exporter))
	revoked, err := revocation.New(revocation.Config{MaxLifetime: maxLifetime})
	if err != nil {
		return nil, err
	}
	proofs, err := dpop.New(dpop.Config{Origins: []string{audience}})
	if err != nil {
		return nil, err
	}
	m, err := otelauth.New(otelauth.Config{MeterProvider: provider})
	if err != nil {
		return nil, err
	}
	v, err := verifier.Settings{
		Logger: log, Observe: m.Observe, ObserveKeys: m.ObserveKeys,
		Revocation: revoked, Bindings: []verifier.Binding{proofs},
	}.New(issuers...)
	if err != nil {
		return nil, err
	}
	if err := m.Watch(v); err != nil {
		return nil, err
	}
	return &observedAPI{
		handler: routes(v),
		metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
		revoked: revoked,
		close: func() error {
			return errors.Join(m.Close(), v.Close(), provider.Shutdown(context.Background()))
		},
	}, nil
}

func routes(v *verifier.Verifier) http.Handler {
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux := http.NewServeMux()
	mux.Handle("GET /orders", httpauth.Protect(v, verifier.Scope("orders:read"))(ok))
	mux.Handle("POST /orders", httpauth.Protect(v, verifier.Scope("orders:write"))(ok))
	mux.Handle("GET /catalogue", httpauth.Optional(v)(ok))
	return mux
}
