package e2e

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seed-12ed5b1c/jwtguard/adapters/grpcauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A client that others wrote, npm @grpc/grpc-js, with a token that others issued, npm
// oidc-provider, calls methods behind grpcauth.
func TestGRPC(t *testing.T) {
	s := startOIDCProvider(t, "ES256-1")
	v, _ := s.verifier(t, nil)
	token, other := s.token(t, ordersAPI), s.token(t, billingAPI)
	client, _ := startNode(t, "grpc-js.mjs")

	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	defer certificate.Close()
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		var opts []grpc.ServerOption
		ca := ""
		if secure {
			opts = append(opts, grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: certificate.TLS.Certificates})))
			ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate().Raw}))
		}
		target := serveOrders(t, v, opts)
		for _, row := range []struct {
			name, method string
			tokens       []string
			code         codes.Code
			reason       string // and of an answer, messages
			scope        string
			messages     []string
		}{
			{"ok", "List", []string{token}, codes.OK, "", "", []string{"shop: a"}},
			{"no token", "List", nil, codes.Unauthenticated, "NO_TOKEN", "orders:read", nil},
			{"another audience's", "List", []string{other}, codes.Unauthenticated, "INVALID_TOKEN", "orders:read", nil},
			{"two tokens, joined: grpc-js sends no second value", "List", []string{token + ", Bearer " + token}, codes.InvalidArgument, "INVALID_REQUEST", "orders:read", nil},
			{"missing scope", "Cancel", []string{token}, codes.PermissionDenied, "INSUFFICIENT_SCOPE", "orders:cancel", nil},
			{"stream", "Watch", []string{token}, codes.OK, "", "", []string{"shop: a", "shop: b"}},
			{"stream, no token", "Watch", nil, codes.Unauthenticated, "NO_TOKEN", "orders:read", nil},
			{"stream, another audience's", "Watch", []string{other}, codes.Unauthenticated, "INVALID_TOKEN", "orders:read", nil},
			{"stream, missing scope", "Refund", []string{token}, codes.PermissionDenied, "INSUFFICIENT_SCOPE", "orders:refund", nil},
			{"no line", "Hidden", []string{token}, codes.Internal, "SERVER_ERROR", "", nil},
			{"no such method", "Nothing", []string{token}, codes.Unimplemented, "", "", nil},
		} {
			t.Run("G1 "+name+": "+row.name, func(t *testing.T) {
				metadata := map[string][]string{}
				for _, raw := range row.tokens {
					metadata["Authorization"] = append(metadata["Authorization"], "Bearer "+raw) // in any case: grpc-js sends lower case
				}
				got := callGRPC(t, client, map[string]any{
					"target": target, "ca": ca, "method": "/orders.v1.Orders/" + row.method, "metadata": metadata,
					"streaming": row.method == "Watch" || row.method == "Refund", "messages": []string{"a", "b"},
				})
				assert.Equal(t, row.code, got.Code, got.Text)
				assert.ElementsMatch(t, row.messages, got.Messages)
				if row.reason == "" {
					return
				}
				info := errorInfo(t, got.Details)
				assert.Equal(t, row.reason, info.Reason)
				assert.Equal(t, row.scope, info.Metadata["scope"])
				if row.code != codes.Internal {
					assert.Contains(t, got.Header["www-authenticate"], `Bearer realm="api"`)
				}
			})
		}
	}
}

// A grpcAnswer is what grpc-js says about a call.
type grpcAnswer struct {
	Messages []string
	Code     codes.Code
	Text     string
	Details  string
	Header   map[string]string
}

func callGRPC(t *testing.T, client *process, question map[string]any) (got grpcAnswer) {
	t.Helper()
	line, err := json.Marshal(question)
	require.NoError(t, err)
	_, err = client.stdin.Write(append(line, '\n'))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(client.await(t, "answer ")), &got))
	return got
}

// errorInfo returns the ErrorInfo of a google.rpc.Status in base64.
func errorInfo(t *testing.T, encoded string) *errdetails.ErrorInfo {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(encoded)
	require.NoError(t, err)
	st, info := new(status.Status), new(errdetails.ErrorInfo)
	require.NoError(t, proto.Unmarshal(raw, st))
	require.NotEmpty(t, st.Details)
	require.NoError(t, st.Details[0].UnmarshalTo(info))
	return info
}

// serveOrders serves a service whose methods say who calls them.
func serveOrders(t *testing.T, v *verifier.Verifier, opts []grpc.ServerOption) (target string) {
	t.Helper()
	say := func(ctx context.Context, in *wrapperspb.StringValue) *wrapperspb.StringValue {
		tok, _ := grpcauth.Token(ctx)
		return wrapperspb.String(tok.ClientID() + ": " + in.Value)
	}
	d := &grpc.ServiceDesc{ServiceName: "orders.v1.Orders", HandlerType: (*any)(nil)}
	for _, name := range []string{"List", "Cancel", "Hidden"} {
		d.Methods = append(d.Methods, grpc.MethodDesc{MethodName: name, Handler: func(srv any, ctx context.Context, dec func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
			in := new(wrapperspb.StringValue)
			if err := dec(in); err != nil {
				return nil, err
			}
			return interceptor(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/orders.v1.Orders/" + name}, func(ctx context.Context, req any) (any, error) {
				return say(ctx, in), nil
			})
		}})
	}
	for _, name := range []string{"Watch", "Refund"} {
		d.Streams = append(d.Streams, grpc.StreamDesc{StreamName: name, ClientStreams: true, ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			for {
				in := new(wrapperspb.StringValue)
				if err := s.RecvMsg(in); err == io.EOF {
					return nil
				} else if err != nil {
					return err
				}
				if err := s.SendMsg(say(s.Context(), in)); err != nil {
					return err
				}
			}
		}})
	}
	read := v.Protect(verifier.Scope("orders:read"))
	access := grpcauth.Methods{
		"/orders.v1.Orders/List":   read,
		"/orders.v1.Orders/Watch":  read,
		"/orders.v1.Orders/Cancel": v.Protect(verifier.Scope("orders:cancel")),
		"/orders.v1.Orders/Refund": v.Protect(verifier.Scope("orders:refund")),
	}
	srv := grpc.NewServer(append(opts, access.Options()...)...)
	srv.RegisterService(d, struct{}{})
	assert.EqualError(t, access.Check(srv), "grpcauth: no Guard for /orders.v1.Orders/Hidden")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error)
	go func() { served <- srv.Serve(l) }()
	t.Cleanup(func() { srv.Stop(); assert.NoError(t, <-served) })
	return l.Addr().String()
}
