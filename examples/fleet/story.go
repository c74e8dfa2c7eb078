package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// A step is a part of the story.
type step struct {
	title    string
	from, to time.Duration
}

// A teller tells the story.
type teller struct {
	*world
	ctx  context.Context
	out  io.Writer
	unit time.Duration // a second, or less
	load *load
}

// lookTime is within which each replica looks whether the keys are still in the store.
const lookTime = 11 * time.Second

// chapters are the steps, and how many units each takes.
func (t *teller) chapters() []chapter {
	first, second, third, fourth := t.replicas[0], t.replicas[1], t.replicas[2], t.replicas[3]
	return []chapter{
		{"three replicas start", 8, func() error { return nil }},
		{"the issuer rotates its key", 8, func() error {
			if err := t.rotate(); err != nil {
				return err
			}
			return t.load.renewBad() // the key before this one is withdrawn in the end
		}},
		{"replica 1 revokes a token", 8, func() error {
			t.pause(2)
			return t.revoke(revoked, &t.load.doomed, first)
		}},
		{"replica 3 is killed, and started again", 10, func() error {
			t.killReplica(third)
			t.pause(3)
			return t.startReplica(t.ctx, third)
		}},
		{"Redis is killed, replica 2 revokes a token", 10, func() error {
			t.killRedis()
			t.pause(3)
			return t.revoke(revokedAway, &t.load.away, second)
		}},
		{"Redis is started again, empty", 8, func() error {
			defer t.wait(time.After(lookTime))
			return t.startRedis(t.ctx)
		}},
		{"the issuer is killed, replica 4 starts", 12, func() error {
			if err := t.killIssuer(); err != nil {
				return err
			}
			t.pause(3)
			return t.startReplica(t.ctx, fourth)
		}},
		{"the issuer returns, with a new key", 8, func() error {
			if err := t.restartIssuer(); err != nil {
				return err
			}
			return t.rotate()
		}},
	}
}

type chapter struct {
	title string
	units int
	do    func() error
}

// tell runs the story with rate good requests per second to each replica, and returns its
// steps, fewer if ctx is done before.
func tell(ctx context.Context, out io.Writer, w *world, unit time.Duration, rate int) (steps []step, err error) {
	t := &teller{world: w, ctx: ctx, out: out, unit: unit}
	if t.load, err = newLoad(w); err != nil {
		return nil, err
	}
	if err := w.startReplicas(ctx, w.replicas[0], w.replicas[1], w.replicas[2]); err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "The issuer is %s, Redis %s; the status page of replica 1 is\n%s\n\n", w.issuer.Issuer(), w.redisAddress, w.replicas[0].status)
	sending, stop := context.WithCancel(ctx)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		t.load.run(sending, rate)
	}()
	defer func() {
		stop()
		<-sent
	}()
	for i, c := range t.chapters() {
		s := step{title: c.title, from: w.record.now()}
		if i == 0 {
			s.from = 0 // with the fetches of the start
		}
		fmt.Fprintf(out, "%5.1f s  %d. %s\n", s.from.Seconds(), i+1, s.title)
		ends := time.After(time.Duration(c.units) * unit)
		if err := c.do(); err != nil {
			return steps, err
		}
		if t.wait(ends); ctx.Err() != nil {
			return steps, nil
		}
		s.to = w.record.now()
		steps = append(steps, s)
	}
	return steps, nil
}

func (t *teller) pause(units int) { t.wait(time.After(time.Duration(units) * t.unit)) }

// wait waits for a time, or until the story is interrupted.
func (t *teller) wait(until <-chan time.Time) {
	select {
	case <-until:
	case <-t.ctx.Done():
	}
}

// rotate makes the issuer sign with a new key, from now on.
func (t *teller) rotate() error {
	if err := t.issuer.Rotate(""); err != nil {
		return err
	}
	return t.load.renewAll()
}

// revoke has a replica revoke the token that is sent in requests of kind k.
func (t *teller) revoke(k kind, which *token, replica *replica) error {
	operator, err := t.issuer.grant(nil, "tokens:revoke", 0)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"token_id": t.load.token(which).id})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(t.ctx, http.MethodPost, replica.at()+"/revocations", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+operator.raw)
	return t.record.revokes(k, replica.number, func() error {
		status, err := t.load.do(r)
		if err == nil && status/100 != 2 {
			err = fmt.Errorf("the revocation gets %d", status)
		}
		return err
	})
}
