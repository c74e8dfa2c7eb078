package grpcauth_test

import (
	"bytes"
	"log"
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/seed-12ed5b1c/jwtguard/adapters/grpcauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/conformance"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// What protoc generates for the service of docs/grpc.md.
var orderspb generated

type generated struct{}

func (generated) RegisterOrdersServer(s grpc.ServiceRegistrar, srv any) {
	s.RegisterService(ordersService(), srv)
}

type orders struct{}

// The programs of docs/grpc.md.
func newServer(v *verifier.Verifier) *grpc.Server {
	access := grpcauth.Methods{
		"/orders.v1.Orders/*":      v.Protect(verifier.Scope("orders:read")),  // the other methods of the service
		"/orders.v1.Orders/Cancel": v.Protect(verifier.Scope("orders:write")), // this method
		"/grpc.health.v1.Health/*": grpcauth.Open,                             // anybody; a token is not read
	}
	s := grpc.NewServer(access.Options()...)
	orderspb.RegisterOrdersServer(s, &orders{})
	healthpb.RegisterHealthServer(s, health.NewServer())
	if err := access.Check(s); err != nil {
		log.Fatal(err)
	}
	return s
}

func logScope(err error) {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok && info.Reason == "INSUFFICIENT_SCOPE" {
			log.Println("needs", info.Metadata["scope"])
		}
	}
}

func TestSnippets(t *testing.T) {
	v, good, _ := conformance.Observed(t)
	conn := connect(t, newServer(v))
	_, err := call(t, conn, method, bearer(good))
	assert.NoError(t, err)
	_, err = call(t, conn, cancel, bearer(good))
	var text bytes.Buffer
	before := log.Writer()
	log.SetOutput(&text)
	defer log.SetOutput(before)
	logScope(err)
	assert.Contains(t, text.String(), "needs orders:write")
}
