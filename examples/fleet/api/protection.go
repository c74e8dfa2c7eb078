package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
	"github.com/seed-12ed5b1c/jwtguard/adapters/statuspage"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

// A protection is a verifier, and what it shares with the other replicas.
type protection struct {
	issuer      string
	verifier    *verifier.Verifier
	revocations *redisstore.Revocations
	status      *statuspage.Page
	client      *redis.Client
	log         *slog.Logger
}

func newProtection(cfg config, log *slog.Logger) (*protection, error) {
	logging.Disable() // of go-redis: a line for each failed dial. redisstore logs once.
	client := redis.NewClient(cfg.redis)

	// Fallback: while Redis is away, each replica refuses the proofs that it has seen
	// itself. Without it, requests with a proof get 503 for that time.
	replays, err := redisstore.NewReplays(client, redisstore.ReplayConfig{Fallback: dpop.NewMemory(0)})
	if err != nil {
		return nil, err
	}
	proofs, err := dpop.New(dpop.Config{Origins: []string{cfg.origin}, Replays: replays})
	if err != nil {
		return nil, err
	}

	// While Redis is away, what was revoked before stays so: KeepServing, the default.
	list, err := revocation.New(revocation.Config{MaxLifetime: cfg.maxLifetime})
	if err != nil {
		return nil, err
	}
	revocations, err := redisstore.NewRevocations(client, list, redisstore.RevocationConfig{Logger: log})
	if err != nil {
		return nil, err
	}

	status := statuspage.New(statuspage.Config{Title: "Orders API, " + cfg.host})
	v, err := verifier.Settings{
		Logger:     log,
		Observe:    status.Observe,
		Bindings:   []verifier.Binding{proofs},
		Revocation: revocations,
	}.New(verifier.Config{
		Issuer:      cfg.issuer,
		Audiences:   []string{cfg.audience},
		MaxLifetime: cfg.maxLifetime,
		JWKS: jwkscache.Config{
			Store:        redisstore.NewStore(client, redisstore.StoreConfig{}),
			StoreSecrets: cfg.storeSecrets,
		},
	})
	if err != nil { // it names the missing setting
		return nil, errors.Join(err, revocations.Close())
	}
	status.Watch(v)
	return &protection{issuer: cfg.issuer, verifier: v, revocations: revocations, status: status, client: client, log: log}, nil
}

// ready is for startup probes: the replica knows what was revoked, and has the keys. Both
// come from Redis while the issuer is down. Without Redis, a new replica would serve
// tokens that the others refuse, so it waits.
func (p *protection) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 100*time.Millisecond)
	defer cancel()
	if err := p.revocations.Ready(ctx); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	p.verifier.ReadyHandler().ServeHTTP(w, r)
}

func (p *protection) close() error {
	return errors.Join(p.revocations.Close(), p.verifier.Close(), p.client.Close())
}
