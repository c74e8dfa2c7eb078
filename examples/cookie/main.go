// Cookie is an API for one web page, whose access token is in a cookie that scripts
// cannot read. A browser sends a cookie whoever wrote the page that makes it send a
// request, so what another page can do with it is refused: see routes.
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

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func main() {
	v, err := verifier.Settings{TokenFrom: tokenFromCookie}.New(verifier.Config{
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
