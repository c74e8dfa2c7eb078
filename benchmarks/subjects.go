package main

import (
	"context"
	"crypto"
	"errors"
	"net/http"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/peers"
	"github.com/seed-12ed5b1c/jwtguard/internal/hostile"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A subject is one row of a table.
type subject struct {
	who string
	on  string // what it is a middleware of; "" for a library
	run measure.Run
	try peers.Verify // any token, not only those of the pool
}

// The names of rows that are looked up.
const (
	bare  = "bare cryptography"
	hit   = "jwtguard, token seen before"
	miss  = "jwtguard, new token"
	off   = "jwtguard, TokenCache: -1"
	alone = "no middleware"
)

// A stock is what the subjects of one algorithm share.
type stock struct {
	*peers.Authority
	pool []string // distinct good tokens
	warm string   // another one
}

func newStock(a *peers.Authority) *stock {
	return &stock{Authority: a, pool: a.Good(500), warm: a.With(nil)}
}

// forever is the run of an operation that any number of calls leave as it is.
func forever(op measure.Op) measure.Run {
	return measure.Run{Begin: func() (measure.Op, error) { return op, nil }}
}

// over verifies the tokens of the pool in turn.
func (s *stock) over(verify peers.Verify) measure.Run {
	return forever(func(i int) error { return verify(s.pool[i%len(s.pool)]) })
}

// guarded returns the four subjects that show whether this library is slow: bare
// cryptography, a token that was verified before, one that was not, and one
// without the token cache.
func (s *stock) guarded(ctx context.Context) []subject {
	cryptography, keys := peers.Bare(s.Authority), peers.Keys(ctx, s.Authority)
	verify := func(tokens int) peers.Verify {
		v := s.warmed(ctx, keys, tokens)
		return func(raw string) error { _, err := v.Verify(ctx, raw); return err }
	}
	remembering, forgetting := verify(0), verify(-1)
	return []subject{
		{who: bare, run: s.over(cryptography), try: cryptography},
		{who: hit, run: forever(func(int) error { return remembering(s.warm) }), try: remembering},
		{who: miss, run: s.misses(ctx, keys, func(v *verifier.Verifier) measure.Op {
			return func(i int) error { _, err := v.Verify(ctx, s.pool[i]); return err }
		}), try: remembering},
		{who: off, run: s.over(forgetting), try: forgetting},
	}
}

// libraries returns the guarded and then the peers. What they start ends with
// ctx.
func (s *stock) libraries(ctx context.Context) []subject {
	all := s.guarded(ctx)
	for _, l := range peers.Libraries {
		verify := l.Open(ctx, s.Authority)
		all = append(all, subject{who: l.Name, run: s.over(verify), try: verify})
	}
	return all
}

// routes returns for each framework the route alone, then behind this library,
// then behind its peers. What they start ends with ctx.
func (s *stock) routes(ctx context.Context) (all []subject) {
	keys := peers.Keys(ctx, s.Authority)
	warm := func(int) string { return s.warm }
	each := func(i int) string { return s.pool[i] }
	for _, r := range peers.Routes {
		ours, requests := r.Guard(s.warmed(ctx, keys, 0)), newRequests(len(s.pool), each)
		all = append(all,
			subject{who: alone, on: r.On, run: forever(requests.to(r.Plain()))},
			subject{who: r.Ours + ", token seen before", on: r.On, run: forever(newRequests(len(s.pool), warm).to(ours)), try: asking(ours)},
			subject{who: r.Ours + ", new token", on: r.On, try: asking(ours), run: s.misses(ctx, keys, func(v *verifier.Verifier) measure.Op {
				return requests.to(r.Guard(v))
			})})
		for _, m := range r.Peers {
			h := m.Open(ctx, s.Authority)
			all = append(all, subject{who: m.Name, on: r.On, run: forever(requests.to(h)), try: asking(h)})
		}
	}
	return all
}

// misses takes a new verifier for each pass over the pool, so that it has seen
// none of the tokens. The keys stay.
func (s *stock) misses(ctx context.Context, keys verifier.KeySource, op func(*verifier.Verifier) measure.Op) measure.Run {
	var last *verifier.Verifier
	return measure.Run{Pool: len(s.pool), Begin: func() (measure.Op, error) {
		if last != nil {
			_ = last.Close()
		}
		last = s.warmed(ctx, keys, 0)
		return op(last), nil
	}}
}

// warmed returns a verifier that has seen one token, none of the pool's.
func (s *stock) warmed(ctx context.Context, keys verifier.KeySource, tokens int) *verifier.Verifier {
	v := peers.Verifier(s.Authority, keys, tokens)
	peers.Must(v.Verify(ctx, s.warm))
	return v
}

// hostile returns what it takes this library to refuse each kind of token that
// anybody can make to cost as much as can be.
func (s *stock) hostile() (all []subject) {
	v := peers.Verifier(s.Authority, anyKeyID{s.PublicKey()}, 0)
	kid, _ := s.Key()
	for _, t := range (hostile.Aim{Issuer: peers.Issuer, Audience: peers.Audience, Alg: s.Alg, KeyID: kid}).Tokens() {
		r := &http.Request{Header: http.Header{"Authorization": {"Bearer " + t.Raw}}}
		all = append(all, subject{who: t.Kind, run: forever(func(int) error {
			if _, err := v.Authenticate(r); err == nil {
				return errors.New("accepted")
			}
			return nil
		})})
	}
	return all
}

// anyKeyID is a key under any name, so that no token is refused for its kid.
type anyKeyID struct{ key crypto.PublicKey }

func (a anyKeyID) Lookup(_ context.Context, q jwkscache.Query) ([]crypto.PublicKey, error) {
	if q.Tried != nil {
		return nil, nil
	}
	return []crypto.PublicKey{a.key}, nil
}
