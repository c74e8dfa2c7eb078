package grpcauth_test

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/seed-12ed5b1c/jwtguard/adapters/grpcauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/exampletb"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A stream that ends when the caller's token expires, with Unauthenticated, or when the
// client goes away as here.
func Example_stream() {
	tb := exampletb.New()
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	v := iss.Verifier("https://api.example.com")

	s := grpc.NewServer(grpcauth.Methods{"/grpc.health.v1.Health/*": v.Protect()}.Options()...)
	healthpb.RegisterHealthServer(s, events{})
	client, stop := dial(s)
	defer stop()

	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+iss.Token(nil))
	ctx, goAway := context.WithCancel(ctx)
	stream, err := client.Watch(ctx, new(healthpb.HealthCheckRequest))
	if err != nil {
		panic(err)
	}
	event, err := stream.Recv()
	fmt.Println(event.GetStatus(), err)
	goAway()
	_, err = stream.Recv()
	fmt.Println(status.Code(err))
	// Output:
	// SERVING <nil>
	// Canceled
}

type events struct {
	healthpb.UnimplementedHealthServer
}

func (events) Watch(_ *healthpb.HealthCheckRequest, s grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	ctx, cancel := verifier.UntilExpiry(s.Context())
	defer cancel()
	next := make(chan *healthpb.HealthCheckResponse, 1) // where events come from
	next <- &healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_SERVING}
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx) // verifier.ErrExpired becomes Unauthenticated
		case event := <-next:
			if err := s.Send(event); err != nil {
				return err
			}
		}
	}
}
