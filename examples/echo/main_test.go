package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/examples/internal/ordertest"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

var testConfig = config{
	orders: ordertest.Orders, invoices: ordertest.Invoices, invoiceClients: ordertest.InvoiceClients,
}

func TestRoutes(t *testing.T) {
	ordertest.Routes(t, func(log *slog.Logger, v *verifier.Verifier) http.Handler {
		return routes(log, v, testConfig)
	})
}

func TestRun(t *testing.T) {
	ordertest.Run(t, func(ctx context.Context, log *slog.Logger, issuer string, l net.Listener) error {
		cfg := testConfig
		cfg.issuer = issuer
		return run(ctx, log, cfg, l)
	})
}

func TestConfigFromEnvironment(t *testing.T) {
	env := map[string]string{"ISSUER": "https://login.example.com/", "AUDIENCE": "a", "INVOICES_CLIENTS": ",x, y,"}
	got, err := configFrom(func(name string) string { return env[name] })
	require.NoError(t, err)
	assert.Equal(t, config{
		issuer: "https://login.example.com/", orders: "a", invoices: "a", addr: "127.0.0.1:8080", invoiceClients: []string{"x", "y"},
	}, got)
	for _, wrong := range [][2]string{{"ISSUER", ""}, {"AUDIENCE", ""}, {"INVOICES_CLIENTS", ""}, {"INVOICES_CLIENTS", " ,"}} {
		_, err := configFrom(func(name string) string {
			if name == wrong[0] {
				return wrong[1]
			}
			return env[name]
		})
		assert.ErrorContains(t, err, wrong[0])
	}
}
