package ginauth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/adapters/ginauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A middleware outside that answers what nobody answered sees that a refused
// HEAD, which has no body, was answered.
func TestR6ARefusedHEADIsWritten(t *testing.T) {
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
func TestR6NoRoute(t *testing.T) {
	gin.SetMode(gin.TestMode)
	g := gin.New()
	m := ginauth.Middleware{OnError: func(*gin.Context, *verifier.Error) {}}
	g.NoRoute(m.Protect(verifiertest.NewIssuer(t).Verifier("https://api.example.com")))
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/nowhere", nil))
	assert.Equal(t, http.StatusUnauthorized, w.Code)
	assert.NotEmpty(t, w.Body.String())
}
