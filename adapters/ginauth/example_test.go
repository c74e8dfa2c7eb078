package ginauth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gin-gonic/gin"

	"github.com/seed-12ed5b1c/jwtguard/adapters/ginauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/exampletb"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func ExampleProtect() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	v := iss.Verifier("https://api.example.com")

	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	api := r.Group("/v1", ginauth.Protect(v))
	api.GET("/orders", ginauth.Require(verifier.Scope("orders:read")), func(c *gin.Context) {
		tok, _ := ginauth.Token(c)
		c.String(http.StatusOK, "client: %s\n", tok.ClientID())
	})

	for _, claims := range []verifiertest.Claims{{"client_id": "shop", "scope": "orders:read"}, {"client_id": "shop"}} {
		req := httptest.NewRequest(http.MethodGet, "/v1/orders", nil)
		req.Header.Set("Authorization", "Bearer "+iss.Token(claims))
		w := httptest.NewRecorder()
		r.ServeHTTP(w, req)
		fmt.Print(w.Code, " ", w.Body)
	}
	// Output:
	// 200 client: shop
	// 403 {"error":"insufficient_scope","error_description":"The access token lacks a scope that this needs."}
}
