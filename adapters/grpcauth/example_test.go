package grpcauth_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/seed-12ed5b1c/jwtguard/adapters/grpcauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/exampletb"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// The health service stands for a service of one's own.
func Example() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	v := iss.Verifier("https://api.example.com")

	access := grpcauth.Methods{
		"/grpc.health.v1.Health/*":     grpcauth.Open,
		"/grpc.health.v1.Health/List":  v.Protect(verifier.Scope("health:list")),
		"/grpc.health.v1.Health/Watch": v.Protect(),
	}
	s := grpc.NewServer(access.Options()...)
	healthpb.RegisterHealthServer(s, health.NewServer())
	if err := access.Check(s); err != nil {
		log.Fatal(err)
	}
	client, stop := dial(s)
	defer stop()

	_, err := client.Check(context.Background(), new(healthpb.HealthCheckRequest))
	fmt.Println(status.Code(err))
	for _, scope := range []string{"health:list", "other"} {
		token := iss.Token(verifiertest.Claims{"scope": scope})
		ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+token)
		_, err = client.List(ctx, new(healthpb.HealthListRequest))
		fmt.Println(status.Code(err))
	}
	fmt.Println(status.Convert(err).Message())
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			fmt.Println(info.Reason, info.Metadata["scope"])
		}
	}
	// Output:
	// OK
	// OK
	// PermissionDenied
	// The access token lacks a scope that this needs.
	// INSUFFICIENT_SCOPE health:list
}

// Methods of one kind need no Methods.
func ExampleProtect() {
	tb := exampletb.New()
	defer tb.Close()
	v := verifiertest.NewIssuer(tb).Verifier("https://api.example.com")

	access := grpcauth.Protect(v, verifier.Scope("orders:read"))
	access["/grpc.health.v1.Health/*"] = grpcauth.Open
	s := grpc.NewServer(access.Options()...)
	healthpb.RegisterHealthServer(s, health.NewServer())
	fmt.Println(access.Check(s))
	// Output: <nil>
}

// dial serves s in memory, and returns a client of it.
func dial(s *grpc.Server) (healthpb.HealthClient, func()) {
	l := bufconn.Listen(1 << 16)
	go func() { _ = s.Serve(l) }()
	conn, err := grpc.NewClient("passthrough:///orders",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	if err != nil {
		log.Fatal(err)
	}
	return healthpb.NewHealthClient(conn), func() { _ = conn.Close(); s.Stop() }
}
