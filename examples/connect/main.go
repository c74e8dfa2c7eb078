// Connect is an API with connectrpc.com/connect, whose handlers are http.Handlers: httpauth
// stands in front of them, and refuses in the protocol of the call (Connect, gRPC or
// gRPC-Web). Generated handlers are registered in the same way as the handlers here.
//
// It is configured by environment variables:
//
//	ISSUER    the authorization server's issuer, exactly as in its metadata
//	AUDIENCE  the aud of the API's tokens
//	ADDR      the address to listen on; 127.0.0.1:8080 if not set
package main

import (
	"cmp"
	"context"
	"log"
	"net/http"
	"os"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func main() {
	v, err := verifier.New(verifier.Config{
		Issuer:    os.Getenv("ISSUER"),
		Audiences: []string{os.Getenv("AUDIENCE")},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	s := &http.Server{
		Addr:              cmp.Or(os.Getenv("ADDR"), "127.0.0.1:8080"),
		Handler:           routes(v),
		ReadHeaderTimeout: 5 * time.Second,
		Protocols:         new(http.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true) // for gRPC; with TLS, SetHTTP2
	log.Println(s.ListenAndServe())
}

// The procedures, whose names are their paths. Generated code has them as constants.
const (
	service = "/orders.v1.Orders/"
	list    = service + "List"
	watch   = service + "Watch"
	cancel  = service + "Cancel"
)

// routes protects the whole service, and single procedures further.
func routes(v *verifier.Verifier) http.Handler {
	opts := connect.WithInterceptors(refusals{})
	orders := http.NewServeMux() // as a generated NewOrdersHandler returns
	orders.Handle(list, connect.NewUnaryHandlerSimple(list, whoami, opts))
	orders.Handle(cancel, connect.NewUnaryHandlerSimple(cancel, whoami, opts))
	orders.Handle(watch, connect.NewServerStreamHandlerSimple(watch, events, opts))

	mux := http.NewServeMux()
	mux.Handle(service, protected.Protect(v, verifier.Scope("orders:read"))(orders))
	mux.Handle(cancel, protected.Protect(v, verifier.Scope("orders:cancel"))(orders))
	return mux
}

// whoami refuses clients of other tenants itself.
func whoami(ctx context.Context, in *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	if in.Value != "" {
		if err := verifier.Require(ctx, verifier.Scope("tenant:"+in.Value)); err != nil {
			return nil, err
		}
	}
	tok, _ := verifier.FromContext(ctx)
	return wrapperspb.String(tok.ClientID()), nil
}

// events ends with the caller's token.
func events(ctx context.Context, _ *emptypb.Empty, s *connect.ServerStream[wrapperspb.StringValue]) error {
	ctx, cancel := verifier.UntilExpiry(ctx)
	defer cancel()
	tok, _ := verifier.FromContext(ctx)
	if err := s.Send(wrapperspb.String(tok.ClientID())); err != nil {
		return err
	}
	<-ctx.Done() // or the next event
	return context.Cause(ctx)
}
