package grpcauth_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/seed-12ed5b1c/jwtguard/adapters/grpcauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// What the interceptor adds to the verification of a remembered token.
func BenchmarkRemembered(b *testing.B) {
	iss := verifiertest.NewIssuer(b)
	v := iss.Verifier("https://api.example.com")
	raw := iss.Token(nil)
	b.Run("verification", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := v.Verify(b.Context(), raw)
			require.NoError(b, err)
		}
	})
	b.Run("interceptor", func(b *testing.B) {
		ctx := metadata.NewIncomingContext(b.Context(), metadata.Pairs(":authority", "api.example.com",
			"content-type", "application/grpc", "user-agent", "grpc-go/1.85.0", "authorization", "Bearer "+raw))
		protect := grpcauth.Protect(v).Unary()
		info := &grpc.UnaryServerInfo{Server: b, FullMethod: method}
		handler := func(context.Context, any) (any, error) { return nil, nil }
		b.ReportAllocs()
		for b.Loop() {
			_, err := protect(ctx, nil, info, handler)
			require.NoError(b, err)
		}
	})
}
