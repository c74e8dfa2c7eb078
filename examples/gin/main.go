// Gin is a small service as a team would run it: orders and invoices, two
// audiences, health and readiness, structured logs, time-outs and a graceful
// end. Its environment says where it runs:
//
//	ISSUER             the authorization server's issuer, exactly as its metadata spells it
//	AUDIENCE           what tokens for orders name as aud
//	INVOICES_AUDIENCE  what tokens for invoices name as aud; AUDIENCE if not set
//	INVOICES_CLIENTS   the client ids that may read invoices, with commas between them
//	ADDR               where to listen; 127.0.0.1:8080 if not set
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
	issuer, orders, invoices, addr string
	invoiceClients                 []string
}

func configFrom(getenv func(string) string) (config, error) {
	c := config{
		issuer:         getenv("ISSUER"),
		orders:         getenv("AUDIENCE"),
		invoices:       cmp.Or(getenv("INVOICES_AUDIENCE"), getenv("AUDIENCE")),
		addr:           cmp.Or(getenv("ADDR"), "127.0.0.1:8080"),
		invoiceClients: list(getenv("INVOICES_CLIENTS")),
	}
	if c.issuer == "" || c.orders == "" || len(c.invoiceClients) == 0 {
		return c, errors.New("set ISSUER, AUDIENCE and INVOICES_CLIENTS")
	}
	return c, nil
}

// list returns what stands between the commas of text.
func list(text string) (items []string) {
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := start(ctx, log); err != nil {
		log.Error("cannot go on", "error", err)
		os.Exit(1)
	}
}

func start(ctx context.Context, log *slog.Logger) error {
	cfg, err := configFrom(os.Getenv)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", cfg.addr)
	if err != nil {
		return err
	}
	return run(ctx, log, cfg, l)
}

// run serves on l until ctx is done, then lets requests end.
func run(ctx context.Context, log *slog.Logger, cfg config, l net.Listener) error {
	v, err := verifier.Settings{Logger: log}.New(verifier.Config{
		Issuer:    cfg.issuer,
		Audiences: []string{cfg.orders, cfg.invoices},
	})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer v.Close()

	s := &http.Server{
		Handler:           routes(log, v, cfg),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	log.Info("serving", "addr", l.Addr().String(), "issuer", cfg.issuer)
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return s.Shutdown(ctx)
}
