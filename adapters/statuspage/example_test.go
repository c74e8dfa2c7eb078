package statuspage_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/statuspage"
	"github.com/seed-12ed5b1c/jwtguard/internal/exampletb"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// An api has the handlers of its internal listener apart from those of its clients.
type api struct {
	verifier *verifier.Verifier
	internal http.Handler
}

func newAPI(hostname string, issuers ...verifier.Config) (*api, error) {
	page := statuspage.New(statuspage.Config{Title: "Orders API, " + hostname})
	v, err := verifier.Settings{Observe: page.Observe}.New(issuers...)
	if err != nil {
		return nil, err
	}
	page.Watch(v)
	internal := http.NewServeMux()
	internal.Handle("GET /status", httpauth.Protect(v, verifier.Scope("orders:operate"))(page))
	return &api{verifier: v, internal: internal}, nil
}

// A script reads the page as JSON.
func Example() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)

	orders, err := newAPI("replica 1", iss.Config("https://api.example.com"))
	if err != nil {
		panic(err)
	}
	defer orders.verifier.Close()

	get := func(token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/status", nil)
		r.Header.Set("Accept", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		orders.internal.ServeHTTP(w, r)
		return w
	}
	fmt.Println(get(iss.Token(nil)).Code)

	var status struct {
		State     string
		Verifiers []struct {
			Issuers []struct {
				State string
				Keys  []struct{ Type string }
			}
		}
		Refusals []struct {
			Reason     string
			LastMinute int `json:"last_minute"`
		}
	}
	if err := json.NewDecoder(get(iss.Token(verifiertest.Claims{"scope": "orders:operate"})).Body).Decode(&status); err != nil {
		panic(err)
	}
	fmt.Printf("%+v\n", status)
	// Output:
	// 403
	// {State:healthy Verifiers:[{Issuers:[{State:usable Keys:[{Type:EC P-256}]}]}] Refusals:[{Reason:scope LastMinute:1}]}
}
