// Nethttp is a small service with all that it needs: orders and invoices, two audiences,
// health and readiness, structured logs, time-outs and a graceful shutdown. To start
// with a copy, take the folder and write your own routes. This file is the same in
// examples/nethttp, examples/echo and examples/gin; only the routes differ. It is
// configured by environment variables:
//
//	ISSUER             the authorization server's issuer, exactly as in its metadata
//	AUDIENCE           the aud of tokens for orders
//	INVOICES_AUDIENCE  the aud of tokens for invoices; AUDIENCE if not set
//	INVOICES_CLIENTS   the client ids that may read invoices, separated by commas
//	ADDR               the address to listen on; 127.0.0.1:8080 if not set
//	PROBES_ADDR        the address for probes, which is not for clients; 127.0.0.1:8081 if not set
package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

type config struct {
	orders, invoices string // audiences
	invoiceClients   []string
}

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, log); err != nil {
		log.Error("cannot go on", "error", err)
		os.Exit(1)
	}
}

// run serves until ctx is done, then waits for requests to end.
func run(ctx context.Context, log *slog.Logger) error {
	cfg := config{
		orders:         os.Getenv("AUDIENCE"),
		invoices:       cmp.Or(os.Getenv("INVOICES_AUDIENCE"), os.Getenv("AUDIENCE")),
		invoiceClients: strings.FieldsFunc(os.Getenv("INVOICES_CLIENTS"), func(r rune) bool { return r == ',' || r == ' ' }),
	}
	if len(cfg.invoiceClients) == 0 {
		return errors.New("set INVOICES_CLIENTS")
	}
	v, err := verifier.Settings{Logger: log}.New(verifier.Config{
		Issuer:    os.Getenv("ISSUER"),
		Audiences: []string{cfg.orders, cfg.invoices},
	})
	if err != nil {
		return err // names the missing setting
	}
	defer v.Close()
	go func() { // the keys are fetched in the background
		if err := v.Ready(ctx); err != nil {
			log.Error("no keys", "error", err)
			return
		}
		log.Info("ready")
	}()

	l, err := net.Listen("tcp", cmp.Or(os.Getenv("ADDR"), "127.0.0.1:8080"))
	if err != nil {
		return err
	}
	pl, err := net.Listen("tcp", cmp.Or(os.Getenv("PROBES_ADDR"), "127.0.0.1:8081"))
	if err != nil {
		return err
	}
	log.Info("serving", "addr", l.Addr().String(), "probes", pl.Addr().String())
	s, ps := server(log, routes(log, v, cfg)), server(log, probes(v))
	defer ps.Close()
	served := make(chan error, 2)
	go func() { served <- s.Serve(l) }()
	go func() { served <- ps.Serve(pl) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return s.Shutdown(ctx)
}

func server(log *slog.Logger, h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// probes are for the orchestrator: liveness, readiness and startup.
func probes(v *verifier.Verifier) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/livez", func(http.ResponseWriter, *http.Request) {}) // a restart brings no keys
	mux.Handle("/readyz", v.HealthHandler())
	mux.Handle("/startupz", v.ReadyHandler())
	return mux
}
