package subject

import (
	"context"
	"crypto"
	"errors"
	"net/http"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/peers"
	"github.com/seed-12ed5b1c/jwtguard/internal/hostile"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Hostile returns what it takes this library to refuse each kind of token that
// anybody can make to cost as much as can be.
func Hostile(s *authority.Signer) ([]Subject, error) {
	v, err := peers.Verifier(peers.TrustIn(s), anyKeyID{s.PublicKey()}, 0)
	if err != nil {
		return nil, err
	}
	var all []Subject
	kid, _ := s.Key()
	for _, t := range (hostile.Aim{Issuer: authority.Issuer, Audience: authority.Audience, Alg: s.Alg, KeyID: kid}).Tokens() {
		r := &http.Request{Header: http.Header{"Authorization": {"Bearer " + t.Raw}}}
		refuse := func(int) error {
			if _, err := v.Authenticate(r); err == nil {
				return errors.New("accepted")
			}
			return nil
		}
		all = append(all, Subject{Who: t.Kind, Run: measure.Run{Begin: func() (measure.Op, error) { return refuse, nil }}})
	}
	return all, nil
}

// anyKeyID is a key under any name, so that no token is refused for its kid.
type anyKeyID struct{ key crypto.PublicKey }

func (a anyKeyID) Lookup(_ context.Context, q jwkscache.Query) ([]crypto.PublicKey, error) {
	if q.Tried != nil {
		return nil, nil
	}
	return []crypto.PublicKey{a.key}, nil
}
