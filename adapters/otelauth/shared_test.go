package otelauth_test

import (
	"context"
	"crypto"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A list is a revocation list with these figures.
type list verifier.RevocationStats

func (l *list) Revoked(context.Context, *verifier.Token) (bool, error) { return false, nil }
func (l *list) Lifetime() time.Duration                                { return time.Hour }
func (l *list) Stats() verifier.RevocationStats                        { return verifier.RevocationStats(*l) }

// withLists returns Settings with a revocation list and a binding that has these figures.
func withLists(revocation verifier.RevocationStats, proofs verifier.ProofStats) verifier.Settings {
	return verifier.Settings{
		Revocation: (*list)(&revocation),
		Bindings: []verifier.Binding{{
			Member: "pop",
			Confirm: func(*http.Request, *verifier.Token, string) (verifier.Confirmation, error) {
				return verifier.Confirmation{}, nil
			},
			Stats: func() verifier.ProofStats { return proofs },
		}},
	}
}

func TestLists(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	cfg := iss.Config(audience)
	cfg.MaxLifetime = time.Hour
	lists := func(m *rig) map[string]float64 {
		found := map[string]float64{}
		for name, value := range m.series() {
			for _, metric := range []string{"jwtguard.revocation.entries", "jwtguard.revocation.limit", "jwtguard.revocation.age", "jwtguard.proofs", "jwtguard.proofs.limit"} {
				if name == metric+"{}" {
					found[metric] = value
				}
			}
		}
		return found
	}
	m := newRig(t)
	m.verifier(verifier.Settings{}, cfg)
	assert.Empty(t, lists(m), "M6 without lists")

	m.verifier(withLists(verifier.RevocationStats{Entries: 5, MaxEntries: 10}, verifier.ProofStats{Proofs: 7}), cfg)
	assert.Equal(t, map[string]float64{"jwtguard.revocation.entries": 5, "jwtguard.revocation.limit": 10, "jwtguard.revocation.age": 0}, lists(m),
		"M6 a list of this process is never old, and a store of unknown size no fill")

	fuller := withLists(verifier.RevocationStats{Entries: 60, MaxEntries: 100, Age: 2 * time.Second}, verifier.ProofStats{Proofs: 3, MaxProofs: 4})
	emptier := withLists(verifier.RevocationStats{Entries: 500, MaxEntries: 1000, Age: time.Second}, verifier.ProofStats{Proofs: 70, MaxProofs: 100})
	for range 2 { // the second time with the same list in two Verifiers
		m.verifier(fuller, cfg)
		m.verifier(emptier, cfg)
		assert.Equal(t, map[string]float64{
			"jwtguard.revocation.entries": 60, "jwtguard.revocation.limit": 100, "jwtguard.revocation.age": 2,
			"jwtguard.proofs": 3, "jwtguard.proofs.limit": 4,
		}, lists(m), "M6 the fullest list and the oldest")
	}
}

// keysWithStats are ManagedKeys with these figures, and no keys.
type keysWithStats jwkscache.Stats

func (*keysWithStats) Lookup(context.Context, jwkscache.Query) ([]crypto.PublicKey, error) {
	return nil, nil
}
func (*keysWithStats) Ready(context.Context) error   { return nil }
func (*keysWithStats) Health() error                 { return nil }
func (*keysWithStats) Refresh(context.Context) error { return nil }
func (k *keysWithStats) Stats() jwkscache.Stats      { return jwkscache.Stats(*k) }

func TestStore(t *testing.T) {
	keys := &keysWithStats{State: jwkscache.Fresh, Fetches: 1}
	m := newRig(t)
	m.verifier(verifier.Settings{}, verifier.Config{Issuer: "https://a", Audiences: []string{audience}, Keys: keys})
	store := func() map[string]float64 {
		found := map[string]float64{}
		for name, value := range m.series() {
			if metric, ours := strings.CutSuffix(name, "{jwtguard.issuer=https://a}"); ours && strings.HasPrefix(metric, "jwtguard.keys.store.") {
				found[strings.TrimPrefix(metric, "jwtguard.keys.store.")] = value
			}
		}
		return found
	}
	assert.Empty(t, store(), "M6 without a store")

	keys.Store = jwkscache.StoreStats{Adopted: 3, Saves: 2, Failures: 1, Age: time.Minute}
	assert.Equal(t, map[string]float64{"adopted": 3, "saves": 2, "failures": 1, "age": 60}, store(), "M6")
	assert.Equal(t, map[string]float64{"adopted": 3, "saves": 2, "failures": 1, "age": 60}, store(), "M6 collecting changes nothing")

	for name, fewer := range map[string]jwkscache.StoreStats{
		"adopted": {Adopted: 1, Saves: 9, Failures: 9}, "saves": {Adopted: 9, Saves: 1, Failures: 9}, "failures": {Adopted: 9, Saves: 9, Failures: 1},
	} {
		keys.Store = jwkscache.StoreStats{Adopted: 5, Saves: 5, Failures: 5}
		before := store()
		keys.Store = fewer
		for counter, value := range store() {
			assert.Greater(t, value, before[counter], "M1 another cache with fewer %s: %s decreased", name, counter)
		}
	}
}
