// Forwardauth decides for a gateway: nginx (auth_request), Traefik (ForwardAuth) and
// Envoy (ext_authz over HTTP) ask it about each request before they pass it on to an
// API. It responds with 200 and the caller in header fields, which the gateway copies, or
// with 400, 401, 403 or 503 for the client. nginx.conf, traefik.yaml and envoy.yaml in this
// folder configure the gateways, which remove such fields from the client's request.
//
// The API trusts the fields, so only the gateway may be able to reach it. It must refuse a
// request without them: the gateway has not checked it.
//
// It is configured by environment variables:
//
//	ISSUER    the authorization server's issuer, exactly as in its metadata
//	AUDIENCE  the aud of the API's tokens
//	ADDR      the address to listen on; 127.0.0.1:9090 if not set. It is for the gateway.
package main

import (
	"cmp"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// rules are those of the API behind the gateway, by patterns of http.ServeMux. What is
// not here is refused, so there is no pattern for everything.
var rules = map[string][]verifier.Rule{
	"GET /orders":         {verifier.Scope("orders:read")},
	"GET /orders/{id}":    {verifier.Scope("orders:read")},
	"POST /orders":        {verifier.Scope("orders:write")},
	"DELETE /orders/{id}": {verifier.Scope("orders:write")},
	"GET /admin/{what}":   {verifier.Scope("admin"), verifier.ClientCredentials()},
}

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
		Addr:              cmp.Or(os.Getenv("ADDR"), "127.0.0.1:9090"),
		Handler:           newHandler(v, rules),
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Println(s.ListenAndServe())
}
