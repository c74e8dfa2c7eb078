package ssf_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/exampletb"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/ssf"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// The identity provider ends a user's session, and the user's token is refused.
func Example() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	list, err := revocation.New(revocation.Config{MaxLifetime: 2 * time.Hour})
	if err != nil {
		panic(err)
	}
	events, err := ssf.New(ssf.Config{
		Transmitters: []ssf.Transmitter{{
			Issuer:    iss.URL(),
			Audiences: []string{"https://api.example.com/events"},
			JWKS:      jwkscache.Config{MetadataURL: iss.URL() + "/.well-known/openid-configuration"},
		}},
		Authorization: []string{"Bearer 2b7e151628aed2a6abf7158809cf4f3c"},
		Revoke:        list.Revoke,
	})
	if err != nil {
		panic(err)
	}
	defer events.Close()
	cfg := iss.Config("https://api.example.com")
	cfg.MaxLifetime = 2 * time.Hour
	v, err := verifier.Settings{Revocation: list}.New(cfg)
	if err != nil {
		panic(err)
	}
	defer v.Close()
	orders := httpauth.Protect(v)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	token := iss.Token(verifiertest.Claims{"sub": "alice"})
	get := func() {
		r := httptest.NewRequest("GET", "/orders", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		orders.ServeHTTP(w, r)
		fmt.Println("GET /orders:", w.Code)
	}
	get()

	kid, alg := iss.Key()
	set := iss.Sign(
		fmt.Sprintf(`{"typ":"secevent+jwt","alg":%q,"kid":%q}`, alg, kid),
		fmt.Sprintf(`{
			"iss": %q, "aud": "https://api.example.com/events", "jti": "756e6971", "iat": %d,
			"sub_id": {"format": "iss_sub", "iss": %q, "sub": "alice"},
			"events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {}}
		}`, iss.URL(), time.Now().Unix(), iss.URL()))
	push := httptest.NewRequest("POST", "/events", strings.NewReader(set))
	push.Header.Set("Content-Type", "application/secevent+jwt")
	push.Header.Set("Authorization", "Bearer 2b7e151628aed2a6abf7158809cf4f3c")
	w := httptest.NewRecorder()
	events.ServeHTTP(w, push)
	fmt.Println("POST /events:", w.Code)
	get()
	// Output:
	// GET /orders: 200
	// POST /events: 202
	// GET /orders: 401
}
