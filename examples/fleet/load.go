package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/dpopkey"
)

const (
	poolSize = 8                // tokens that are in use at a time
	renewal  = time.Second      // how often one of them is replaced
	timeout  = 10 * time.Second // of a request

	revokedRate = 50 // requests per second to each replica
	awayRate    = 20
	boundRate   = 10
	expiredRate = 5
)

// A load sends requests to the replicas of w, each at a steady rate, however long the
// responses take.
type load struct {
	w      *world
	client *http.Client
	sent   sync.WaitGroup

	mu           sync.Mutex
	pool         []token
	bound        token
	doomed, away token // those that are revoked: with Redis, and without
	late         token // one that has expired
}

func newLoad(w *world) (*load, error) {
	key, err := dpopkey.New()
	if err != nil {
		return nil, err
	}
	l := &load{w: w, client: &http.Client{Timeout: timeout, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	l.bound.key = key
	return l, errors.Join(l.renewAll(), l.renewBad())
}

// renewAll gives the clients new tokens, as after a rotation.
func (l *load) renewAll() error {
	for range poolSize {
		if err := l.renew(); err != nil {
			return err
		}
	}
	return nil
}

// renewBad replaces the tokens that are bad, or will be: those of a key that the issuer has
// withdrawn would be refused for another reason.
func (l *load) renewBad() error {
	doomed, err := l.w.issuer.grant(nil, "orders:read", 0)
	if err != nil {
		return err
	}
	away, err := l.w.issuer.grant(nil, "orders:read", 0)
	if err != nil {
		return err
	}
	late, err := l.w.issuer.grant(nil, "orders:read", 2*time.Hour)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doomed, l.away, l.late = doomed, away, late
	return nil
}

// renew replaces the oldest token of the pool, and the bound one.
func (l *load) renew() error {
	one, err := l.w.issuer.grant(nil, "orders:read", 0)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pool = append(l.pool, one)
	l.pool = l.pool[max(0, len(l.pool)-poolSize):]
	l.bound, err = l.w.issuer.grant(l.bound.key, "orders:read", 0)
	return err
}

// anyToken returns a token of the pool.
func (l *load) anyToken() token {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pool[rand.IntN(len(l.pool))]
}

// token returns a copy of one of l's tokens.
func (l *load) token(which *token) token {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *which
}

// run sends requests until ctx is done, and returns when there were responses to all.
func (l *load) run(ctx context.Context, rate int) {
	for _, r := range l.w.replicas {
		l.every(ctx, rate, func() { l.send(r, good, l.anyToken(), "") })
		l.every(ctx, revokedRate, func() { l.send(r, revoked, l.token(&l.doomed), "") })
		l.every(ctx, awayRate, func() { l.send(r, revokedAway, l.token(&l.away), "") })
		l.every(ctx, expiredRate, func() { l.send(r, expired, l.token(&l.late), "") })
		l.every(ctx, boundRate, func() { l.sendBound(r) })
	}
	// A client gets its tokens before the issuer fails: here, they are made in this process.
	l.every(ctx, int(time.Second/renewal), func() { _ = l.renew() })
	l.sent.Wait()
}

// every calls f in goroutines of its own.
func (l *load) every(ctx context.Context, rate int, f func()) {
	l.sent.Go(func() {
		tick := time.NewTicker(time.Second / time.Duration(rate))
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				l.sent.Go(f)
			}
		}
	})
}

// sendBound sends a request with a new proof, and replays the proof: to the same replica
// and to the next one that runs.
func (l *load) sendBound(r *replica) {
	t := l.token(&l.bound)
	proof, err := t.key.Proof(http.MethodGet, audience+"/orders", t.raw, nil)
	if err != nil || l.send(r, bound, t, proof) != http.StatusOK {
		return
	}
	l.send(r, sameReplay, t, proof)
	for i := range l.w.replicas {
		other := l.w.replicas[(r.number+i)%len(l.w.replicas)]
		if other != r && other.at() != "" {
			l.send(other, farReplay, t, proof)
			return
		}
	}
}

// send sends one request to r if it runs, and records and returns the status.
func (l *load) send(r *replica, k kind, t token, proof string) int {
	url := r.at()
	if url == "" {
		return 0
	}
	request, err := http.NewRequest(http.MethodGet, url+"/orders", nil)
	if err != nil {
		return 0
	}
	request.Header.Set("Authorization", "Bearer "+t.raw)
	if proof != "" {
		request.Header.Set("Authorization", "DPoP "+t.raw)
		request.Header.Set("DPoP", proof)
	}
	e := event{kind: k, replica: r.number, kid: t.kid, at: l.w.record.now()}
	e.status, e.err = l.do(request)
	e.took = l.w.record.now() - e.at
	l.w.record.add(e)
	return e.status
}

func (l *load) do(r *http.Request) (status int, err error) {
	res, err := l.client.Do(r)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, errors.Join(err, res.Body.Close())
}
