// Api is a service whose replicas share keys, revocations and used proofs through one
// Redis, as a user would write it: start with a copy. config.go has the environment
// variables that configure it, protection.go what a token must pass, and routes.go the
// routes. The folder kubernetes beside it has its manifests.
package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, log); err != nil {
		log.Error("failed", "error", err)
		os.Exit(1)
	}
}

// run serves until ctx is done, then waits for requests to end.
func run(ctx context.Context, log *slog.Logger) (err error) {
	cfg, err := readConfig()
	if err != nil {
		return err
	}
	p, err := newProtection(cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()

	l, err := net.Listen("tcp", cfg.addr)
	if err != nil {
		return err
	}
	il, err := net.Listen("tcp", cfg.internalAddr)
	if err != nil {
		return err
	}
	log.Info("serving", "addr", l.Addr().String(), "internal", il.Addr().String())
	s, is := server(log, routes(p)), server(log, internal(p))
	defer is.Close()
	served := make(chan error, 2)
	go func() { served <- s.Serve(l) }()
	go func() { served <- is.Serve(il) }()
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
