package scale

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/peers"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/render"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// refusals measures what it costs to say no, by the reason.
func refusals(ctx context.Context, e Effort) (Part, error) {
	server, err := authority.New("RS256")
	if err != nil {
		return Part{}, err
	}
	defer server.Close()
	list, err := refused(server.Signers["RS256"])
	if err != nil {
		return Part{}, err
	}
	g, err := newGuarded(ctx, server.Signers["RS256"])
	if err != nil {
		return Part{}, err
	}
	cases := []measure.Case{{Name: "bare cryptography", Group: "refusals", Run: g.bare, Workers: 1}}
	for _, r := range list {
		run, err := g.refusing(r)
		if err != nil {
			return Part{}, err
		}
		cases = append(cases, measure.Case{Name: r.what, Group: "refusals", Run: run, Workers: 1})
	}
	series, err := measure.Rounds(cases, e.Rounds, e.Slice)
	if err != nil {
		return Part{}, err
	}
	t := &render.Table{Header: []string{"refused", "answer", "time to bare cryptography", "allocations", "bytes"}}
	for k, r := range list {
		s := series[k+1]
		t.Add(r.what, g.answer(r), ratio(s.Ratio(series[0])), fmt.Sprintf("%.0f", s.Allocs()), fmt.Sprintf("%.0f", s.Bytes()))
	}
	return Part{"Refusals", "RS256, through `Authenticate` on requests made beforehand. Before the measuring, each must be refused for its own reason. Only a signature that does not fit costs cryptography.", t}, nil
}

// A guarded is a verifier that remembers one token.
type guarded struct {
	v      *verifier.Verifier
	scoped verifier.Rule // that no token passes
	bare   measure.Run
}

func newGuarded(ctx context.Context, s *authority.Signer) (*guarded, error) {
	trust := peers.TrustIn(s)
	kid, _ := s.Key()
	v, err := peers.Verifier(trust, keyMap{kid: trust.Key}, 0)
	if err != nil {
		return nil, err
	}
	fits, err := peers.Bare(trust)
	if err != nil {
		return nil, err
	}
	raw, err := s.With(nil)
	if err != nil {
		return nil, err
	}
	if _, err := v.Verify(ctx, raw); err != nil {
		return nil, err
	}
	op := func(int) error { return fits(raw) }
	return &guarded{v, verifier.Scope("orders:delete"), measure.Run{Begin: func() (measure.Op, error) { return op, nil }}}, nil
}

// authenticate sends r's request.
func (g *guarded) authenticate(r refusal, request *http.Request) error {
	var err error
	if r.scoped {
		_, err = g.v.Authenticate(request, g.scoped)
	} else {
		_, err = g.v.Authenticate(request)
	}
	return err
}

// refusing is the run of r, once it is certain that it is refused as intended.
func (g *guarded) refusing(r refusal) (measure.Run, error) {
	request := r.request()
	if r.remembered {
		if _, err := g.v.Authenticate(request); err != nil {
			return measure.Run{}, fmt.Errorf("%s: %w", r.what, err)
		}
	}
	if err := g.authenticate(r, request); !errors.Is(err, r.reason) {
		return measure.Run{}, fmt.Errorf("%s: %w, and not %w", r.what, err, r.reason)
	}
	op := func(int) error {
		if g.authenticate(r, request) == nil {
			return fmt.Errorf("%s: not refused", r.what)
		}
		return nil
	}
	return measure.Run{Begin: func() (measure.Op, error) { return op, nil }}, nil
}

// answer is what r's client reads.
func (g *guarded) answer(r refusal) string {
	var e *verifier.Error
	if !errors.As(g.authenticate(r, r.request()), &e) {
		return ""
	}
	if e.Code() == "" {
		return fmt.Sprint(e.Status())
	}
	return fmt.Sprintf("%d %s", e.Status(), e.Code())
}
