package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

const audience = "https://api.example.test"

// A world is two authorization servers and the API, on loopback.
type world struct {
	login, partner      *authserver.Server
	apiURL, internalURL string
	prometheusURL       string // "" if there is none
	revoked             *revocation.List
	closers             []func() error

	mu     sync.Mutex
	phases []phaseStart
}

// A phaseStart is the beginning of a phase, for the page.
type phaseStart struct {
	At    float64 `json:"at"` // Unix time, in seconds
	Title string  `json:"title"`
}

// note records that a phase begins.
func (w *world) note(title string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phases = append(w.phases, phaseStart{float64(time.Now().UnixMilli()) / 1000, title})
}

// build starts everything but Prometheus. Port 0 is any free one.
func build(log *slog.Logger, apiAddr, internalAddr, prometheusURL string) (w *world, err error) {
	w = &world{prometheusURL: prometheusURL, phases: []phaseStart{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if err := w.serveIssuers(); err != nil {
		return w, err
	}
	folder, err := os.MkdirTemp("", "jwtguard-keys-")
	if err != nil {
		return w, err
	}
	w.closers = append(w.closers, func() error { return os.RemoveAll(folder) })
	store, err := jwkscache.Directory(folder) // replicas on other machines need adapters/redisstore
	if err != nil {
		return w, err
	}
	var configs []verifier.Config
	for _, s := range []*authserver.Server{w.login, w.partner} {
		configs = append(configs, verifier.Config{
			Issuer: s.Issuer(), Audiences: []string{audience}, MaxLifetime: maxLifetime,
			// Refresh is for graphs that show something within minutes. Leave it out in
			// your API.
			JWKS: jwkscache.Config{Refresh: 10 * time.Second, Store: store},
		})
	}
	api, err := newAPI(log, configs...)
	if err != nil {
		return w, err
	}
	w.closers, w.revoked = append([]func() error{api.close}, w.closers...), api.revoked
	if w.apiURL, err = w.listen(apiAddr, api.handler); err != nil {
		return w, err
	}
	w.internalURL, err = w.listen(internalAddr, w.internal(api.metrics))
	return w, err
}

// serveIssuers starts the authorization servers, whose identifiers are their addresses.
func (w *world) serveIssuers() error {
	mux := http.NewServeMux()
	address, err := w.listen("127.0.0.1:0", mux)
	if err != nil {
		return err
	}
	for _, i := range []struct {
		path, alg string
		server    **authserver.Server
	}{{"/login", "ES256", &w.login}, {"/partner", "RS256", &w.partner}} {
		if *i.server, err = authserver.New(address+i.path, i.alg); err != nil {
			return err
		}
		mux.Handle(i.path+"/", http.StripPrefix(i.path, *i.server))
	}
	return nil
}

//go:embed page.html dashboards/jwtguard.json
var files embed.FS

// internal has what strangers must not reach: the metrics, and a page that draws the
// dashboard from Prometheus.
func (w *world) internal(metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /{$}", func(rw http.ResponseWriter, r *http.Request) { http.ServeFileFS(rw, r, files, "page.html") })
	mux.Handle("GET /dashboards/", http.FileServerFS(files))
	mux.HandleFunc("GET /phases", func(rw http.ResponseWriter, _ *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(w.phases)
	})
	if to, err := url.Parse(w.prometheusURL); err == nil && w.prometheusURL != "" {
		mux.Handle("GET /api/", httputil.NewSingleHostReverseProxy(to))
	}
	return mux
}

// listen serves h until w is closed, and returns its URL.
func (w *world) listen(address string, h http.Handler) (string, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return "", err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // returns when closed
	}()
	w.closers = append(w.closers, func() error {
		err := s.Close()
		<-done
		return err
	})
	return "http://" + l.Addr().String(), nil
}

// close ends what was started, in that order.
func (w *world) close() error {
	var errs []error
	for _, c := range w.closers {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// ready waits until the API has the keys of both issuers.
func (w *world) ready(ctx context.Context) error {
	for _, s := range []*authserver.Server{w.login, w.partner} {
		raw, err := token(s, nil)
		if err != nil {
			return err
		}
		status, err := w.call(ctx, http.MethodGet, "/orders", raw)
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("the API responds with %d to a good token", status)
		}
	}
	return nil
}
