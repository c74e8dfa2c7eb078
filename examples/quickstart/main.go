// Quickstart runs a small authorization server and the same API in net/http, Echo and
// Gin, on loopback.
//
//	go run ./examples/quickstart         # show the client-credentials grant step by step
//	go run ./examples/quickstart -serve  # keep serving, for curl
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	serve := flag.Bool("serve", false, "keep serving until interrupted")
	var at addresses
	flag.StringVar(&at.auth, "auth", "127.0.0.1:8080", "with -serve: address of the authorization server")
	flag.StringVar(&at.nethttp, "nethttp", "127.0.0.1:8081", "with -serve: address of the net/http API")
	flag.StringVar(&at.echo, "echo", "127.0.0.1:8082", "with -serve: address of the Echo API")
	flag.StringVar(&at.gin, "gin", "127.0.0.1:8083", "with -serve: address of the Gin API")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := demo
	if *serve {
		log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
		run = func(ctx context.Context, out io.Writer) error { return serveUntil(ctx, out, at, log) }
	}
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}
