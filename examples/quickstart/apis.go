package main

import (
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echoauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/ginauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// The same API in three frameworks: GET /orders needs the scope orders:read, POST
// /orders needs orders:write. The handler responds with the caller's client id and
// scopes.

var (
	mayRead  = verifier.Scope("orders:read")
	mayWrite = verifier.Scope("orders:write")
)

type reply struct {
	Client string   `json:"client_id"`
	Scopes []string `json:"scopes"`
}

func netHTTPAPI(v *verifier.Verifier) http.Handler {
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tok, _ := httpauth.Token(r)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(reply{tok.ClientID(), tok.Scopes()})
	})
	mux := http.NewServeMux()
	mux.Handle("GET /orders", httpauth.Protect(v, mayRead)(orders))
	mux.Handle("POST /orders", httpauth.Protect(v, mayWrite)(orders))
	return mux
}

func echoAPI(v *verifier.Verifier) http.Handler {
	orders := func(c echo.Context) error {
		tok, _ := echoauth.Token(c)
		return c.JSON(http.StatusOK, reply{tok.ClientID(), tok.Scopes()})
	}
	e := echo.New()
	e.GET("/orders", orders, echoauth.Protect(v, mayRead))
	e.POST("/orders", orders, echoauth.Protect(v, mayWrite))
	return e
}

func ginAPI(v *verifier.Verifier) http.Handler {
	orders := func(c *gin.Context) {
		tok, _ := ginauth.Token(c)
		c.JSON(http.StatusOK, reply{tok.ClientID(), tok.Scopes()})
	}
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.GET("/orders", ginauth.Protect(v, mayRead), orders)
	r.POST("/orders", ginauth.Protect(v, mayWrite), orders)
	return r
}
