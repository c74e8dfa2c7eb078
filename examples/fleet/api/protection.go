package main

import (
	"log/slog"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
)

// A protection is a verifier, and what it shares with other replicas.
type protection struct {
	verifier *verifier.Verifier
}

func newProtection(cfg config, log *slog.Logger) (*protection, error) {
	proofs, err := dpop.New(dpop.Config{Origins: []string{cfg.origin}})
	if err != nil {
		return nil, err
	}
	p := &protection{}
	p.verifier, err = verifier.Settings{
		Logger:   log,
		Bindings: []verifier.Binding{proofs},
	}.New(verifier.Config{
		Issuer:      cfg.issuer,
		Audiences:   []string{cfg.audience},
		MaxLifetime: cfg.maxLifetime,
	})
	return p, err // names the missing setting
}

func (p *protection) close() { _ = p.verifier.Close() }
