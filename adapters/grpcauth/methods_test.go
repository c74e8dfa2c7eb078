package grpcauth_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/seed-12ed5b1c/jwtguard/adapters/grpcauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/conformance"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const (
	cancel     = "/orders.v1.Orders/Cancel"
	healthName = "/grpc.health.v1.Health/Check"
	reflectV1  = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
)

// code returns the code that a call of the method ends with. Whether a message fits is
// not asked.
func code(t *testing.T, conn *grpc.ClientConn, method string, md metadata.MD) codes.Code {
	t.Helper()
	s, err := conn.NewStream(metadata.NewOutgoingContext(t.Context(), md), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	require.NoError(t, err)
	_ = s.SendMsg(new(emptypb.Empty))
	_ = s.CloseSend()
	for {
		if err = s.RecvMsg(new(emptypb.Empty)); err != nil {
			break
		}
	}
	if err.Error() == "EOF" {
		return codes.OK
	}
	return status.Code(err)
}

// ordersService has a unary and a streaming method.
func ordersService() *grpc.ServiceDesc {
	d := service(method, echo, false)
	d.Streams = service(cancel, echo, true).Streams
	return d
}

func TestMethods(t *testing.T) {
	v, good, _ := conformance.Observed(t)
	for name, row := range map[string]struct {
		methods grpcauth.Methods
		want    map[string]codes.Code // with a token; those without are in anybody
		anybody map[string]codes.Code
	}{
		"G4 nothing": {
			grpcauth.Methods{},
			map[string]codes.Code{method: codes.Internal, cancel: codes.Internal, healthName: codes.Internal, reflectV1: codes.Internal, "/x/Y": codes.Unimplemented},
			nil,
		},
		"G4 nil": {nil, map[string]codes.Code{method: codes.Internal, cancel: codes.Internal}, nil},
		"G4 one method": {
			grpcauth.Methods{method: v.Protect()},
			map[string]codes.Code{method: codes.OK, cancel: codes.Internal, healthName: codes.Internal},
			map[string]codes.Code{method: codes.Unauthenticated, cancel: codes.Internal, reflectV1: codes.Internal},
		},
		"G4 a service": {
			grpcauth.Methods{"/orders.v1.Orders/*": v.Protect()},
			map[string]codes.Code{method: codes.OK, cancel: codes.OK, healthName: codes.Internal, reflectV1: codes.Internal},
			map[string]codes.Code{method: codes.Unauthenticated, cancel: codes.Unauthenticated},
		},
		"G4 the most specific decides alone": {
			grpcauth.Methods{"*": v.Protect(verifier.Scope("x")), "/orders.v1.Orders/*": v.Protect(verifier.Scope("y")), method: v.Protect(), cancel: grpcauth.Open},
			map[string]codes.Code{method: codes.OK, cancel: codes.OK},
			map[string]codes.Code{method: codes.Unauthenticated, cancel: codes.OK},
		},
		"G4 everything, but what is gRPC's own": {
			grpcauth.Methods{"*": grpcauth.Open},
			map[string]codes.Code{method: codes.OK, cancel: codes.OK, healthName: codes.Internal, reflectV1: codes.Internal},
			map[string]codes.Code{method: codes.OK, healthName: codes.Internal, reflectV1: codes.Internal},
		},
		"G4 Protect":  {grpcauth.Protect(v), map[string]codes.Code{method: codes.OK, cancel: codes.OK, healthName: codes.Internal, reflectV1: codes.Internal}, map[string]codes.Code{method: codes.Unauthenticated, cancel: codes.Unauthenticated}},
		"G4 Optional": {grpcauth.Optional(v), map[string]codes.Code{method: codes.OK, healthName: codes.Internal, reflectV1: codes.Internal}, map[string]codes.Code{method: codes.OK, cancel: codes.OK, healthName: codes.Internal, reflectV1: codes.Internal}},
		"G4 health and reflection by name": {
			grpcauth.Methods{"*": v.Protect(), "/grpc.health.v1.Health/*": grpcauth.Open, reflectV1: v.Protect(verifier.Scope("orders:read"))},
			map[string]codes.Code{healthName: codes.OK, reflectV1: codes.InvalidArgument}, // reflection's own, of the empty message
			map[string]codes.Code{healthName: codes.OK, "/grpc.health.v1.Health/Watch": codes.OK, method: codes.Unauthenticated, reflectV1: codes.Unauthenticated,
				"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": codes.Internal},
		},
		"G4 names are compared as gRPC does": {
			grpcauth.Methods{method: grpcauth.Open, cancel: v.Protect()},
			nil,
			map[string]codes.Code{method: codes.OK, "/orders.v1.Orders/list": codes.Unimplemented, "/orders.v1.orders/List": codes.Unimplemented,
				"//orders.v1.Orders/List": codes.Unimplemented, "/orders.v1.Orders//List": codes.Unimplemented, "/orders.v1.Orders/List/": codes.Unimplemented,
				"/orders.v1.Orders/List?": codes.Unimplemented, "/orders.v1.Orders%2FList": codes.Unimplemented, "/orders.v1.Orders/*": codes.Unimplemented, "*": codes.Unimplemented},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, conn := serveAll(t, row.methods.Options())
			for method, want := range row.want {
				assert.Equal(t, want, code(t, conn, method, bearer(good)), "%s with a token", method)
			}
			for method, want := range row.anybody {
				assert.Equal(t, want, code(t, conn, method, nil), "%s without a token", method)
			}
		})
	}
}

// serveAll serves orders, health and reflection.
func serveAll(t *testing.T, opts []grpc.ServerOption, more ...grpc.ServerOption) (*grpc.Server, *grpc.ClientConn) {
	t.Helper()
	return serveWith(t, append(opts, more...), func(s *grpc.Server) {
		s.RegisterService(ordersService(), struct{}{})
		h := health.NewServer()
		t.Cleanup(h.Shutdown)
		healthpb.RegisterHealthServer(s, once{h})
		reflection.Register(s)
	})
}

// once ends Watch after its first answer.
type once struct{ healthpb.HealthServer }

func (once) Watch(_ *healthpb.HealthCheckRequest, s grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	return s.Send(new(healthpb.HealthCheckResponse))
}

// A service is registered a second time by another name, as after a change of its package.
// Generated code says its first name to interceptors, also when the second was called.
func TestG4ServiceByAnotherName(t *testing.T) {
	v, good, _ := conformance.Observed(t)
	access := grpcauth.Methods{"/orders.v1.Orders/*": v.Protect(), "/admin.v1.Orders/*": v.Protect(verifier.Scope("admin"))}
	s, conn := serveWith(t, access.Options(), func(s *grpc.Server) {
		s.RegisterService(ordersService(), struct{}{})
		admin := ordersService()
		admin.ServiceName = "admin.v1.Orders"
		s.RegisterService(admin, struct{}{})
	})
	require.NoError(t, access.Check(s))
	for name, want := range map[string]codes.Code{
		method: codes.OK, cancel: codes.OK,
		"/admin.v1.Orders/List": codes.PermissionDenied, "/admin.v1.Orders/Cancel": codes.PermissionDenied,
	} {
		assert.Equal(t, want, code(t, conn, name, bearer(good)), name)
	}
}

// A server that handles services it does not know, as proxies do.
func TestUnknownServices(t *testing.T) {
	v, good, _ := conformance.Observed(t)
	proxy := grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error { return s.SendMsg(new(emptypb.Empty)) })
	for name, row := range map[string]struct {
		methods grpcauth.Methods
		want    codes.Code
	}{
		"G4 nothing":              {grpcauth.Methods{}, codes.Unimplemented},
		"G4 * does not cover it":  {grpcauth.Protect(v), codes.Unimplemented},
		"G4 open":                 {grpcauth.Methods{"*": grpcauth.Open}, codes.Unimplemented},
		"G4 nor does its service": {grpcauth.Methods{"/backend.v1.Backend/*": v.Protect()}, codes.Unimplemented},
		"G4 its name does":        {grpcauth.Methods{"/backend.v1.Backend/Get": v.Protect()}, codes.OK},
	} {
		t.Run(name, func(t *testing.T) {
			_, conn := serveAll(t, row.methods.Options(), proxy)
			assert.Equal(t, row.want, code(t, conn, "/backend.v1.Backend/Get", bearer(good)))
			assert.NotEqual(t, codes.OK, code(t, conn, "/backend.v1.Backend/Get", nil))
			for _, name := range []string{"/orders.v1.Orders/Delete", "/backend.v1.Backend/*", "/backend.v1.Backend/", "/x"} {
				assert.Equal(t, codes.Unimplemented, code(t, conn, name, bearer(good)), name)
			}
		})
	}
}

// A service without an implementation cannot be told from one that the server does not have.
func TestServiceWithoutImplementation(t *testing.T) {
	for name, row := range map[string]struct {
		methods grpcauth.Methods
		want    codes.Code
	}{
		"G4 by a pattern": {grpcauth.Methods{"*": grpcauth.Open, "/orders.v1.Orders/*": grpcauth.Open}, codes.Unimplemented},
		"G4 by name":      {grpcauth.Methods{method: grpcauth.Open, cancel: grpcauth.Open}, codes.OK},
	} {
		t.Run(name, func(t *testing.T) {
			_, conn := serveWith(t, row.methods.Options(), func(s *grpc.Server) { s.RegisterService(ordersService(), nil) })
			assert.Equal(t, row.want, code(t, conn, method, nil))
			assert.Equal(t, row.want, code(t, conn, cancel, nil))
		})
	}
}

// G4: a method without a Guard is logged at ERROR by its name; a name that a stranger
// made up is not.
func TestMethodsWithoutGuardAreLogged(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError})))
	defer slog.SetDefault(before)
	const name = "/unnamed.v1.Unnamed/Get" // in no other test: it is logged once a minute
	_, conn := serve(t, append(grpcauth.Methods{}.Options(), grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return nil })), service(name, echo, true))
	t.Run("G4 R10 by name", func(t *testing.T) {
		assert.Equal(t, codes.Internal, code(t, conn, name, nil))
		assert.Contains(t, log.String(), "level=ERROR")
		assert.Contains(t, log.String(), "grpcauth: no Guard for "+name)
		log.Reset()
		assert.Equal(t, codes.Unimplemented, code(t, conn, "/made.up/Name", nil))
		assert.Empty(t, log.String())
	})
}

func TestCheck(t *testing.T) {
	v, _, _ := conformance.Observed(t)
	g := v.Protect()
	alpha := "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
	for name, row := range map[string]struct {
		methods grpcauth.Methods
		want    string
	}{
		"G5 all by name": {grpcauth.Methods{method: g, cancel: g, healthName: g, "/grpc.health.v1.Health/Watch": g, "/grpc.health.v1.Health/List": g, reflectV1: g, alpha: g}, ""},
		"G5 patterns":    {grpcauth.Methods{"*": g, "/grpc.health.v1.Health/*": g, "/grpc.reflection.v1.ServerReflection/*": g, alpha: g}, ""},
		"G5 what is missing": {
			grpcauth.Methods{method: g, "/grpc.health.v1.Health/*": g},
			"grpcauth: no Guard for /grpc.reflection.v1.ServerReflection/ServerReflectionInfo\n" +
				"grpcauth: no Guard for /grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo\n" +
				"grpcauth: no Guard for /orders.v1.Orders/Cancel",
		},
		"G5 * does not cover gRPC's own": {
			grpcauth.Methods{"*": g, "/grpc.reflection.v1.ServerReflection/*": g, alpha: g, healthName: g, "/grpc.health.v1.Health/List": g},
			"grpcauth: no Guard for /grpc.health.v1.Health/Watch",
		},
		"G5 what does not exist": {
			grpcauth.Methods{"*": g, "/grpc.health.v1.Health/*": g, "/grpc.reflection.v1.ServerReflection/*": g, alpha: g,
				"/orders.v1.Orders/list": g, "/orders.v1.Order/*": g, "/grpc.health.v1.Health/check": g},
			"grpcauth: the server has no method /grpc.health.v1.Health/check\n" +
				"grpcauth: the server has no method /orders.v1.Order/*\n" +
				"grpcauth: the server has no method /orders.v1.Orders/list",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := serveAll(t, row.methods.Options())
			err := row.methods.Check(s)
			if row.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.EqualError(t, err, row.want)
		})
	}
}

func TestOptionsPanic(t *testing.T) {
	for _, name := range []string{
		"", "/", "//", "///", "orders.v1.Orders/List", "orders.v1.Orders.List", "/orders.v1.Orders", "/orders.v1.Orders/", "//List",
		"/*", "/*/List", "**", "/orders.*/List", "/orders.v1.Orders/Li*", "/orders.v1.Orders/**",
	} {
		t.Run("G4 "+name, func(t *testing.T) {
			assert.Panics(t, func() { grpcauth.Methods{name: grpcauth.Open}.Options() })
		})
	}
	t.Run("G4 nil", func(t *testing.T) {
		assert.PanicsWithValue(t, `grpcauth: nil Guard for "*"`, func() { grpcauth.Methods{"*": nil}.Options() })
		assert.PanicsWithValue(t, "grpcauth: nil Guard", func() { grpcauth.Guard(nil) })
	})
	t.Run("G4 a later change changes nothing", func(t *testing.T) {
		m := grpcauth.Methods{method: func(*http.Request) (context.Context, error) { return nil, verifier.ErrDenied }}
		opts := m.Options()
		m[method] = grpcauth.Open
		_, conn := serve(t, opts, service(method, echo, false))
		assert.Equal(t, codes.PermissionDenied, code(t, conn, method, nil))
	})
}
