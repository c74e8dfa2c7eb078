package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

// A phase is a part of the time in which requests are sent.
type phase struct {
	title string
	begin func() error // or nil
	junk  bool         // a stranger sends junk, too
}

// phases are all of the same length. The attack and the outage are apart, so that the
// graphs show which is which.
func (c *caller) phases() []phase {
	w := c.w
	return []phase{
		{title: "as usual", begin: c.renew},
		{title: "one issuer rotates its key", begin: func() error {
			if err := w.login.Rotate(""); err != nil {
				return err
			}
			return c.renew()
		}},
		{title: "the other issuer fails; tokens with its new key get 503", begin: func() error {
			w.partner.Fail(http.StatusServiceUnavailable)
			if err := w.partner.Rotate(""); err != nil {
				return err
			}
			return c.renew()
		}},
		{title: "it works again", begin: func() error { w.partner.Heal(); return nil }},
		{title: "a stranger sends junk", junk: true},
		{title: "the tokens of one client are revoked", begin: func() error {
			return w.revoked.Revoke(context.Background(), revocation.Entry{Issuer: w.partner.Issuer(), ClientID: "billing"})
		}},
	}
}

// runPhases runs all phases within the time during, and returns when it is over or ctx is
// done.
func runPhases(ctx context.Context, out io.Writer, w *world, during time.Duration) error {
	c := &caller{w: w}
	phases := c.phases()
	each := during / time.Duration(len(phases))
	for _, p := range phases {
		if ctx.Err() != nil {
			return nil
		}
		fmt.Fprintf(out, "%s  %s\n", time.Now().Format(time.TimeOnly), p.title)
		w.note(p.title)
		if p.begin != nil {
			if err := p.begin(); err != nil {
				return err
			}
		}
		if err := c.run(ctx, p, each); err != nil {
			return err
		}
	}
	return nil
}

// run sends 50 requests a second of the usual mix, and some 20 of junk if p has it.
func (c *caller) run(ctx context.Context, p phase, during time.Duration) error {
	var junk sync.WaitGroup
	failed := make(chan error, 25)
	if p.junk {
		for range 25 { // senders, since requests with unknown keys wait for a fetch
			junk.Go(func() {
				if err := send(ctx, 200*time.Millisecond, during, c.junk); err != nil {
					failed <- err
				}
			})
		}
	}
	err := send(ctx, 20*time.Millisecond, during, c.usual)
	junk.Wait()
	close(failed)
	return errors.Join(err, <-failed)
}
