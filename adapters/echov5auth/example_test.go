package echov5auth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v5"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echov5auth"
	"github.com/seed-12ed5b1c/jwtguard/internal/exampletb"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func ExampleProtect() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	v := iss.Verifier("https://api.example.com")

	e := echo.New()
	api := e.Group("/v1", echov5auth.Protect(v))
	api.GET("/orders", func(c *echo.Context) error {
		tok, _ := echov5auth.Token(c)
		return c.String(http.StatusOK, "client: "+tok.ClientID()+"\n")
	}, echov5auth.Require(verifier.Scope("orders:read")))

	for _, claims := range []verifiertest.Claims{{"client_id": "shop", "scope": "orders:read"}, {"client_id": "shop"}} {
		r := httptest.NewRequest(http.MethodGet, "/v1/orders", nil)
		r.Header.Set("Authorization", "Bearer "+iss.Token(claims))
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		fmt.Print(w.Code, " ", w.Body)
	}
	// Output:
	// 200 client: shop
	// 403 {"error":"insufficient_scope","error_description":"The access token lacks a scope that this needs."}
}
