// Chi is an API with the router github.com/go-chi/chi: httpauth's middlewares are chi's
// own kind. A group is protected, routes in it require scopes, and an audit log names the
// route's pattern.
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
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func main() {
	v, err := verifier.Settings{Observe: audit(slog.Default())}.New(verifier.Config{
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
	r := chi.NewRouter()
	r.Get("/version", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "1") })
	r.Group(func(r chi.Router) {
		r.Use(httpauth.Protect(v))
		r.With(httpauth.Require(verifier.Scope("orders:read"))).Get("/orders/{id}", order)
		r.With(httpauth.Require(verifier.Scope("orders:write"))).Post("/orders", order)
	})
	return r
}

func order(w http.ResponseWriter, r *http.Request) {
	tok, _ := httpauth.Token(r)
	fmt.Fprintf(w, "order %s for %s\n", cmp.Or(chi.URLParam(r, "id"), "new"), tok.ClientID())
}

// audit logs who was admitted where. In a group chi has found the route before Protect
// runs; r.Use on the router itself runs before it does.
func audit(log *slog.Logger) func(context.Context, verifier.Decision) {
	return func(ctx context.Context, d verifier.Decision) {
		if d.Outcome == verifier.OutcomeAdmitted && !d.Inner {
			log.InfoContext(ctx, "admitted", "client_id", d.Caller.ClientID, "jti", d.Caller.ID, "method", d.Method, "route", d.Route)
		}
	}
}
