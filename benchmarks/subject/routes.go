package subject

import (
	"context"
	"fmt"
	"net/http"
	"runtime"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/peers"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Alone is a route without any middleware.
const Alone = "no middleware"

// Routes returns for each framework the route alone, then behind this library,
// then behind its peers. What they start ends with ctx.
func Routes(ctx context.Context, s *Stock) ([]Subject, error) {
	keys, err := peers.Keys(ctx, s.Trust)
	if err != nil {
		return nil, err
	}
	var all []Subject
	for _, r := range peers.Routes {
		all = append(all, Subject{Who: Alone, On: r.On, Run: s.through(r.Plain(), s.Pool)})
		ours, err := guarded(ctx, s, r, keys)
		if err != nil {
			return nil, err
		}
		all = append(all, ours...)
		for _, m := range peers.Middlewares {
			if m.On != r.On {
				continue
			}
			h, err := m.Open(ctx, s.Trust)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.Name, err)
			}
			all = append(all, Subject{Who: m.Name, On: m.On, Run: s.through(h, s.Pool), Try: asking(h)})
		}
	}
	return all, nil
}

func guarded(ctx context.Context, s *Stock, r peers.Route, keys verifier.KeySource) ([]Subject, error) {
	v, err := warm(ctx, s, keys, 0)
	if err != nil {
		return nil, err
	}
	hit := r.Guard(v)
	if err := asking(hit)(s.Pool[0]); err != nil {
		return nil, err
	}
	same := make([]string, len(s.Pool))
	for i := range same {
		same[i] = s.Pool[0]
	}
	calls, next := newCalls(s.Pool), s.fresh(ctx, keys)
	miss := measure.Run{Pool: len(calls), Begin: func() (measure.Op, error) {
		v, err := next()
		if err != nil {
			return nil, err
		}
		return calls.to(r.Guard(v)), nil
	}}
	return []Subject{
		{Who: r.Ours + ", token seen before", On: r.On, Run: s.through(hit, same), Try: asking(hit)},
		{Who: r.Ours + ", new token", On: r.On, Run: miss, Try: asking(hit)},
	}, nil
}

func (s *Stock) through(h http.Handler, tokens []string) measure.Run {
	op := newCalls(tokens).to(h)
	return measure.Run{Begin: func() (measure.Op, error) { return op, nil }}
}

// asking sends one token.
func asking(h http.Handler) peers.Verify {
	return func(raw string) error { return newCalls([]string{raw})[0].to(h) }
}

// calls are made once, so that making requests is not measured.
type calls []call

// newCalls leaves out a few tokens, so that workers who take turns never meet
// at one call.
func newCalls(tokens []string) calls {
	all := make(calls, max(1, len(tokens)-len(tokens)%runtime.GOMAXPROCS(0)))
	for i := range all {
		r, err := http.NewRequest(http.MethodGet, "/orders", nil)
		if err != nil {
			panic(err) // both are constants
		}
		r.Header.Set("Authorization", "Bearer "+tokens[i])
		all[i] = call{request: r, answer: answer{header: make(http.Header)}}
	}
	return all
}

func (c calls) to(h http.Handler) measure.Op {
	return func(i int) error { return c[i%len(c)].to(h) }
}

type call struct {
	request *http.Request
	answer  answer
}

func (c *call) to(h http.Handler) error {
	clear(c.answer.header)
	c.answer.status = 0
	h.ServeHTTP(&c.answer, c.request)
	if c.answer.status != http.StatusNoContent {
		return fmt.Errorf("status %d", c.answer.status)
	}
	return nil
}

// answer is the cheapest http.ResponseWriter.
type answer struct {
	header http.Header
	status int
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(b []byte) (int, error) { return len(b), nil }
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}
