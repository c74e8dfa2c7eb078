package verifiertest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/exampletb"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func whoami(w http.ResponseWriter, r *http.Request) {
	tok, _ := httpauth.Token(r)
	fmt.Fprint(w, tok.ClientID())
}

// An API with its middleware, called with valid and invalid tokens.
func ExampleNewIssuer() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	v := iss.Verifier("https://api.example.com")
	api := httpauth.Protect(v, verifier.Scope("orders:read"))(http.HandlerFunc(whoami))

	for _, claims := range []verifiertest.Claims{
		{"client_id": "billing", "scope": "orders:read"},
		{"client_id": "billing"},
		{"exp": 1},
		{"aud": "https://other.example.com"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/orders", nil)
		r.Header.Set("Authorization", "Bearer "+iss.Token(claims))
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// 200
	// 403
	// 401
	// 401
}

// A handler without middleware and without a server.
func ExampleNewToken() {
	tok := verifiertest.NewToken(verifiertest.Claims{"client_id": "billing"})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r = r.WithContext(verifier.NewContext(r.Context(), tok))
	w := httptest.NewRecorder()
	whoami(w, r)
	fmt.Println(w.Body)
	// Output: billing
}

// The issuer rotates its keys and fails.
func ExampleIssuer_Rotate() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	v := iss.Verifier("https://api.example.com")
	check := func(raw string) {
		_, err := v.Verify(context.Background(), raw)
		fmt.Println(err == nil)
	}
	old := iss.Token(nil)
	check(old)
	iss.Rotate()
	check(iss.Token(nil)) // the new key is fetched at first use
	check(old)            // the old one is still published
	iss.Fail(503)
	check(iss.Token(nil)) // known keys are used during the outage
	// Output:
	// true
	// true
	// true
	// true
}

// The token endpoint, for tests of clients.
func ExampleIssuer_URL() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	res, err := http.PostForm(iss.URL()+"/oauth/token", url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {"test-client"},
		"client_secret": {verifiertest.ClientSecret},
		"audience":      {"https://api.example.com"},
		"scope":         {"orders:read"},
	})
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	var answer struct {
		TokenType string `json:"token_type"`
		Scope     string `json:"scope"`
	}
	err = json.NewDecoder(res.Body).Decode(&answer)
	fmt.Println(answer.TokenType, answer.Scope, err)
	// Output: Bearer orders:read <nil>
}
