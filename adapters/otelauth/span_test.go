package otelauth_test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// The span of the request has what was decided, and an event for each decision.
func TestSpan(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	m := newRig(t)
	v := m.verifier(verifier.Settings{}, iss.Config(audience))
	read := httpauth.Protect(v, verifier.Scope("orders:read"))
	inner := read(httpauth.Require(verifier.Scope("orders:write"))(ok))
	reads := iss.Token(verifiertest.Claims{"scope": "orders:read"})
	writes := iss.Token(verifiertest.Claims{"scope": "orders:read orders:write"})
	issuer := attribute.String("jwtguard.issuer", iss.URL())
	of := func(outcome string, remembered bool, more ...attribute.KeyValue) []attribute.KeyValue {
		return append(more, attribute.String("jwtguard.outcome", outcome), attribute.Bool("jwtguard.remembered", remembered))
	}
	reason := func(name string) attribute.KeyValue { return attribute.String("jwtguard.reason", name) }
	const total, lookup, signature = "jwtguard.decision.duration", "jwtguard.key_lookup.duration", "jwtguard.signature.duration"
	for _, row := range []struct {
		name   string
		h      http.Handler
		raw    string
		status int
		want   []attribute.KeyValue
		took   [][]attribute.Key // of each event
	}{
		{"M1 new token", read(ok), reads, 200, of("admitted", false, issuer), [][]attribute.Key{{total, lookup, signature}}},
		{"M1 remembered token", read(ok), reads, 200, of("admitted", true, issuer), [][]attribute.Key{{total}}},
		{"M1 no token", read(ok), "", 401, of("refused", false, reason("no_token")), [][]attribute.Key{{total}}},
		{"M1 expired", read(ok), iss.Token(verifiertest.Claims{"exp": 1}), 401, of("refused", false, issuer, reason("expired")), [][]attribute.Key{{total}}},
		{"M1 inner, admitted", inner, writes, 200, of("admitted", false, issuer), [][]attribute.Key{{total, lookup, signature}, {total}}},
		{"M1 inner, remembered", inner, writes, 200, of("admitted", true, issuer), [][]attribute.Key{{total}, {total}}},
		{"M1 inner, refused", inner, reads, 403, of("refused", false, issuer, reason("scope")), [][]attribute.Key{{total}, {total}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			span := record(t, func(ctx context.Context) {
				require.Equal(t, row.status, send(ctx, row.h, "GET", "/", row.raw))
			})
			assert.ElementsMatch(t, row.want, span.Attributes())
			assert.Equal(t, codes.Unset, span.Status().Code, "it is the server's")
			require.Len(t, span.Events(), len(row.took))
			for i, e := range span.Events() {
				assert.Equal(t, "jwtguard.decision", e.Name)
				attrs := attribute.NewSet(e.Attributes...)
				for _, key := range []attribute.Key{total, lookup, signature} {
					took, there := attrs.Value(key)
					assert.Equal(t, slices.Contains(row.took[i], key), there, key)
					assert.Equal(t, there, took.AsFloat64() > 0, key)
				}
				at, _ := attrs.Value("jwtguard.inner")
				assert.Equal(t, i == 1, at.AsBool())
			}
		})
	}
}

// record returns the span in whose context f was called.
func record(t *testing.T, f func(context.Context)) trace.ReadOnlySpan {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(recorder))
	ctx, span := provider.Tracer("test").Start(t.Context(), "request")
	f(ctx)
	span.End()
	require.Len(t, recorder.Ended(), 1)
	return recorder.Ended()[0]
}
