package ginauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/adapters/ginauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func TestRefusalsAreWritten(t *testing.T) {
	t.Run("R6 a HEAD, which has no body", refusedHEAD)
	t.Run("R6 in NoRoute", refusedInNoRoute)
}

// A middleware outside that answers what nobody answered sees that a refused HEAD was
// answered.
func refusedHEAD(t *testing.T) {
	gin.SetMode(gin.TestMode)
	g := gin.New()
	g.Use(func(c *gin.Context) {
		c.Next()
		if !c.Writer.Written() {
			c.Status(http.StatusOK)
		}
	})
	g.HEAD("/", ginauth.Protect(verifiertest.NewIssuer(t).Verifier("https://api.example.com")))
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/", nil))
	assert.Equal(t, http.StatusUnauthorized, w.Code)
}

// In NoRoute, Gin has set 404 before: a hook that writes nothing does not
// inherit it.
func refusedInNoRoute(t *testing.T) {
	gin.SetMode(gin.TestMode)
	g := gin.New()
	m := ginauth.Middleware{OnError: func(*gin.Context, *verifier.Error) {}}
	g.NoRoute(m.Protect(verifiertest.NewIssuer(t).Verifier("https://api.example.com")))
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/nowhere", nil))
	assert.Equal(t, http.StatusUnauthorized, w.Code)
	assert.NotEmpty(t, w.Body.String())
}

// A handler may hand on its *gin.Context as the context that it is: the token is
// found there, with the engine's ContextWithFallback or without.
func TestGinContextAsContext(t *testing.T) {
	gin.SetMode(gin.TestMode)
	iss := verifiertest.NewIssuer(t)
	v := iss.Verifier("https://api.example.com")
	token := func(c *gin.Context) string {
		tok, ok := verifier.FromContext(c)
		if !ok {
			return "nobody"
		}
		return tok.ClientID()
	}
	for _, fallback := range []bool{false, true} {
		t.Run(fmt.Sprintf("ContextWithFallback %v", fallback), func(t *testing.T) {
			g := gin.New()
			g.ContextWithFallback = fallback
			g.GET("/protected", ginauth.Protect(v), func(c *gin.Context) {
				assert.NoError(t, verifier.Require(c, verifier.Client("shop")))
				assert.ErrorIs(t, verifier.Require(c, verifier.Scope("x")), verifier.ErrScope)
				later, cancel := context.WithCancel(c)
				defer cancel()
				tok, _ := verifier.FromContext(later)
				assert.Equal(t, "shop", tok.ClientID())
				c.String(http.StatusOK, token(c)+" "+token(c.Copy()))
			})
			g.GET("/optional", ginauth.Optional(v), func(c *gin.Context) {
				assert.ErrorIs(t, verifier.Require(c), verifier.ErrNoToken)
				c.String(http.StatusOK, token(c))
			})
			g.GET("/hidden", ginauth.Protect(v), func(c *gin.Context) { c.Request.Header.Del("Authorization") }, ginauth.Optional(v), func(c *gin.Context) {
				c.String(http.StatusOK, token(c))
			})
			g.GET("/open", func(c *gin.Context) { c.String(http.StatusOK, token(c)) })
			for path, want := range map[string]string{"/protected": "shop shop", "/optional": "nobody", "/hidden": "nobody", "/open": "nobody"} {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				if path != "/optional" {
					r.Header.Set("Authorization", "Bearer "+iss.Token(verifiertest.Claims{"client_id": "shop"}))
				}
				w := httptest.NewRecorder()
				g.ServeHTTP(w, r)
				assert.Equal(t, want, w.Body.String(), path)
			}
		})
	}
}
