package grpcauth

import (
	"context"

	"google.golang.org/grpc"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Protect admits only calls whose token is valid for v and passes rules. Like Optional,
// Require and Guard, it returns Methods with the entry "*", to which others may be added.
func Protect(v *verifier.Verifier, rules ...verifier.Rule) Methods { return Guard(v.Protect(rules...)) }

// Optional admits calls without a token, too. A bad token is refused as by Protect.
func Optional(v *verifier.Verifier, rules ...verifier.Rule) Methods {
	return Guard(v.Optional(rules...))
}

// Require adds rules inside Protect or Optional: give grpc.NewServer their options first.
// Inside Optional, it refuses calls without a token.
func Require(rules ...verifier.Rule) Methods { return Guard(verifier.RequireGuard(rules...)) }

// Guard puts any Guard in front of methods, such as verifier.FirstOf or one of your own
// that checks API keys. Inside Protect it takes its place: the handler does not see the
// token then. To add a condition to Protect, use verifier.Check.
func Guard(g verifier.Guard) Methods {
	if g == nil {
		panic("grpcauth: nil Guard")
	}
	return Methods{"*": g}
}

// Token returns the verified token of the call. It returns false if Optional admitted the
// call without a token, and inside a [Guard] that is not a Verifier's. For a streaming
// method, ctx is that of the stream.
func Token(ctx context.Context) (*verifier.Token, bool) { return verifier.FromContext(ctx) }

// An interceptor puts Guards in front of methods. The two kinds of methods have the same
// code, because a guard of the one kind does not protect the other.
type interceptor struct{ methods Methods }

func (i interceptor) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	ctx, err := i.admit(ctx, info.FullMethod, info.Server != nil)
	if err != nil {
		return nil, err
	}
	res, err := handler(ctx, req)
	return res, refuseHandlers(ctx, err)
}

func (i interceptor) stream(server any, s grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, err := i.admit(s.Context(), info.FullMethod, server != nil)
	if err != nil {
		return err
	}
	return refuseHandlers(ctx, handler(server, &stream{s, ctx}))
}

// A stream has the context of the admission.
type stream struct {
	grpc.ServerStream
	ctx context.Context
}

// Context implements grpc.ServerStream.
func (s *stream) Context() context.Context { return s.ctx }
