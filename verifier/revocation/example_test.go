package revocation_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/exampletb"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// An API whose operators revoke one token, all tokens of a user, or those of a client.
func Example() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	list, err := revocation.New(revocation.Config{MaxLifetime: 2 * time.Hour})
	if err != nil {
		panic(err)
	}
	cfg := iss.Config("https://api.example.com")
	cfg.MaxLifetime = 2 * time.Hour
	v, err := verifier.Settings{Revocation: list}.New(cfg)
	if err != nil {
		panic(err)
	}
	defer v.Close()

	mux := http.NewServeMux()
	mux.Handle("GET /orders", httpauth.Protect(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "orders")
	})))
	admin := httpauth.Protect(v, verifier.Scope("tokens:revoke"))
	mux.Handle("POST /revoke", admin(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := revocation.Entry{
			Issuer:   iss.URL(),
			TokenID:  r.FormValue("jti"),
			Subject:  r.FormValue("sub"),
			ClientID: r.FormValue("client_id"),
		}
		if e == (revocation.Entry{Issuer: iss.URL()}) {
			http.Error(w, "that would be every token of the issuer", http.StatusBadRequest)
			return
		}
		if err := list.Revoke(r.Context(), e); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})))

	call := func(method, url, token string) *httptest.ResponseRecorder {
		r, w := httptest.NewRequest(method, url, nil), httptest.NewRecorder()
		r.Header.Set("Authorization", "Bearer "+token)
		mux.ServeHTTP(w, r)
		return w
	}
	iat := time.Now().Add(-time.Minute) // the tokens are a minute old
	first := iss.Token(verifiertest.Claims{"jti": "1", "sub": "alice", "client_id": "app", "iat": iat})
	second := iss.Token(verifiertest.Claims{"jti": "2", "sub": "alice", "client_id": "app", "iat": iat})
	third := iss.Token(verifiertest.Claims{"jti": "3", "sub": "bob", "client_id": "app", "iat": iat})
	operator := iss.Token(verifiertest.Claims{"client_id": "console", "scope": "tokens:revoke"})
	orders := func() {
		var codes []int
		for _, token := range []string{first, second, third} {
			codes = append(codes, call("GET", "/orders", token).Code)
		}
		fmt.Println(codes)
	}
	orders()
	for _, query := range []string{"jti=1", "sub=alice", "client_id=app", ""} {
		fmt.Printf("revoke %s: %d\n", query, call("POST", "/revoke?"+query, operator).Code)
		orders()
	}
	fmt.Println(strings.TrimSpace(call("GET", "/orders", first).Body.String()))
	// Output:
	// [200 200 200]
	// revoke jti=1: 204
	// [401 200 200]
	// revoke sub=alice: 204
	// [401 401 200]
	// revoke client_id=app: 204
	// [401 401 401]
	// revoke : 400
	// [401 401 401]
	// {"error":"invalid_token","error_description":"The access token has been revoked."}
}

// A snapshot outlives the process. Here, it goes from one list into another.
func ExampleList_Entries() {
	list, err := revocation.New(revocation.Config{MaxLifetime: time.Hour})
	if err != nil {
		panic(err)
	}
	day := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	err = list.Revoke(ctx, revocation.Entry{Issuer: "https://issuer.example", TokenID: "42", Expires: day})
	if err != nil {
		panic(err)
	}

	next, err := revocation.New(revocation.Config{MaxLifetime: time.Hour})
	if err != nil {
		panic(err)
	}
	if err := next.Revoke(ctx, list.Entries()...); err != nil {
		panic(err)
	}
	for _, e := range next.Entries() {
		fmt.Println(e.Issuer, e.TokenID, e.Expires.Format(time.DateOnly))
	}
	// Output: https://issuer.example 42 2040-01-01
}
