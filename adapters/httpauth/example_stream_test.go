package httpauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/exampletb"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A stream of events that ends when the caller's token expires, or when the client goes
// away as here. After the first, the client requests a new token and connects again.
func Example_stream() {
	tb := exampletb.New()
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	v := iss.Verifier("https://api.example.com")

	client, goAway := context.WithCancel(context.Background())
	stream := httpauth.Protect(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := verifier.UntilExpiry(r.Context())
		defer cancel()
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: order 1\n\n")
		_ = http.NewResponseController(w).Flush()
		goAway()
		<-ctx.Done() // or the next event
		fmt.Fprintf(w, "event: bye\ndata: %v\n\n", context.Cause(ctx))
	}))

	r := httptest.NewRequestWithContext(client, http.MethodGet, "/events", nil)
	r.Header.Set("Authorization", "Bearer "+iss.Token(nil))
	w := httptest.NewRecorder()
	stream.ServeHTTP(w, r)
	fmt.Print(w.Body)
	// Output:
	// data: order 1
	//
	// event: bye
	// data: context canceled
}
