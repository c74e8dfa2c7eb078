package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echoauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/ginauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const (
	ordersAPI = "https://api.example.com"
	clientID  = "shop"

	// Shorter than the defaults, so that minutes show what hours would.
	cooldown = 2 * time.Second
	refresh  = 5 * time.Second
)

// A world is the authorization server and the APIs.
type world struct {
	authority *authority
	apis      []*api
}

// An api says who calls it, at /orders.
type api struct {
	name, url string
	keys      *jwkscache.Cache
	observer  observer
	stop      func() error
}

var frameworks = []struct {
	name    string
	protect func(*verifier.Verifier) http.Handler
}{
	{"net/http", func(v *verifier.Verifier) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("GET /orders", httpauth.Protect(v, mayRead)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			tok, _ := httpauth.Token(r)
			_, _ = io.WriteString(w, tok.ClientID())
		})))
		return mux
	}},
	{"Echo", func(v *verifier.Verifier) http.Handler {
		e := echo.New()
		e.GET("/orders", func(c echo.Context) error {
			tok, _ := echoauth.Token(c)
			return c.String(http.StatusOK, tok.ClientID())
		}, echoauth.Protect(v, mayRead))
		return e
	}},
	{"Gin", func(v *verifier.Verifier) http.Handler {
		gin.SetMode(gin.ReleaseMode)
		g := gin.New()
		g.GET("/orders", ginauth.Protect(v, mayRead), func(c *gin.Context) {
			tok, _ := ginauth.Token(c)
			c.String(http.StatusOK, tok.ClientID())
		})
		return g
	}},
}

var mayRead = verifier.Scope("orders:read")

// build starts everything, and waits until the APIs have keys.
func build(ctx context.Context) (w *world, err error) {
	w = &world{}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.authority, err = newAuthority(); err != nil {
		return w, err
	}
	for _, f := range frameworks {
		a := &api{name: f.name}
		a.keys, err = jwkscache.ForIssuer(w.authority.Issuer(), jwkscache.Config{
			Refresh: refresh, Cooldown: cooldown, Logger: slog.New(slog.DiscardHandler), Observe: a.observer.event,
		})
		if err != nil {
			return w, err
		}
		a.stop = a.keys.Close
		w.apis = append(w.apis, a)
		v, err := verifier.Settings{Observe: a.observer.decision}.New(verifier.Config{
			Issuer: w.authority.Issuer(), Audiences: []string{ordersAPI}, RFC9068: true, Keys: a.keys,
		})
		if err != nil {
			return w, err
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return w, err
		}
		a.url = "http://" + listener.Addr().String() + "/orders"
		stop := serve(listener, f.protect(v))
		a.stop = func() error { return errors.Join(stop(), a.keys.Close()) }
		ready, cancel := context.WithTimeout(ctx, 10*time.Second)
		err = v.Ready(ready)
		cancel()
		if err != nil {
			return w, err
		}
	}
	return w, nil
}

func (w *world) close() error {
	var errs []error
	for _, a := range w.apis {
		errs = append(errs, a.stop())
	}
	if w.authority != nil {
		errs = append(errs, w.authority.down())
	}
	return errors.Join(errs...)
}

// serve runs h until the returned function is called.
func serve(l net.Listener, h http.Handler) (stop func() error) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // returns when closed
	}()
	return func() error {
		err := s.Close()
		<-done
		return err
	}
}
