package httpauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/exampletb"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A stream of events that ends when the caller's token expires. The client then requests
// a new token and connects again.
func Example_stream() {
	tb := exampletb.New()
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	cfg := iss.Config("https://api.example.com")
	cfg.Leeway = -1 // or the stream would last a minute longer
	v, err := verifier.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()

	stream := httpauth.Protect(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := verifier.UntilExpiry(r.Context())
		defer cancel()
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: order 1\n\n")
		_ = http.NewResponseController(w).Flush()
		<-ctx.Done() // or the next event
		fmt.Fprintf(w, "event: bye\ndata: %v\n\n", context.Cause(ctx))
	}))

	r := httptest.NewRequest(http.MethodGet, "/events", nil)
	r.Header.Set("Authorization", "Bearer "+iss.Token(verifiertest.Claims{"exp": time.Now().Add(2 * time.Second).Unix()}))
	w := httptest.NewRecorder()
	stream.ServeHTTP(w, r)
	fmt.Print(w.Body)
	// Output:
	// data: order 1
	//
	// event: bye
	// data: token has expired
}
