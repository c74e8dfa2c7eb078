package main

import (
	"context"
	"errors"
	"net/http"

	"connectrpc.com/connect"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// protected is httpauth with refusals in the protocol of the call. To anything else than
// an RPC it makes the default response.
var protected = httpauth.Middleware{OnError: func(w http.ResponseWriter, r *http.Request, err *verifier.Error) {
	if protocols.IsSupported(r) {
		_ = protocols.Write(w, r, connectError(err))
	}
}}

var protocols = connect.NewErrorWriter()

// connectError returns the client's part of a refusal.
func connectError(err *verifier.Error) *connect.Error {
	code := connect.CodeInternal
	switch err.Status() {
	case http.StatusBadRequest:
		code = connect.CodeInvalidArgument
	case http.StatusUnauthorized:
		code = connect.CodeUnauthenticated
	case http.StatusForbidden:
		code = connect.CodePermissionDenied
	case http.StatusServiceUnavailable:
		code = connect.CodeUnavailable
	}
	return connect.NewError(code, errors.New(err.Description()))
}

// refusals is an interceptor for what handlers return: errors of package verifier become
// refusals. Connect would send their text, which is for operators.
type refusals struct{}

func (refusals) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		res, err := next(ctx, req)
		return res, refuse(ctx, err)
	}
}

func (refusals) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		return refuse(ctx, next(ctx, conn))
	}
}

func (refusals) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

func refuse(ctx context.Context, err error) error {
	var e *verifier.Error
	if err == nil || !errors.As(err, &e) && verifier.ReasonName(err) == "misconfigured" {
		return err
	}
	e = verifier.AsError(ctx, err)
	if call, ok := connect.CallInfoForHandlerContext(ctx); ok {
		e.SetHeaders(call.ResponseHeader())
	}
	return connectError(e)
}
