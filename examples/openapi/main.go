// Openapi is an API whose routes and rules both come from one OpenAPI document, with a
// server that github.com/oapi-codegen/oapi-codegen generates from it (gen.go). The
// generated server knows which handler an operation has, but checks nothing of security;
// router.go does: what the document says under security is what Protect demands.
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
	_ "embed"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

//go:embed openapi.yaml
var document []byte

func main() {
	v, err := verifier.New(verifier.Config{
		Issuer:    os.Getenv("ISSUER"),
		Audiences: []string{os.Getenv("AUDIENCE")},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	h, err := routes(v)
	if err != nil {
		log.Fatal(err)
	}
	s := &http.Server{
		Addr:              cmp.Or(os.Getenv("ADDR"), "127.0.0.1:8080"),
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Println(s.ListenAndServe())
}

func routes(v *verifier.Verifier) (http.Handler, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	r, err := newRouter(doc, v, "getVersion")
	if err != nil {
		return nil, err
	}
	return HandlerFromMux(server{}, r), nil // generated
}

// A server implements the generated ServerInterface.
type server struct{}

func (server) GetVersion(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "1") }
func (server) ListOrders(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "orders") }
func (server) AddOrder(w http.ResponseWriter, _ *http.Request)   { w.WriteHeader(http.StatusCreated) }

func (server) GetOrder(w http.ResponseWriter, _ *http.Request, id int) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(Order{Id: id})
}

func (server) GetCaller(w http.ResponseWriter, r *http.Request) {
	tok, _ := httpauth.Token(r)
	fmt.Fprintln(w, tok.ClientID())
}
