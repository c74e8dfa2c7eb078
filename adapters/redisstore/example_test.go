package redisstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

// exampleServer stands in for a Redis.
func exampleServer() (address string, stop func()) {
	s, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	return s.Addr(), s.Close
}

// What one replica revokes the other refuses, too.
func ExampleNewRevocations() {
	address, stop := exampleServer()
	defer stop()
	redis.SetLogger(redisLog{slog.Default()})
	var a, b service
	if err := errors.Join(a.start(address), b.start(address)); err != nil {
		panic(err)
	}
	defer a.stop()
	defer b.stop()

	err := a.revocations.Revoke(context.Background(), revocation.Entry{Issuer: "https://login.example.com/", Subject: "alice"})
	if err != nil {
		panic(err)
	}
	for b.revocations.Stats().Entries == 0 {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("entries of the other replica:", b.v.Stats().Revocation.Entries)
	// Output: entries of the other replica: 1
}

type service struct {
	client      redis.UniversalClient
	revocations *redisstore.Revocations
	v           *verifier.Verifier
}

func (s *service) start(address string) error {
	cfg := verifier.Config{
		Issuer:        "https://login.example.com/",
		Audiences:     []string{"https://api.example.com"},
		SharedSecrets: [][]byte{bytes.Repeat([]byte("an example's"), 4)}, // so that nothing is fetched here
	}
	client := redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs:                 []string{address},
		ContextTimeoutEnabled: true, // required
	})
	list, err := revocation.New(revocation.Config{MaxLifetime: time.Hour})
	if err != nil {
		return err
	}
	revocations, err := redisstore.NewRevocations(client, list, redisstore.RevocationConfig{})
	if err != nil {
		return err
	}
	cfg.MaxLifetime = time.Hour
	v, err := verifier.Settings{Revocation: revocations}.New(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := revocations.Ready(ctx); err != nil {
		slog.Warn("what other replicas have revoked is not known yet", "err", err)
	}
	s.client, s.revocations, s.v = client, revocations, v
	return nil
}

func (s *service) stop() {
	s.v.Close()
	s.revocations.Close()
	s.client.Close()
}

// redisLog writes what go-redis logs to a slog.Logger, at Debug.
type redisLog struct{ *slog.Logger }

func (l redisLog) Printf(ctx context.Context, format string, v ...any) {
	l.DebugContext(ctx, fmt.Sprintf(format, v...))
}

// A proof admits one request, whichever replica gets it.
func ExampleNewReplays() {
	address, stop := exampleServer()
	defer stop()
	client := redis.NewClient(&redis.Options{Addr: address, ContextTimeoutEnabled: true})
	defer client.Close()

	replays, err := redisstore.NewReplays(client, redisstore.ReplayConfig{
		Fallback: dpop.NewMemory(100_000), // decides while Redis fails, in place of 503
	})
	if err != nil {
		panic(err)
	}
	binding, err := dpop.New(dpop.Config{
		Origins: []string{"https://api.example.com"},
		Replays: replays,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println("for verifier.Settings.Bindings:", binding.Scheme)
	// Output: for verifier.Settings.Bindings: DPoP
}

// One replica fetches the keys for all.
func ExampleNewStore() {
	address, stop := exampleServer()
	defer stop()
	client := redis.NewClient(&redis.Options{Addr: address, ContextTimeoutEnabled: true})
	defer client.Close()

	cfg := jwkscache.Config{
		Store:        redisstore.NewStore(client, redisstore.StoreConfig{}),
		StoreSecrets: [][]byte{bytes.Repeat([]byte("from a secret store"), 2)},
	}
	document, err := cfg.Store.Load(context.Background(), "nothing-yet")
	fmt.Println(document == nil, err)
	// Output: true <nil>
}
