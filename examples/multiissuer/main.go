// Multiissuer is an API that trusts two authorization servers: the company's own, and a
// partner's, whose listed clients may only read.
//
// It is configured by environment variables:
//
//	ISSUER          the authorization server's issuer, exactly as in its metadata
//	AUDIENCE        the aud of the API's tokens
//	PARTNER_ISSUER  the partner's issuer
//	ADDR            the address to listen on; 127.0.0.1:8080 if not set
package main

import (
	"cmp"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func main() {
	v, err := trust(
		verifier.Config{Issuer: os.Getenv("ISSUER"), Audiences: []string{os.Getenv("AUDIENCE")}},
		verifier.Config{Issuer: os.Getenv("PARTNER_ISSUER"), Audiences: []string{os.Getenv("AUDIENCE")}},
	)
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	s := &http.Server{
		Addr:              cmp.Or(os.Getenv("ADDR"), "127.0.0.1:8080"),
		Handler:           routes(v, os.Getenv("ISSUER")),
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Println(s.ListenAndServe())
}

// trust returns a Verifier for both issuers. The partner's rules are in its own Config, so
// that they apply to its tokens on every route: a client id is unique only within its
// issuer.
func trust(own, partner verifier.Config) (*verifier.Verifier, error) {
	return verifier.New(own, partner.With(verifier.Client("partner-sync", "partner-report")))
}

func routes(v *verifier.Verifier, own string) http.Handler {
	who := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tok, _ := httpauth.Token(r)
		fmt.Fprintf(w, "%s of %s\n", tok.ClientID(), tok.Issuer())
	})
	mux := http.NewServeMux()
	mux.Handle("GET /orders", httpauth.Protect(v, verifier.Scope("orders:read"))(who))
	mux.Handle("POST /orders", httpauth.Protect(v, verifier.Issuer(own), verifier.Scope("orders:write"))(who))
	return mux
}
