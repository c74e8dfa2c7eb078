package statuspage_test

import (
	"context"
	"crypto"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/statuspage"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const audience = "https://api.example.com"

// keys are ManagedKeys with any figures.
type keys struct {
	health error
	stats  jwkscache.Stats
}

func (*keys) Lookup(context.Context, jwkscache.Query) ([]crypto.PublicKey, error) { return nil, nil }
func (k *keys) Ready(context.Context) error                                       { return k.health }
func (k *keys) Health() error                                                     { return k.health }
func (k *keys) Refresh(context.Context) error                                     { return nil }
func (k *keys) Stats() jwkscache.Stats                                            { return k.stats }

// fresh are keys as they usually are.
func fresh() *keys {
	now := time.Now()
	return &keys{stats: jwkscache.Stats{
		State: jwkscache.Fresh, Keys: 1, Period: 15 * time.Minute, LastSuccess: now.Add(-3 * time.Minute), NextRefresh: now.Add(9 * time.Minute),
		KeySet:  []jwkscache.KeyInfo{{KeyID: "k1", Type: "RSA 2048", Algorithms: []string{"RS256", "PS256"}, Use: "sig", FirstSeen: now.Add(-26 * time.Hour)}},
		Fetches: 1234, Failures: 7, UnknownKeys: 18,
	}}
}

// with returns fresh keys that change has changed.
func with(change func(k *keys)) *keys {
	k := fresh()
	change(k)
	return k
}

func issuer(name string, k verifier.KeySource) verifier.Config {
	return verifier.Config{Issuer: name, Keys: k, Audiences: []string{audience}, MaxLifetime: time.Hour}
}

// revocations are a ManagedRevocation with any figures.
type revocations verifier.RevocationStats

func (revocations) Revoked(context.Context, *verifier.Token) (bool, error) { return false, nil }
func (revocations) Lifetime() time.Duration                                { return time.Hour }
func (r revocations) Stats() verifier.RevocationStats                      { return verifier.RevocationStats(r) }

// binding has any figures.
func binding(s verifier.ProofStats) verifier.Binding {
	return verifier.Binding{
		Member: "jkt", Scheme: "DPoP", Stats: func() verifier.ProofStats { return s },
		Confirm: func(*http.Request, *verifier.Token, string) (verifier.Confirmation, error) {
			return verifier.Confirmation{}, nil
		},
	}
}

// watch makes a Verifier, and a page that shows it.
func watch(t *testing.T, s verifier.Settings, issuers ...verifier.Config) (*statuspage.Page, *verifier.Verifier) {
	t.Helper()
	page := statuspage.New(statuspage.Config{Title: "Orders"})
	s.Observe, s.Logger = page.Observe, slog.New(slog.DiscardHandler)
	v, err := s.New(issuers...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	page.Watch(v)
	return page, v
}

func send(t *testing.T, page http.Handler, method string, fields ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/status", nil)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	return w
}

func html(t *testing.T, page http.Handler) string {
	t.Helper()
	w := send(t, page, http.MethodGet)
	require.Equal(t, http.StatusOK, w.Code)
	return w.Body.String()
}

// object is a JSON object of the page's.
type object = map[string]any

func inJSON(t *testing.T, page http.Handler) (status object) {
	t.Helper()
	w := send(t, page, http.MethodGet, "Accept", "application/json")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &status))
	return status
}

// refuse has the page observe n refusals.
func refuse(t *testing.T, page *statuspage.Page, reason error, n int) {
	for range n {
		page.Observe(t.Context(), verifier.Decision{Outcome: verifier.OutcomeRefused, Reason: reason})
	}
}
