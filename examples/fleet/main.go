// Fleet shows replicas of one API that share keys, revocations and used proofs, while
// what they depend on fails.
//
//	go run ./examples/fleet         # about 80 seconds
//	go run ./examples/fleet -short  # about 25
//
// It starts a redis-server, an issuer and three replicas of the API in the folder api
// (which is the part to copy), all on loopback, and sends requests with good and bad
// tokens to each replica. Then keys are rotated, a token is revoked, proofs are replayed,
// a replica and Redis are killed, and a fourth replica starts while the issuer is down. A
// table and a picture show what was served and refused when. The program exits with
// status 1 if that is not within the bounds of bounds.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	var o options
	flag.BoolVar(&o.short, "short", false, "take a third of the time")
	flag.IntVar(&o.rate, "rate", 100, "good requests per second to each replica")
	flag.StringVar(&o.picture, "picture", "fleet.svg", "file for the picture")
	flag.StringVar(&o.logs, "logs", "", "folder for the logs of Redis and the replicas; none are kept if not set")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

type options struct {
	short         bool
	rate          int
	picture, logs string
}

// run runs the story, and reports what was not within the bounds as an error.
func run(ctx context.Context, out io.Writer, o options) (err error) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return errors.New("redis-server must be in PATH: on Debian and Ubuntu, .ci/redis make fleet does that, or install the package redis-server")
	}
	dir, err := os.MkdirTemp("", "jwtguard-fleet-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if o.logs == "" {
		o.logs = dir
	}
	if o.rate < 1 {
		return errors.New("-rate must be 1 or more")
	}
	fmt.Fprintln(out, "Compiling the API ...")
	w, err := build(ctx, dir, o.logs)
	if err != nil {
		return errors.Join(err, w.close())
	}
	unit := time.Second
	if o.short {
		unit /= 3
	}
	steps, err := tell(ctx, out, w, unit, o.rate)
	err = errors.Join(err, w.close())
	if len(steps) == 0 || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	r := w.record.report(steps)
	r.table(out)
	if err := os.WriteFile(o.picture, r.picture(), 0o644); err != nil {
		return err
	}
	shown, err2 := filepath.Abs(o.picture)
	fmt.Fprintf(out, "\nThe picture is %s\n", shown)
	return errors.Join(append(r.broken(), err, err2)...)
}
