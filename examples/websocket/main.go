// Websocket is an API that talks over WebSockets (github.com/coder/websocket). A browser
// cannot add Authorization to the handshake, so the token is in a subprotocol or in a
// cookie, never in the URL, which ends in logs.
//
// It is configured by environment variables:
//
//	ISSUER    the authorization server's issuer, exactly as in its metadata
//	AUDIENCE  the aud of the API's tokens
//	ADDR      the address to listen on, behind TLS; 127.0.0.1:8080 if not set
package main

import (
	"cmp"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func main() {
	v, err := verifier.Settings{TokenFrom: tokenFromHandshake}.New(verifier.Config{
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
	}
	log.Println(s.ListenAndServe())
}

func routes(v *verifier.Verifier) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", page)
	mux.Handle("GET /orders", httpauth.Protect(v, verifier.Scope("orders:read"))(http.HandlerFunc(orders)))
	return mux
}
