package main

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// known is how long after its publication every API takes a new key, however
	// many strangers spend its budget: a cooldown, and a second for the fetch.
	known = cooldown + time.Second

	// knownAgain is the same after an outage: fetches that fail are at most 10 s
	// apart while a key is missing.
	knownAgain = 10*time.Second + time.Second

	// waited is when the last request has ended that waited for a fetch.
	waited = 5500*time.Millisecond + 500*time.Millisecond

	// noticed is when the APIs' fetches have failed for a while.
	noticed = 2 * time.Second

	// brief is long for a request that waits for nothing.
	brief = 1500 * time.Millisecond
)

// A director makes things happen at the authority, and keeps a stock of tokens
// of which it is certain what they are: good, or bad, or neither.
type director struct {
	authority *authority
	stock     atomic.Pointer[stock]
	step      atomic.Pointer[string]
	withdrawn string // a token whose key every API has forgotten
	events    events
}

// events count what happened.
type events struct {
	planned, abrupt, away  int // rotations: with overlap, without, during an outage
	restarts, fails, hangs int
}

// now names what is happening.
func (d *director) now() string { return *d.step.Load() }

func (d *director) enter(step string) { d.step.Store(&step) }

// open lays in the first stock.
func (d *director) open() error {
	d.enter("quiet")
	s, err := d.authority.mint()
	d.stock.Store(s)
	return err
}

// act goes on until ctx is done, and leaves the authority in good health.
func (d *director) act(ctx context.Context) error {
	var err error
	for i := 0; ctx.Err() == nil && err == nil; i++ {
		switch i % 6 {
		case 0, 4:
			err = d.planned(ctx)
		case 1:
			d.events.restarts++
			err = d.outage(ctx, "restart", d.authority.down, d.authority.up)
		case 2:
			err = d.abrupt(ctx)
		case 3:
			d.events.hangs++
			err = d.outage(ctx, "hang", call(d.authority.Hang), call(d.authority.Heal))
		case 5:
			d.events.fails++
			fail := func() { d.authority.Fail(http.StatusInternalServerError) }
			err = d.outage(ctx, "500", call(fail), call(d.authority.Heal))
		}
	}
	d.authority.Heal()
	return errors.Join(err, d.authority.up())
}

func call(f func()) func() error { return func() error { f(); return nil } }

// planned publishes a key, signs with it once every API knows it, and withdraws
// the old one when its last token has been used.
func (d *director) planned(ctx context.Context) error {
	d.enter("planned rotation")
	if err := d.authority.Rotate(""); err != nil {
		return err
	}
	d.events.planned++
	return d.adopt(ctx, known)
}

// abrupt replaces the key at once: until every API has noticed, the tokens of
// neither are good or bad.
func (d *director) abrupt(ctx context.Context) error {
	d.enter("rotation without overlap")
	before := d.stock.Load()
	if err := d.authority.Rotate(""); err != nil {
		return err
	}
	d.authority.Withdraw()
	d.events.abrupt++
	after, err := d.authority.mint()
	if err != nil {
		return err
	}
	d.stock.Store(before.between(after.good))
	return d.adopt(ctx, known)
}

// outage lets the authority break and mend. A key is published meanwhile, which
// nobody can know of. In its last seconds no such token is sent, so that none
// still waits when the authority is back.
func (d *director) outage(ctx context.Context, step string, begin, end func() error) error {
	d.enter(step)
	before := d.stock.Load()
	if err := begin(); err != nil {
		return err
	}
	if err := d.authority.Rotate(""); err != nil {
		return err
	}
	d.events.away++
	after, err := d.authority.mint()
	if err != nil {
		return err
	}
	d.stock.Store(before.with(request{early, bearer(after.good)}))
	pass(ctx, noticed)
	d.stock.Store(before)
	pass(ctx, waited)
	if err := end(); err != nil {
		return err
	}
	d.enter("after " + step)
	return d.adopt(ctx, knownAgain)
}

// adopt waits until every API knows the key that signs now, deals in its tokens,
// and withdraws the others. Who knows that key has forgotten those withdrawn
// before it was published, whose tokens are bad from then on.
func (d *director) adopt(ctx context.Context, known time.Duration) error {
	old := d.stock.Load().good
	if !pass(ctx, known) {
		return nil
	}
	fresh, err := d.authority.mint()
	if err != nil {
		return err
	}
	d.stock.Store(fresh)
	if !pass(ctx, brief) {
		return nil
	}
	if d.withdrawn != "" {
		d.stock.Store(fresh.with(request{retired, bearer(d.withdrawn)}))
	}
	d.authority.Withdraw()
	d.withdrawn = old
	return nil
}

// pass waits; false if ctx was done first.
func pass(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
