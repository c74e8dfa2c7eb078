// Soak drives three APIs, behind httpauth, echoauth and ginauth, for as long as
// it is told to, while their authorization server rotates its keys, restarts,
// answers 500 and hangs, and while a third of all requests is hostile. It ends
// with a report, and with status 1 if a promise was broken.
//
//	go run ./soak -duration 3m
//	go run ./soak -duration 30s -markdown
//
// The promises: no good token is refused, no bad one accepted, every other
// answer is one of those documented, no request fails below HTTP, strangers cost
// no more fetches than their budget, each decision and each fetch is observed once, and
// neither memory nor goroutines grow.
//
// Neither good nor bad, and counted apart, are tokens of a key that an API may
// or may not know: after a rotation without overlap those of the old key and of
// the new one, for a cooldown and a second; and those of a key published while
// the authority was out, until it is back. Of a key published with overlap, or
// during an outage, no token is sent until every API must know it: a cooldown and
// a second after its publication, or 11 seconds after the outage.
//
// Everything runs in this process, each API with a verifier, a cache and a
// loopback socket of its own, so that memory and goroutines can be counted. The
// load generator, vegeta, and the authorization server are in those figures
// too; both times they are at rest.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// A config says how long and how hard.
type config struct {
	duration time.Duration
	warmUp   time.Duration // before it
	rate     int           // requests per second, to all APIs together
}

func main() {
	cfg := config{warmUp: 3 * time.Second}
	flag.DurationVar(&cfg.duration, "duration", 30*time.Second, "how long to go on")
	flag.IntVar(&cfg.rate, "rate", 400, "requests per second, to all APIs together")
	markdown := flag.Bool("markdown", false, "print the report as Markdown")
	flag.Parse()
	if flag.NArg() > 0 || cfg.duration <= 0 || cfg.rate <= 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := soak(ctx, cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
	r.print(os.Stdout, *markdown)
	if len(r.broken()) > 0 {
		os.Exit(1)
	}
}

// soak runs the whole thing; it returns early when ctx is done.
func soak(ctx context.Context, cfg config) (r *report, err error) {
	born := time.Now()
	w, err := build(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := w.close(); err == nil {
			err = e
		}
	}()
	d := &director{authority: w.authority}
	if err := d.open(); err != nil {
		return nil, err
	}
	l := newLoad(w.apis, &d.stock, cfg.rate)
	defer l.client.CloseIdleConnections()

	warm := newTally(w.apis, d.now)
	l.attack(ctx, cfg.warmUp, warm)
	r = &report{cfg: cfg, apis: w.apis, warm: warm, tally: newTally(w.apis, d.now)}
	l.client.CloseIdleConnections()
	if r.before, err = rest(ctx); err != nil {
		return nil, err
	}
	acting, enough := context.WithCancel(context.WithoutCancel(ctx)) // the load ends first
	acted := make(chan error, 1)
	go func() { acted <- d.act(acting) }()
	began := time.Now()
	l.attack(ctx, cfg.duration, r.tally)
	r.took = time.Since(began)
	enough()
	if err := <-acted; err != nil {
		return nil, err
	}
	r.events = d.events
	l.client.CloseIdleConnections()
	if r.after, err = rest(ctx); err != nil {
		return nil, err
	}
	r.lived = time.Since(born)
	for _, a := range w.apis {
		r.observed = append(r.observed, a.observer.counts()) // before what it is compared with
		r.stats = append(r.stats, a.keys.Stats())
	}
	r.asked = w.authority.Fetches()
	return r, nil
}
