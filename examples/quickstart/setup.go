package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const (
	clientID     = "demo-client"
	clientSecret = "demo-secret"
	audience     = "https://api.example.test"
)

type addresses struct{ auth, nethttp, echo, gin string }

// A world is one authorization server and three APIs.
type world struct {
	issuer  *authserver.Server
	authURL string
	stopped func() error // stops only the authorization server
	apis    []api
	closers []func() error // in the order of opening
}

type api struct{ framework, url string }

// build starts everything at the given addresses; port 0 is any free one. The APIs log
// to log.
func build(ctx context.Context, at addresses, log *slog.Logger) (w *world, err error) {
	w = &world{}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	listener, err := listen("auth", at.auth)
	if err != nil {
		return w, err
	}
	w.authURL = "http://" + listener.Addr().String()
	w.issuer, err = authserver.New(w.authURL, "RS256", authserver.Client{
		ID: clientID, Secret: clientSecret, Audiences: []string{audience}, Scopes: []string{"orders:read"},
	})
	if err != nil {
		return w, errors.Join(err, listener.Close())
	}
	w.stopped = w.serve(listener, w.issuer)

	verifiers, err := w.serveAPIs(at, log)
	if err != nil {
		return w, err
	}
	for _, v := range verifiers {
		if err := v.Ready(ctx); err != nil {
			return w, err
		}
	}
	return w, nil
}

// serveAPIs starts the APIs, each with its own verifier. Earlier ones keep running, but
// w.apis has the new ones.
func (w *world) serveAPIs(at addresses, log *slog.Logger) (verifiers []*verifier.Verifier, err error) {
	w.apis = nil
	for _, a := range []struct {
		framework, flag, address string
		handler                  func(*verifier.Verifier) http.Handler
	}{
		{"net/http", "nethttp", at.nethttp, netHTTPAPI},
		{"Echo", "echo", at.echo, echoAPI},
		{"Gin", "gin", at.gin, ginAPI},
	} {
		v, err := verifier.Settings{Logger: log.With("api", a.framework)}.New(verifier.Config{
			Issuer: w.authURL, Audiences: []string{audience}, RFC9068: true,
		})
		if err != nil {
			return nil, err
		}
		w.closers = append(w.closers, v.Close)
		listener, err := listen(a.flag, a.address)
		if err != nil {
			return nil, err
		}
		w.serve(listener, a.handler(v))
		w.apis = append(w.apis, api{a.framework, "http://" + listener.Addr().String()})
		verifiers = append(verifiers, v)
	}
	return verifiers, nil
}

// listen adds to an error how to choose another address.
func listen(flag, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w\n\tanother address: make run ARGS=\"-%s 127.0.0.1:9000\"", err, flag)
	}
	return l, nil
}

// serve runs h until the returned function or close is called.
func (w *world) serve(l net.Listener, h http.Handler) (stop func() error) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // returns when closed
	}()
	stop = func() error {
		err := s.Close()
		<-done
		return err
	}
	w.closers = append(w.closers, stop)
	return stop
}

func (w *world) close() error {
	var errs []error
	for _, c := range w.closers {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}
