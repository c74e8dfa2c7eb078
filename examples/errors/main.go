// Errors responds to refused requests with problem details (RFC 9457) instead of the
// default body, in net/http, Echo and Gin. Status, challenge and Cache-Control stay the
// same.
//
// It is configured by environment variables:
//
//	ISSUER     the authorization server's issuer, exactly as in its metadata
//	AUDIENCE   the aud of the API's tokens
//	FRAMEWORK  nethttp, echo or gin; nethttp if not set
//	ADDR       the address to listen on; 127.0.0.1:8080 if not set
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echoauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/ginauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A problem is a body of application/problem+json (RFC 9457 §3).
type problem struct {
	Type   string   `json:"type"`
	Title  string   `json:"title"`
	Status int      `json:"status"`
	Code   string   `json:"code,omitempty"`
	Scopes []string `json:"scopes,omitempty"`
}

// write writes the client's part of err as the body. The text of err itself is for the
// log.
func write(w http.ResponseWriter, r *http.Request, err *verifier.Error) {
	kind := "about:blank"
	if errors.Is(err, verifier.ErrExpired) {
		kind = "https://api.example.com/problems/expired-token"
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(err.Status())
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(problem{kind, err.Description(), err.Status(), err.Code(), err.Scopes})
	}
}

func netHTTP(v *verifier.Verifier) http.Handler {
	guard := httpauth.Middleware{OnError: write}
	mux := http.NewServeMux()
	mux.Handle("GET /orders", guard.Protect(v, verifier.Scope("orders:read"))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	return mux
}

func echoApp(v *verifier.Verifier) http.Handler {
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		var refused *verifier.Error
		if errors.As(err, &refused) && !c.Response().Committed {
			write(c.Response(), c.Request(), refused)
			return
		}
		e.DefaultHTTPErrorHandler(err, c)
	}
	e.GET("/orders", func(echo.Context) error { return nil }, echoauth.Protect(v, verifier.Scope("orders:read")))
	return e
}

func ginApp(v *verifier.Verifier) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	guard := ginauth.Middleware{OnError: func(c *gin.Context, err *verifier.Error) { write(c.Writer, c.Request, err) }}
	r.GET("/orders", guard.Protect(v, verifier.Scope("orders:read")), func(*gin.Context) {})
	return r
}

func main() {
	v, err := verifier.New(verifier.Config{Issuer: os.Getenv("ISSUER"), Audiences: []string{os.Getenv("AUDIENCE")}})
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	apps := map[string]func(*verifier.Verifier) http.Handler{"nethttp": netHTTP, "echo": echoApp, "gin": ginApp}
	app, ok := apps[cmp.Or(os.Getenv("FRAMEWORK"), "nethttp")]
	if !ok {
		log.Fatal("FRAMEWORK is one of nethttp, echo, gin")
	}
	s := &http.Server{Addr: cmp.Or(os.Getenv("ADDR"), "127.0.0.1:8080"), Handler: app(v), ReadHeaderTimeout: 5 * time.Second}
	log.Println(s.ListenAndServe())
}
