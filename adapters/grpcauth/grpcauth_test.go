package grpcauth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seed-12ed5b1c/jwtguard/adapters/grpcauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/conformance"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

const method = "/orders.v1.Orders/List"

// echo answers with the client id, or with "nobody".
func echo(ctx context.Context, _ *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	if tok, ok := grpcauth.Token(ctx); ok {
		return wrapperspb.String(tok.ClientID()), nil
	}
	return wrapperspb.String("nobody"), nil
}

// kinds are the two kinds of methods, as test names: whatever holds for one does for the other.
var kinds = map[string]bool{"unary": false, "streaming": true}

func bearer(tokens ...string) metadata.MD {
	md := metadata.MD{}
	for _, raw := range tokens {
		md.Append("authorization", "Bearer "+raw)
	}
	return md
}

// call calls the method with md, and returns what it answered.
func call(t *testing.T, conn *grpc.ClientConn, method string, md metadata.MD) (string, error) {
	t.Helper()
	out, _, err := overHTTP2(conn)(t.Context(), method, md, wrapperspb.String("in"))
	if err != nil {
		return "", err
	}
	return out.Value, nil
}

// recorder is a Guard that keeps what it saw.
func recorder(seen **http.Request) verifier.Guard {
	return func(r *http.Request) (context.Context, error) {
		*seen = r
		return r.Context(), nil
	}
}

func TestRequest(t *testing.T) {
	for kind, streaming := range kinds {
		var seen *http.Request
		_, conn := serve(t, grpcauth.Guard(recorder(&seen)).Options(), service(method, echo, streaming))
		t.Run("G3 what a Guard sees, "+kind, func(t *testing.T) {
			_, err := call(t, conn, method, metadata.MD{
				"authorization": {"Bearer a", "Bearer b"}, "x-api-key": {"k"}, "trace-bin": {"\x00\xff"}, "authorization-bin": {"Bearer c"},
			})
			require.NoError(t, err)
			assert.Equal(t, http.MethodPost, seen.Method)
			assert.Equal(t, method, seen.URL.Path)
			assert.Equal(t, method, seen.URL.String())
			assert.Equal(t, method, seen.RequestURI)
			assert.Equal(t, method, seen.Pattern)
			assert.Equal(t, "api.example.com", seen.Host)
			assert.Equal(t, http.NoBody, seen.Body)
			assert.Equal(t, "bufconn", seen.RemoteAddr)
			assert.Nil(t, seen.TLS)
			assert.Equal(t, []string{"Bearer a", "Bearer b"}, seen.Header["Authorization"])
			assert.Equal(t, "k", seen.Header.Get("X-Api-Key"))
			for name := range seen.Header {
				assert.NotContains(t, name, ":")
				assert.NotContains(t, strings.ToLower(name), "-bin")
				assert.Equal(t, http.CanonicalHeaderKey(name), name)
			}
		})
	}
}

// What only other interceptors and other programs can put into the metadata.
func TestOddMetadata(t *testing.T) {
	var seen *http.Request
	inject := func(md metadata.MD) grpc.ServerOption {
		return grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			return next(metadata.NewIncomingContext(ctx, md), req)
		})
	}
	v, good, _ := conformance.Observed(t)
	for name, row := range map[string]struct {
		md   metadata.MD
		want codes.Code
	}{
		"G3 no metadata at all":              {nil, codes.Unauthenticated},
		"G3 names in other case":             {metadata.MD{"Authorization": {"Bearer " + good}}, codes.OK},
		"G3 pseudo headers are no fields":    {metadata.MD{":authorization": {"Bearer " + good}, ":method": {"GET"}, ":path": {"/"}}, codes.Unauthenticated},
		"G3 binary metadata is no field":     {metadata.MD{"authorization-bin": {"Bearer " + good}}, codes.Unauthenticated},
		"G3 an empty list of values":         {metadata.MD{"authorization": nil, ":authority": nil}, codes.Unauthenticated},
		"G3 two tokens in one value":         {metadata.Pairs("authorization", "Bearer "+good+", Bearer "+good), codes.InvalidArgument},
		"G3 two values":                      {bearer(good, good), codes.InvalidArgument},
		"G3 two values, of which one is bad": {bearer("x", good), codes.InvalidArgument},
		"G3 other metadata beside it":        {metadata.Join(bearer(good), metadata.Pairs("proxy-authorization", "Bearer x", "grpcgateway-authorization", "Bearer x")), codes.OK},
		"G3 only what a proxy forwards":      {metadata.Pairs("grpcgateway-authorization", "Bearer "+good, "x-forwarded-authorization", "Bearer "+good), codes.Unauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			seen = nil
			watch := grpcauth.Guard(func(r *http.Request) (context.Context, error) {
				seen = r
				return v.Protect()(r)
			})
			_, conn := serve(t, append([]grpc.ServerOption{inject(row.md)}, watch.Options()...), service(method, echo, false))
			_, err := call(t, conn, method, nil)
			assert.Equal(t, row.want, status.Code(err), err)
			assert.Equal(t, http.MethodPost, seen.Method)
			assert.Equal(t, method, seen.URL.Path)
			for name := range seen.Header {
				assert.NotContains(t, name, ":")
			}
		})
	}
	t.Run("G3 X2 a token in another place", func(t *testing.T) {
		iss := verifiertest.NewIssuer(t)
		v, err := verifier.Settings{
			Logger:    slog.New(slog.DiscardHandler),
			TokenFrom: func(r *http.Request) string { return r.Header.Get("X-Token") },
		}.New(iss.Config("https://api.example.com"))
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, v.Close()) })
		_, conn := serve(t, grpcauth.Protect(v).Options(), service(method, echo, false))
		token := iss.Token(nil)
		_, err = call(t, conn, method, metadata.Pairs("x-token", token))
		assert.NoError(t, err)
		_, err = call(t, conn, method, metadata.Join(bearer(token), metadata.Pairs("x-token", token)))
		assert.Equal(t, codes.InvalidArgument, status.Code(err))
	})
	t.Run("G3 a thousand fields", func(t *testing.T) {
		md := bearer(good)
		for i := range 1000 {
			md.Append(fmt.Sprintf("x-%d", i), strings.Repeat("a", 1000))
		}
		_, conn := serve(t, grpcauth.Protect(v).Options(), service(method, echo, false))
		_, err := call(t, conn, method, md)
		assert.NoError(t, err)
	})
}

func infoOf(t *testing.T, err error) *errdetails.ErrorInfo {
	t.Helper()
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info
		}
	}
	require.Fail(t, "no ErrorInfo", "%v", err)
	return nil
}

func TestRefusals(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	v, err := verifier.Settings{Realm: "orders", Logger: slog.New(slog.DiscardHandler)}.New(iss.Config("https://api.example.com"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	listed, err := verifier.Settings{Resources: []verifier.Resource{{URL: "https://api.example.com"}}}.New(iss.Config("https://api.example.com"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, listed.Close()) })
	fails := func(err error) verifier.Guard {
		return func(*http.Request) (context.Context, error) { return nil, err }
	}
	good := iss.Token(verifiertest.Claims{"sub": "stranger"})
	for name, row := range map[string]struct {
		guard    verifier.Guard
		md       metadata.MD
		code     codes.Code
		reason   string
		metadata map[string]string
	}{
		"G2 no token":                                          {v.Protect(verifier.Scope("a", "b")), nil, codes.Unauthenticated, "NO_TOKEN", map[string]string{"realm": "orders", "scope": "a b"}},
		"G2 a token that no issuer of ours made":               {v.Protect(), bearer("a.b.c"), codes.Unauthenticated, "INVALID_TOKEN", map[string]string{"realm": "orders"}},
		"G2 another audience's, which is not told from others": {v.Protect(), bearer(iss.Token(verifiertest.Claims{"aud": "stranger"})), codes.Unauthenticated, "INVALID_TOKEN", map[string]string{"realm": "orders"}},
		"G2 no well-formed token":                              {v.Protect(), bearer("stranger's, token"), codes.InvalidArgument, "INVALID_REQUEST", map[string]string{"realm": "orders"}},
		"G2 a scope is missing":                                {v.Protect(verifier.Scope("a")), bearer(good), codes.PermissionDenied, "INSUFFICIENT_SCOPE", map[string]string{"realm": "orders", "scope": "a"}},
		"G2 step-up":                                           {v.Protect(verifier.StepUp(0, "gold")), bearer(good), codes.Unauthenticated, "INSUFFICIENT_USER_AUTHENTICATION", map[string]string{"realm": "orders", "acr_values": "gold"}},
		"G2 N1 with the resource's metadata": {listed.Protect(), nil, codes.Unauthenticated, "NO_TOKEN",
			map[string]string{"realm": "api", "resource_metadata": "https://api.example.com/.well-known/oauth-protected-resource"}},
		"G2 cannot tell":           {fails(verifier.ErrUnavailable), nil, codes.Unavailable, "TEMPORARILY_UNAVAILABLE", nil},
		"G2 misconfigured":         {fails(&verifier.Error{}), nil, codes.Internal, "SERVER_ERROR", nil},
		"G2 an error of one's own": {fails(errors.New("stranger")), nil, codes.PermissionDenied, "INSUFFICIENT_SCOPE", map[string]string{"realm": "api"}},
		"G2 challenges of one's own": {fails(&verifier.Error{Reason: verifier.ErrRevoked, Header: http.Header{"WWW-Authenticate": {"Negotiate x", `Own realm="other", hint="h"`}}}), nil,
			codes.Unauthenticated, "INVALID_TOKEN", map[string]string{"realm": "api", "hint": "h"}},
		"G2 header fields that metadata cannot have": {fails(&verifier.Error{Reason: verifier.ErrRevoked, Header: http.Header{"X-Odd": {"a\r\nb", "\xff", "c"}}}), nil,
			codes.Unauthenticated, "INVALID_TOKEN", map[string]string{"realm": "api"}},
	} {
		for kind, streaming := range kinds {
			t.Run(name+", "+kind, func(t *testing.T) {
				_, conn := serve(t, grpcauth.Guard(row.guard).Options(), service(method, echo, streaming))
				_, header, err := overHTTP2(conn)(t.Context(), method, row.md, nil)
				st := status.Convert(err)
				assert.Equal(t, row.code, st.Code())
				info := infoOf(t, err)
				assert.Equal(t, row.reason, info.Reason)
				assert.Equal(t, grpcauth.Domain, info.Domain)
				assert.Equal(t, row.metadata, info.Metadata)
				assert.Regexp(t, `^(An access token is|The access token|The request must|The user must|The API is) `, st.Message())
				assert.Equal(t, []string{"no-store"}, header["cache-control"], "R5")
				assert.Equal(t, row.code == codes.Unavailable || row.code == codes.Internal, len(header["www-authenticate"]) == 0)
				assert.NotContains(t, fmt.Sprint(st.Proto(), header), "stranger")
				for _, d := range st.Details() {
					if retry, ok := d.(*errdetails.RetryInfo); ok {
						assert.EqualValues(t, 5, retry.RetryDelay.Seconds)
					}
				}
				assert.Len(t, st.Details(), map[bool]int{true: 2, false: 1}[row.code == codes.Unavailable])
				if odd, there := header["x-odd"]; there {
					assert.Equal(t, []string{"c"}, odd)
				}
			})
		}
	}
}

// What a handler returns: gRPC sends the text of an error that has no status.
func TestHandlersErrors(t *testing.T) {
	v, good, _ := conformance.Observed(t)
	for name, row := range map[string]struct {
		err  func(context.Context) error
		code codes.Code
		text string
	}{
		"G6 of verifier.Require": {func(ctx context.Context) error { return verifier.Require(ctx, verifier.Scope("orders:write")) }, codes.PermissionDenied, "The access token lacks a scope that this needs."},
		"G6 wrapped": {func(ctx context.Context) error {
			return fmt.Errorf("secret: %w", verifier.Require(ctx, verifier.Scope("w")))
		}, codes.PermissionDenied, "The access token lacks a scope that this needs."},
		"G6 a reason":          {func(context.Context) error { return fmt.Errorf("secret: %w", verifier.ErrRevoked) }, codes.Unauthenticated, "The access token has been revoked."},
		"G6 a *verifier.Error": {func(context.Context) error { return &verifier.Error{Err: errors.New("secret")} }, codes.Internal, "The API is not set up correctly."},
		"G6 of Refuse":         {func(ctx context.Context) error { return grpcauth.Refuse(ctx, errors.New("secret")) }, codes.PermissionDenied, "The access token does not permit this."},
		"G6 of Refuse, wrapped": {func(ctx context.Context) error {
			return fmt.Errorf("order 7: %w", grpcauth.Refuse(ctx, verifier.ErrRevoked))
		}, codes.Unauthenticated, "order 7: The access token has been revoked."},
		"G6 a status stays":      {func(context.Context) error { return status.Error(codes.NotFound, "no such order") }, codes.NotFound, "no such order"},
		"G6 others stay":         {func(context.Context) error { return errors.New("disk full") }, codes.Unknown, "disk full"},
		"G6 a cancelled context": {func(context.Context) error { return context.Canceled }, codes.Canceled, "context canceled"},
	} {
		for kind, streaming := range kinds {
			t.Run(name+", "+kind, func(t *testing.T) {
				var seen error
				logs := func(err error) error { seen = err; return err }
				opts := append([]grpc.ServerOption{
					grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
						res, err := next(ctx, req)
						return res, logs(err)
					}),
					grpc.ChainStreamInterceptor(func(server any, s grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
						return logs(next(server, s))
					}),
				}, grpcauth.Protect(v).Options()...)
				_, conn := serve(t, opts, service(method, func(ctx context.Context, _ *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
					return nil, row.err(ctx)
				}, streaming))
				_, err := call(t, conn, method, bearer(good))
				assert.Equal(t, row.code, status.Code(err))
				assert.Equal(t, row.text, status.Convert(err).Message())
				assert.NotContains(t, fmt.Sprintf("%v %+v %q", seen, seen, seen), "secret")
				var cause *verifier.Error
				if row.code != codes.NotFound && row.code != codes.Unknown && row.code != codes.Canceled {
					assert.ErrorAs(t, seen, &cause)
				}
			})
		}
	}
}

// A panic in an interceptor ends the process: nobody recovers it.
func TestPanics(t *testing.T) {
	v, good, _ := conformance.Observed(t)
	for name, g := range map[string]verifier.Guard{
		"G6 a Check":        v.Protect(verifier.Check(func(context.Context, *verifier.Token) error { panic("secret") })),
		"G6 a Guard":        func(*http.Request) (context.Context, error) { panic(errors.New("secret")) },
		"G6 http's own way": func(*http.Request) (context.Context, error) { panic(http.ErrAbortHandler) },
		"G6 neither":        func(*http.Request) (context.Context, error) { return nil, nil },
		"G6 a Guard that fails with a nil *verifier.Error": func(*http.Request) (context.Context, error) { var e *verifier.Error; return nil, e },
	} {
		for kind, streaming := range kinds {
			t.Run(name+", "+kind, func(t *testing.T) {
				_, conn := serve(t, grpcauth.Guard(g).Options(), service(method, func(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
					t.Error("the handler ran")
					return nil, nil
				}, streaming))
				_, err := call(t, conn, method, bearer(good))
				assert.Contains(t, []codes.Code{codes.Internal, codes.PermissionDenied}, status.Code(err))
				assert.NotContains(t, err.Error(), "secret")
			})
		}
	}
}
