// Observability shows what a Prometheus sees of a protected API while its issuers
// rotate their keys and fail, and while a stranger sends junk.
//
//	go run ./examples/observability
//
// It runs two issuers, the API (api.go is the part to copy), six phases of traffic, and
// the program prometheus, if that is in PATH or named by PROMETHEUS, all on loopback. A
// page draws the Grafana dashboard of dashboards/jwtguard.json. The alerts of
// alerts/jwtguard.yml are made sixty times as fast.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// speed is how much faster than in production the alerts are.
const speed = 60

func main() {
	var o options
	flag.StringVar(&o.api, "api", "127.0.0.1:8084", "address of the API")
	flag.StringVar(&o.internal, "internal", "127.0.0.1:9464", "address of the metrics and the page")
	flag.StringVar(&o.prometheus, "prometheus", "127.0.0.1:9095", "address of Prometheus")
	flag.DurationVar(&o.during, "during", 5*time.Minute, "how long requests are sent")
	flag.BoolVar(&o.exit, "exit", false, "end when the requests have been sent, instead of at Ctrl-C")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "observability:", err)
		os.Exit(1)
	}
}

type options struct {
	api, internal, prometheus string
	during                    time.Duration
	exit                      bool
}

func run(ctx context.Context, out io.Writer, o options) (err error) {
	program, missing := findPrometheus()
	prometheusURL := ""
	if missing == nil {
		prometheusURL = "http://" + o.prometheus
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	w, err := build(log, o.api, o.internal, prometheusURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if missing == nil {
		p, err := startPrometheus(program, o.prometheus, strings.TrimPrefix(w.internalURL, "http://"), faster(alerts, speed), time.Second)
		if err != nil {
			return err
		}
		w.closers = append(w.closers, p.stop)
		ready, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		if err := p.ready(ready); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "API         %s/orders\nmetrics     %s/metrics\n", w.apiURL, w.internalURL)
	if missing == nil {
		fmt.Fprintf(out, "dashboard   %s/\nPrometheus  %s (alerts: %s/alerts)\n\n", w.internalURL, prometheusURL, prometheusURL)
	} else {
		fmt.Fprintf(out, "\nThere is no prometheus in PATH, so there are no graphs: name one by PROMETHEUS,\nor let yours scrape the metrics.\n\n")
	}
	if err := w.ready(ctx); err != nil {
		return err
	}
	if err := runPhases(ctx, out, w, o.during); err != nil || o.exit {
		return err
	}
	fmt.Fprintln(out, "No more requests are sent. Stop with Ctrl-C.")
	<-ctx.Done()
	return nil
}
