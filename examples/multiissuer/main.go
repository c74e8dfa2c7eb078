// Multiissuer is an API that trusts two authorization servers: the company's
// own for everything, a partner's for reading only, by listed clients.
package main

import (
	"cmp"
	"errors"
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

// trust joins the two. The partner's rules stand in its own part, so that they
// hold for its tokens on every route: a client id is unique within its issuer
// only.
func trust(own, partner verifier.Config) (*verifier.Verifier, error) {
	partner.Rules = []verifier.Rule{verifier.Client("partner-sync", "partner-report")}
	a, err := verifier.New(own)
	if err != nil {
		return nil, fmt.Errorf("own issuer: %w", err)
	}
	b, err := verifier.New(partner)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("partner's issuer: %w", err), a.Close())
	}
	v, err := verifier.Join(a, b)
	if err != nil {
		return nil, errors.Join(err, a.Close(), b.Close())
	}
	return v, nil
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
