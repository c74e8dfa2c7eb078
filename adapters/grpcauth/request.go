package grpcauth

import (
	"context"
	"fmt"
	"net/http"
	"net/textproto"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// admit returns the context for the handler of a method, or the status of the refusal.
// registered is whether the server has the method.
func (i interceptor) admit(ctx context.Context, method string, registered bool) (context.Context, error) {
	if called, ok := grpc.Method(ctx); ok {
		method = called // and not what generated code says, for a service that has another name here
	}
	g := i.methods.guard(method, registered)
	switch {
	case g != nil:
	case registered:
		return nil, Refuse(ctx, &verifier.Error{Err: fmt.Errorf("grpcauth: no Guard for %s: add it to Methods", method)})
	default: // as a server without UnknownServiceHandler responds
		return nil, status.Error(codes.Unimplemented, "unknown method")
	}
	admitted, err := guardCall(g, newRequest(ctx, method))
	if err != nil {
		return nil, refuse(ctx, err)
	}
	ctx = admitted.Context()
	h := make(http.Header)
	verifier.SetHeaders(ctx, h)
	if len(h) > 0 {
		_ = grpc.SetHeader(ctx, toMetadata(h)) // fails only after the header was sent
	}
	return ctx, nil
}

// guardCall is g.Admit, except that a panic is a refusal: nothing else would keep it from
// ending the process.
func guardCall(g verifier.Guard, r *http.Request) (admitted *http.Request, err *verifier.Error) {
	defer func() {
		if p := recover(); p != nil {
			text := fmt.Sprint(p) // which may contain something of the request
			bug := fmt.Errorf("grpcauth: a Guard panicked: %q", text[:min(len(text), 200)])
			admitted, err = nil, verifier.AsError(r.Context(), &verifier.Error{Err: bug})
		}
	}()
	return g.Admit(r)
}

// newRequest returns the call as a request. A call is a POST to its method's full name
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
func newRequest(ctx context.Context, method string) *http.Request {
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, "/", http.NoBody)
	r.URL.Path, r.RequestURI, r.Pattern = method, method, method
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0
	md, _ := metadata.FromIncomingContext(ctx) // a copy
	for key, values := range md {
		switch {
		case key == ":authority":
			r.Host = strings.Join(values, ",") // the transport refuses more than one
		case strings.HasPrefix(key, ":"), strings.HasSuffix(key, "-bin"):
			// not header fields, or not of text
		default:
			r.Header[textproto.CanonicalMIMEHeaderKey(key)] = values
		}
	}
	if p, ok := peer.FromContext(ctx); ok {
		if p.Addr != nil {
			r.RemoteAddr = p.Addr.String()
		}
		if t, ok := p.AuthInfo.(credentials.TLSInfo); ok {
			r.TLS = &t.State
		}
	}
	return r
}
