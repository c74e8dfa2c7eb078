package adapters

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func TestSmoke(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	v := iss.Verifier("https://api.example.com")
	h := httpauth.Protect(v, verifier.Scope("orders:read"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tok, _ := httpauth.Token(r)
		fmt.Fprintln(w, tok)
	}))
	for _, raw := range []string{iss.Token(verifiertest.Claims{"scope": "orders:read"}), iss.Token(nil), iss.Token(verifiertest.Claims{"aud": "x"})} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+raw)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		t.Log(w.Code, w.Header(), w.Body.String())
		_, err := v.Authenticate(r, verifier.Scope("orders:read"))
		t.Log(err)
	}
	t.Log(verifiertest.NewToken(verifiertest.Claims{"client_id": "billing"}))
}
