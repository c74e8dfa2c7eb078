// Package grpcauth protects methods of a gRPC server with access tokens.
//
//	access := grpcauth.Methods{
//		"/orders.v1.Orders/*":      v.Protect(verifier.Scope("orders:read")),
//		"/orders.v1.Orders/Cancel": v.Protect(verifier.Scope("orders:write")),
//		"/grpc.health.v1.Health/*": grpcauth.Open,
//	}
//	s := grpc.NewServer(access.Options()...)
//	orderspb.RegisterOrdersServer(s, &orders{})
//	healthpb.RegisterHealthServer(s, health.NewServer())
//	if err := access.Check(s); err != nil { // a method without a Guard, or a Guard without a method
//		log.Fatal(err)
//	}
//
// [Methods] says who may call which method. A method without an entry is refused. The
// options protect unary and streaming methods alike. [Protect], [Optional], [Require] and
// [Guard] return Methods with one entry, for all methods except those of the services of
// package grpc (health, reflection, channelz), which need entries of their own. In the
// handler, [Token] returns the verified token, and [Refuse] makes the same refusal as
// Protect. Everything is safe for concurrent use.
//
// A verifier.Guard sees the call as an *http.Request: a POST to the method's full name,
// whose header fields are the call's metadata, without binary metadata ("-bin"), and
// without pseudo-header fields, of which :authority is the Host. The token is in the
// metadata "authorization", exactly once. gRPC reads the message of a unary method
// before any interceptor runs; [grpc.MaxRecvMsgSize] limits it.
//
// # Refusals
//
// A refusal has the code that google.rpc.Code maps to the status of package verifier:
//
//	401  Unauthenticated
//	403  PermissionDenied
//	400  InvalidArgument: not exactly one well-formed token
//	503  Unavailable: the token cannot be checked at the moment
//	500  Internal: the API is not set up correctly
//
// Its message is the error_description, and its details have an [errdetails.ErrorInfo] of
// domain [Domain]: the reason is the error code ([verifier.Error.Code]) in capitals, such as
// INVALID_TOKEN or INSUFFICIENT_SCOPE, and NO_TOKEN if no token was sent. Its metadata are
// the other parameters of the challenge, such as scope, whose values this program has
// configured. A 503 also has an [errdetails.RetryInfo]. The header fields of RFC 6750
// are in the header metadata ("www-authenticate").
//
// An error of package verifier that a handler returns becomes such a refusal; otherwise
// gRPC would send its text, which is for operators. Interceptors that run before, and so
// outside, get the cause with errors.As:
//
//	var refused *verifier.Error
//	if errors.As(err, &refused) {
//		slog.Warn("refused", "cause", refused)
//	}
//
// If a Guard panics, the call is refused with Internal, and the process goes on.
//
// # Streams
//
// A token is checked when a stream begins. With verifier.UntilExpiry a stream ends when
// its token expires, with Unauthenticated, so that the client begins another one with a
// new token: see the example "stream". RecvMsg does not end with that context, so a handler
// that waits for messages calls it in a goroutine of its own, which ends when the handler
// returns.
package grpcauth
