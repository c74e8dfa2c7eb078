package main

import (
	"context"
	"crypto"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

var clients = map[string][]connect.ClientOption{
	"Connect":       nil,
	"Connect, JSON": {connect.WithProtoJSON()},
	"gRPC":          {connect.WithGRPC()},
	"gRPC-Web":      {connect.WithGRPCWeb()},
}

// serve returns an API over HTTP/2 and TLS.
func serve(t *testing.T, v *verifier.Verifier) *httptest.Server {
	srv := httptest.NewUnstartedServer(routes(v))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

func newVerifier(t *testing.T, cfg verifier.Config) *verifier.Verifier {
	v, err := verifier.Settings{Realm: "orders", Logger: slog.New(slog.DiscardHandler)}.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	return v
}

func bearer[T any](req *connect.Request[T], tokens []string) *connect.Request[T] {
	for _, raw := range tokens {
		req.Header().Add("Authorization", "Bearer "+raw)
	}
	return req
}

func TestCalls(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	cfg := iss.Config("https://api.example.com")
	srv := serve(t, newVerifier(t, cfg))
	cfg.Keys, cfg.JWKS = unavailable{}, jwkscache.Config{}
	broken := serve(t, newVerifier(t, cfg))
	token := iss.Token(verifiertest.Claims{"scope": "orders:read"})

	for _, row := range []struct {
		name, procedure, tenant string
		tokens                  []string
		api                     *httptest.Server
		code                    connect.Code // 0 is good
		message, challenge      string
	}{
		{"G8 ok", list, "", []string{token}, srv, 0, "", ""},
		{"G8 no token", list, "", nil, srv, connect.CodeUnauthenticated, "An access token is needed, sent as Authorization: Bearer.", `Bearer realm="orders", scope="orders:read"`},
		{"G8 a bad token", list, "", []string{token + "x"}, srv, connect.CodeUnauthenticated, "The access token is not", `error="invalid_token"`},
		{"G8 two tokens", list, "", []string{token, token}, srv, connect.CodeInvalidArgument, "The request must carry exactly one well-formed access token.", `error="invalid_request"`},
		{"G8 missing scope", cancel, "", []string{token}, srv, connect.CodePermissionDenied, "The access token lacks a scope that this needs.", `scope="orders:cancel"`},
		{"G8 no keys", list, "", []string{token}, broken, connect.CodeUnavailable, "The access token cannot be checked at the moment.", ""},
		{"G8 the handler refuses", list, "acme", []string{token}, srv, connect.CodePermissionDenied, "The access token lacks a scope that this needs.", `scope="orders:read tenant:acme"`},
		{"G8 no such procedure", service + "Nothing", "", nil, srv, connect.CodeUnauthenticated, "An access token is needed", ""},
	} {
		for protocol, opts := range clients {
			t.Run(row.name+", "+protocol, func(t *testing.T) {
				c := connect.NewClient[wrapperspb.StringValue, wrapperspb.StringValue](row.api.Client(), row.api.URL+row.procedure, opts...)
				res, err := c.CallUnary(t.Context(), bearer(connect.NewRequest(wrapperspb.String(row.tenant)), row.tokens))
				if row.code == 0 {
					require.NoError(t, err)
					assert.Equal(t, "test-client", res.Msg.Value)
					return
				}
				assertRefused(t, err, row.code, row.message, row.challenge)
			})
		}
	}
	for _, row := range []struct {
		name               string
		tokens             []string
		code               connect.Code
		message, challenge string
	}{
		{"G8 stream", []string{token}, 0, "", ""},
		{"G8 stream, no token", nil, connect.CodeUnauthenticated, "An access token is needed", `Bearer realm="orders", scope="orders:read"`},
		{"G8 stream, missing scope", []string{iss.Token(nil)}, connect.CodePermissionDenied, "The access token lacks a scope", `scope="orders:read"`},
		{"G8 stream, two tokens", []string{token, token}, connect.CodeInvalidArgument, "The request must carry", `error="invalid_request"`},
	} {
		for protocol, opts := range clients {
			t.Run(row.name+", "+protocol, func(t *testing.T) {
				c := connect.NewClient[emptypb.Empty, wrapperspb.StringValue](srv.Client(), srv.URL+watch, opts...)
				ctx, goAway := context.WithCancel(t.Context())
				defer goAway()
				s, err := c.CallServerStream(ctx, bearer(connect.NewRequest(new(emptypb.Empty)), row.tokens))
				require.NoError(t, err)
				if row.code == 0 {
					require.True(t, s.Receive(), s.Err())
					assert.Equal(t, "test-client", s.Msg().Value)
					return
				}
				assert.False(t, s.Receive())
				assertRefused(t, s.Err(), row.code, row.message, row.challenge)
			})
		}
	}
}

func assertRefused(t *testing.T, err error, code connect.Code, message, challenge string) {
	t.Helper()
	var refused *connect.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, code, refused.Code())
	assert.Contains(t, refused.Message(), message)
	assert.Contains(t, strings.Join(refused.Meta().Values("Www-Authenticate"), ""), challenge)
	assert.Equal(t, []string{"no-store"}, refused.Meta().Values("Cache-Control"), "R5")
}

// Without a protocol of Connect, the response is httpauth's.
func TestOtherRequests(t *testing.T) {
	srv := serve(t, verifiertest.NewIssuer(t).Verifier("https://api.example.com"))
	t.Run("G8 a form", func(t *testing.T) {
		res, err := srv.Client().Post(srv.URL+list, "application/x-www-form-urlencoded", strings.NewReader("a=b"))
		require.NoError(t, err)
		assert.NoError(t, res.Body.Close())
		assert.Equal(t, http.StatusUnauthorized, res.StatusCode)
		assert.Equal(t, `Bearer realm="api", scope="orders:read"`, res.Header.Get("Www-Authenticate"))
	})
}

// A handler's stream ends with its token.
func TestStreamsEnd(t *testing.T) {
	t.Run("G8 at expiry", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			iss := verifiertest.NewIssuer(t)
			v := iss.Verifier("https://api.example.com")
			r := httptest.NewRequest(http.MethodPost, watch, strings.NewReader("\x00\x00\x00\x00\x00"))
			r.Header.Set("Content-Type", "application/connect+proto")
			r.Header.Set("Authorization", "Bearer "+iss.Token(verifiertest.Claims{"exp": time.Now().Add(time.Hour).Unix(), "scope": "orders:read"}))
			w := httptest.NewRecorder()
			began := time.Now()
			routes(v).ServeHTTP(w, r)
			assert.Equal(t, time.Hour+time.Minute, time.Since(began).Round(time.Second))
			assert.Contains(t, w.Body.String(), `{"error":{"code":"unauthenticated","message":"The access token has expired."}`)
		})
	})
}

// unavailable is a KeySource that cannot tell.
type unavailable struct{}

func (unavailable) Lookup(context.Context, jwkscache.Query) ([]crypto.PublicKey, error) {
	return nil, errors.New("no keys")
}
