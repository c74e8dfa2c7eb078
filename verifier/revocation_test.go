package verifier_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A revocationList is a ManagedRevocation whose answer and figures a test sets.
type revocationList struct {
	revoked map[string]bool // by jti
	err     error
	stats   verifier.RevocationStats
	asked   int
}

func (l *revocationList) Revoked(_ context.Context, t *verifier.Token) (bool, error) {
	l.asked++
	return l.revoked[t.ID()], l.err
}
func (l *revocationList) Lifetime() time.Duration         { return time.Hour }
func (l *revocationList) Stats() verifier.RevocationStats { return l.stats }

func revocable(cfg *set) { cfg.MaxLifetime = time.Hour }

func TestRevocation(t *testing.T) {
	list := &revocationList{revoked: map[string]bool{}}
	var rulesRun int
	v, _ := setup(t, revocable, func(cfg *set) {
		cfg.Revocation = list
		cfg.Rules = []verifier.Rule{verifier.Check(func(context.Context, *verifier.Token) error { rulesRun++; return nil })}
	})
	app := httpauth.Protect(v)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s := signerOf("ES256")
	raw, other := s.token(nil, members{"jti": `"a"`}), s.token(nil, members{"jti": `"b"`})
	send := func(raw string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, bearer(raw))
		return w
	}

	require.Equal(t, 200, send(raw).Code)
	require.Equal(t, 200, send(raw).Code)
	assert.Equal(t, 2, list.asked, "L10 it is asked about a remembered token, too")
	assert.Equal(t, verifier.MaxTokens(v) > 0, v.Stats().Hits > 0)

	list.revoked["a"], rulesRun = true, 0
	w := send(raw)
	assert.Equal(t, 401, w.Code, "L10 a remembered token that was revoked since")
	assert.Contains(t, w.Header().Get("WWW-Authenticate"), `error="invalid_token", error_description="The access token has been revoked."`, "L10")
	assert.Zero(t, rulesRun, "L10 rules do not see it")
	assert.Equal(t, 401, send(s.token(nil, members{"jti": `"a"`})).Code, "L10 a token that was not seen before")
	assert.Equal(t, 200, send(other).Code, "L10 another token")

	asked := list.asked
	for name, raw := range map[string]string{"expired": s.token(nil, members{"exp": "1"}), "forged": raw[:len(raw)-4] + "AAAA"} {
		assert.Equal(t, 401, send(raw).Code)
		assert.Equal(t, asked, list.asked, "L10 nobody asks about a token that is %s", name)
	}

	list.err = errors.New("the list is away")
	w = send(other)
	assert.Equal(t, 503, w.Code, "L10 it cannot tell")
	assert.NotEmpty(t, w.Header().Get("Retry-After"), "L10")
	assert.Empty(t, w.Header().Get("WWW-Authenticate"), "L10")
	assert.NotContains(t, w.Body.String(), "away", "L10 the cause is for operators")
	_, err := v.Verify(ctx, other)
	require.ErrorIs(t, err, list.err, "L10")
}

// A bound token's proof is not used up by a request that is refused for revocation.
func TestRevocationBeforeRecord(t *testing.T) {
	list := &revocationList{revoked: map[string]bool{"1": true}}
	confirmed, recorded := 0, 0
	v, _ := setup(t, revocable, func(cfg *set) {
		cfg.Revocation = list
		cfg.Bindings = []verifier.Binding{{Member: "pop", Scheme: "PoP",
			Confirm: func(*http.Request, *verifier.Token, string) (verifier.Confirmation, error) {
				confirmed++
				return verifier.Confirmation{Record: func(context.Context) error { recorded++; return nil }, Proof: confirmed}, nil
			},
			Stats: func() verifier.ProofStats { return verifier.ProofStats{Proofs: recorded, MaxProofs: 9} },
		}}
	})
	r := anonymous()
	r.Header.Set("Authorization", "PoP "+signerOf("ES256").token(nil, members{"cnf": `{"pop":"key"}`}))
	_, err := v.Authenticate(r)
	assertRefused(t, verifier.ErrRevoked, err)
	assert.Equal(t, []int{1, 0}, []int{confirmed, recorded}, "L10 after the binding, before the proof is recorded")

	clear(list.revoked)
	_, err = v.Authenticate(r)
	require.NoError(t, err)
	assert.Equal(t, verifier.ProofStats{Proofs: 1, MaxProofs: 9}, v.Stats().Proofs, "L12 figures of the binding")
}

func TestRevocationWiring(t *testing.T) {
	list := &revocationList{}
	for _, row := range []struct {
		name        string
		revocation  verifier.Revocation
		maxLifetime time.Duration
		want        string
	}{
		{"L11 a list without MaxLifetime", list, 0, "verifier: no MaxLifetime, which Settings.Revocation needs: a revoked token could outlive its entry"},
		{"L11 a MaxLifetime longer than its entries are kept", list, time.Hour + time.Second, "verifier: a MaxLifetime of 1h0m1s, but Settings.Revocation keeps its entries for 1h0m0s: a revoked token could outlive its entry"},
		{"L11 as long as its entries are kept", list, time.Hour, ""},
		{"L11 a revocation of one's own, which keeps no entries", revokedFunc(func(context.Context, *verifier.Token) (bool, error) { return false, nil }), 0, ""},
		{"L11 a nil pointer", (*revocationList)(nil), time.Hour, "verifier: a nil pointer in Revocation"},
		{"L11 a nil function", revokedFunc(nil), 0, "verifier: a nil pointer in Revocation"},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := config()
			cfg.MaxLifetime = row.maxLifetime
			v, err := verifier.Settings{Revocation: row.revocation}.New(cfg)
			if row.want == "" {
				require.NoError(t, err)
				require.NoError(t, v.Close())
				return
			}
			assert.EqualError(t, err, row.want)
		})
	}
	t.Run("L11 a tenant without MaxLifetime", func(t *testing.T) {
		s := signerOf("ES256")
		resolve, _ := tenantsOf(1, s)
		_, err := newVerifierWith(t, verifier.Settings{Tenants: resolve, Revocation: list}).Verify(ctx, ofTenant(s, 0))
		assertConfigurationError(t, err)
	})
}

func TestRevocationHealth(t *testing.T) {
	list := &revocationList{stats: verifier.RevocationStats{Entries: 2, MaxEntries: 10, Age: 3 * time.Second}}
	v, _ := setup(t, revocable, func(cfg *set) { cfg.Revocation = list })
	body := func() string { return probe(v.HealthHandler(), http.MethodGet).Body.String() }
	issuers := `"issuers":[{"issuer":"` + issuer + `","usable":true}]`

	assert.Equal(t, list.stats, v.Stats().Revocation, "L12")
	require.NoError(t, v.Health())
	assert.JSONEq(t, `{"status":"ok",`+issuers+`,"revocation":{"usable":true,"entries":2,"max_entries":10,"age_seconds":3}}`, body(), "L12")

	list.stats.Err = errors.New("the list is full")
	require.NoError(t, v.Health(), "L12 while tokens are decided, replicas stay in their load balancer")
	assert.Equal(t, [2]int{200, 200}, statuses(v), "L12")
	assert.Contains(t, body(), `"error":"the list is full"`, "L12")

	list.stats.Refuses = true
	require.EqualError(t, v.Health(), "verifier: the revocation list refuses every token: the list is full", "L12")
	require.ErrorIs(t, v.Health(), list.stats.Err)
	assert.Equal(t, [2]int{503, 503}, statuses(v), "L12")
	assert.Contains(t, body(), `"status":"unavailable"`, "L12")
	assert.Contains(t, body(), `"revocation":{"usable":false,`, "L12")

	list.stats.Err = nil
	require.EqualError(t, v.Health(), "verifier: the revocation list refuses every token")
}

func TestStatsWithoutExtensions(t *testing.T) {
	v, _ := setup(t)
	assert.Zero(t, v.Stats(), "L12")
	assert.NotContains(t, probe(v.HealthHandler(), http.MethodGet).Body.String(), "revocation", "L12")
	own, _ := setup(t, func(cfg *set) {
		cfg.Revocation = revokedFunc(func(context.Context, *verifier.Token) (bool, error) { return false, nil })
		cfg.TokenCache = -1
		cfg.Bindings = []verifier.Binding{{Member: "pop", Confirm: func(*http.Request, *verifier.Token, string) (verifier.Confirmation, error) {
			return verifier.Confirmation{}, nil
		}}}
	})
	assert.Zero(t, own.Stats(), "L12 neither the list nor the binding has figures")
	assert.NotContains(t, probe(own.HealthHandler(), http.MethodGet).Body.String(), "revocation", "L12 it has no figures")
	require.NoError(t, own.Health())
}
