package dpop_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/exampletb"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A route for tokens that are bound to their client's key.
func Example() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	proofs, err := dpop.New(dpop.Config{Origins: []string{"https://api.example.com"}})
	if err != nil {
		panic(err)
	}
	v, err := verifier.Settings{Bindings: []verifier.Binding{proofs}}.New(iss.Config("https://api.example.com"))
	if err != nil {
		panic(err)
	}
	defer v.Close()
	orders := httpauth.Protect(v, verifier.Bound())(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tok, _ := httpauth.Token(r)
		fmt.Fprint(w, "for ", tok.ClientID())
	}))

	key := verifiertest.NewDPoPKey() // of the client
	token := iss.DPoPToken(key, verifiertest.Claims{"client_id": "shop"})
	r := httptest.NewRequest("GET", "https://api.example.com/orders?page=1", nil)
	key.Authorize(r, token)
	for range 2 { // the second is a replay
		w := httptest.NewRecorder()
		orders.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	thief := httptest.NewRequest("GET", "https://api.example.com/orders", nil)
	verifiertest.NewDPoPKey().Authorize(thief, token)
	w := httptest.NewRecorder()
	orders.ServeHTTP(w, thief)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 200 for shop
	// 401 {"error":"invalid_dpop_proof","error_description":"The DPoP proof is missing or not valid."}
	//
	// 401 {"error":"invalid_token","error_description":"The access token is not valid for this API."}
}
