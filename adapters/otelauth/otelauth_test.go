package otelauth_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/otelauth"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// Each decision is counted once, under its issuer, outcome and reason.
func TestDecisions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := verifiertest.NewIssuer(t)
		down := verifiertest.NewIssuer(t)
		m := newRig(t)
		v := m.verifier(verifier.Settings{}, iss.Config(audience), down.Config(audience))
		read := httpauth.Protect(v, verifier.Scope("orders:read"))
		all := httpauth.Optional(v)
		inner := read(httpauth.Require(verifier.Scope("orders:write"))(ok))
		broken := httpauth.Protect(v)(httpauth.Require(verifier.Audience("https://other.example.com"))(ok))
		good := verifiertest.Claims{"scope": "orders:read"}
		goodToken := iss.Token(good)
		both := iss.Token(verifiertest.Claims{"scope": "orders:read orders:write"})
		down.Fail(503)
		down.Rotate()
		require.Error(t, v.Refresh(t.Context()))

		const no, yes = "jwtguard.inner=false", "jwtguard.inner=true"
		by := func(s *verifiertest.Issuer, outcome string) string {
			return ",jwtguard.issuer=" + s.URL() + ",jwtguard.outcome=" + outcome
		}
		for _, row := range []struct {
			name   string
			h      http.Handler
			raw    string
			status int
			want   []string
		}{
			{"M1 admitted", read(ok), goodToken, 200, []string{no + by(iss, "admitted")}},
			{"M1 admitted again", read(ok), goodToken, 200, []string{no + by(iss, "admitted")}},
			{"M1 anonymous", all(ok), "", 200, []string{no + ",jwtguard.outcome=anonymous"}},
			{"M1 no token", read(ok), "", 401, []string{"error.type=no_token," + no + ",jwtguard.outcome=refused"}},
			{"M1 malformed", read(ok), "a.b", 401, []string{"error.type=malformed," + no + ",jwtguard.outcome=refused"}},
			{"M1 expired", read(ok), iss.Token(verifiertest.Claims{"exp": 1}), 401, []string{"error.type=expired," + no + by(iss, "refused")}},
			{"M1 scope", read(ok), iss.Token(nil), 403, []string{"error.type=scope," + no + by(iss, "refused")}},
			{"M1 unknown issuer", read(ok), iss.Token(verifiertest.Claims{"iss": "https://evil"}), 401, []string{"error.type=issuer," + no + ",jwtguard.outcome=refused"}},
			{"M1 unavailable", read(ok), down.Token(good), 503, []string{"error.type=unavailable," + no + by(down, "unavailable")}},
			{"M1 inner, refused", inner, goodToken, 403, []string{no + by(iss, "admitted"), "error.type=scope," + yes + by(iss, "refused")}},
			{"M1 inner, admitted", inner, both, 200, []string{no + by(iss, "admitted"), yes + by(iss, "admitted")}},
			{"M1 misconfigured", broken, goodToken, 500, []string{no + by(iss, "admitted"), "error.type=misconfigured," + yes + by(iss, "misconfigured")}},
		} {
			before := of(m.series(), "jwtguard.decisions")
			assert.Equal(t, row.status, send(t.Context(), row.h, "GET", "/", row.raw), row.name)
			after := of(m.series(), "jwtguard.decisions")
			for name, n := range after {
				if after[name] = n - before[name]; after[name] == 0 {
					delete(after, name)
				}
			}
			want := make(map[string]float64)
			for _, name := range row.want {
				want[name]++
			}
			assert.Equal(t, want, after, row.name)
		}
	})
}

// Durations are in seconds, and their buckets fine enough.
func TestDurations(t *testing.T) {
	t.Run("M1 durations", func(t *testing.T) {
		m := newRig(t)
		v := m.verifier(verifier.Settings{}, verifiertest.NewIssuer(t).Config(audience))
		d := verifier.Decision{
			Outcome: verifier.OutcomeAdmitted, Issuer: v.Issuers()[0].Issuer,
			Duration: 80 * time.Microsecond, KeyLookup: time.Nanosecond, Signature: 73 * time.Microsecond,
		}
		m.Observe(t.Context(), d)
		m.Observe(t.Context(), verifier.Decision{Outcome: verifier.OutcomeAdmitted, Issuer: d.Issuer, Remembered: true, Duration: 300 * time.Nanosecond})
		m.Observe(t.Context(), verifier.Decision{Outcome: verifier.OutcomeAdmitted, Issuer: d.Issuer, Inner: true})
		bucket := func(name, attrs string) (bounds [2]float64) {
			h := m.histogram(name, attrs)
			require.EqualValues(t, 1, h.Count)
			i := slices.Index(h.BucketCounts, 1)
			return [2]float64{append([]float64{0}, h.Bounds...)[i], h.Bounds[i]}
		}
		assert.Equal(t, [2]float64{50e-6, 100e-6}, bucket("jwtguard.decision.duration", "jwtguard.outcome=admitted,jwtguard.remembered=false"))
		assert.Equal(t, [2]float64{0, 0.5e-6}, bucket("jwtguard.decision.duration", "jwtguard.outcome=admitted,jwtguard.remembered=true"))
		assert.Equal(t, [2]float64{50e-6, 100e-6}, bucket("jwtguard.signature.duration", "jwtguard.issuer="+d.Issuer))
		lookup := m.histogram("jwtguard.key_lookup.duration", "jwtguard.issuer="+d.Issuer)
		assert.Equal(t, 1e-9, lookup.Sum)
		assert.EqualValues(t, 1, lookup.Count, "there was one lookup")
	})
}

// The figures of token cache and key sets, over a rotation, an outage and the end of
// MaxStale.
func TestKeysAndTokens(t *testing.T) {
	t.Run("M1 keys and tokens", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			iss := verifiertest.NewIssuer(t)
			m := newRig(t)
			cfg := iss.Config(audience)
			v := m.verifier(verifier.Settings{TokenCache: 10}, cfg)
			api := httpauth.Protect(v)(ok)
			raw := iss.Token(nil)
			for range 3 {
				require.Equal(t, 200, send(t.Context(), api, "GET", "/", raw))
			}
			iss.Rotate()
			require.Equal(t, 200, send(t.Context(), api, "GET", "/", iss.Token(nil)))
			require.Equal(t, 401, send(t.Context(), api, "GET", "/", iss.Sign(`{"alg":"ES256","kid":"unknown"}`, claims(iss.URL()))))

			at := ",jwtguard.issuer=" + iss.URL()
			event := func(kind jwkscache.EventKind) string {
				return "jwtguard.keys.events{jwtguard.issuer=" + iss.URL() + ",jwtguard.keys.event=" + string(kind) + "}"
			}
			key := func(name string) string { return name + "{" + at[1:] + "}" }
			synctest.Wait() // for the events
			s := m.series()
			assert.Equal(t, 2., s["jwtguard.token_cache.lookups{jwtguard.token_cache.hit=true}"])
			assert.Equal(t, 3., s["jwtguard.token_cache.lookups{jwtguard.token_cache.hit=false}"])
			assert.Equal(t, 2., s["jwtguard.token_cache.tokens{}"])
			assert.Equal(t, 2., s[key("jwtguard.keys")])
			assert.Equal(t, 3., s[key("jwtguard.keys.fetches")])
			assert.Equal(t, 0., s[key("jwtguard.keys.failures")])
			assert.Equal(t, 1., s[key("jwtguard.keys.missing")])
			assert.Equal(t, 3., s[event(jwkscache.EventRefreshed)])
			assert.Equal(t, 1., s[event(jwkscache.EventRotated)])

			time.Sleep(5 * time.Minute)
			assert.InDelta(t, 300, m.series()[key("jwtguard.keys.age")], 10)

			iss.Fail(500)
			time.Sleep(3 * time.Hour)
			s = m.series()
			assert.InDelta(t, 3*3600, s[key("jwtguard.keys.age")], 3600)
			assert.Greater(t, s[key("jwtguard.keys.failures")], 100.)
			assert.Equal(t, s[key("jwtguard.keys.failures")], s[event(jwkscache.EventFailed)])
			assert.Equal(t, 2., s[key("jwtguard.keys")], "they are still used")

			time.Sleep(24 * time.Hour)
			s = m.series()
			assert.Equal(t, 0., s[key("jwtguard.keys")])
			assert.Equal(t, 1., s[event(jwkscache.EventExpired)])

			iss.Heal()
			time.Sleep(2 * time.Minute)
			s = m.series()
			assert.Equal(t, 2., s[key("jwtguard.keys")])
			assert.Equal(t, 1., s[event(jwkscache.EventHealed)])
			assert.Less(t, s[key("jwtguard.keys.age")], 121.)
		})
	})
}

// Keys that are never fetched have no age, and other sources of keys no figures.
func TestKeysOfOneOwn(t *testing.T) {
	t.Run("M1 static keys", func(t *testing.T) {
		keys, err := jwkscache.Static([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
		require.NoError(t, err)
		m := newRig(t)
		m.verifier(verifier.Settings{},
			verifier.Config{Issuer: "static", Keys: keys, Audiences: []string{audience}},
			verifier.Config{Issuer: "secret", SharedSecrets: [][]byte{[]byte(strings.Repeat("x", 32))}, Audiences: []string{audience}},
		)
		s := m.series()
		assert.Equal(t, 1., s["jwtguard.keys{jwtguard.issuer=static}"])
		assert.NotContains(t, s, "jwtguard.keys{jwtguard.issuer=secret}")
		assert.Empty(t, of(s, "jwtguard.keys.age"))
	})
}

// Events that come before Watch are attributed to their issuer by it.
func TestEventsBeforeWatch(t *testing.T) {
	t.Run("M1 events before Watch", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			iss := verifiertest.NewIssuer(t)
			m := newRig(t)
			v, err := verifier.Settings{Observe: m.Observe, ObserveKeys: m.ObserveKeys}.New(iss.Config(audience))
			require.NoError(t, err)
			defer v.Close()
			require.NoError(t, v.Ready(t.Context()))
			synctest.Wait()
			assert.Empty(t, of(m.series(), "jwtguard.keys.events"))
			require.NoError(t, m.Watch(v))
			event := "jwtguard.issuer=" + iss.URL() + ",jwtguard.keys.event="
			assert.Equal(t, map[string]float64{
				event + "refreshed": 1, event + "rotated": 0, event + "failed": 0, event + "healed": 0, event + "expired": 0,
				event + "adopted": 0, event + "store_failed": 0, event + "store_healed": 0,
			}, of(m.series(), "jwtguard.keys.events"), "those that have not happened are 0")
		})
	})
}

// Two Verifiers are added up, and both know their issuers. Close ends what is read from
// them.
func TestWatch(t *testing.T) {
	first, both := verifiertest.NewIssuer(t), verifiertest.NewIssuer(t)
	m := newRig(t)
	v1 := m.verifier(verifier.Settings{}, first.Config(audience), both.Config(audience))
	m.verifier(verifier.Settings{}, both.Config(audience))
	s := m.series()
	assert.Equal(t, 1., s["jwtguard.keys{jwtguard.issuer="+first.URL()+"}"])
	assert.Equal(t, 2., s["jwtguard.keys{jwtguard.issuer="+both.URL()+"}"])
	assert.Error(t, m.Watch(v1), "twice")
	assert.Error(t, m.Watch(nil))
	require.NoError(t, m.Close())
	assert.Empty(t, of(m.series(), "jwtguard.keys"))
	assert.NoError(t, m.Close())
	_, err := v1.Verify(t.Context(), "x")
	require.Error(t, err)
	assert.NotEmpty(t, of(m.series(), "jwtguard.decisions"))
}

// The zero Config reports to the global provider, which does nothing by default.
func TestZeroConfig(t *testing.T) {
	m, err := otelauth.New(otelauth.Config{})
	require.NoError(t, err)
	m.Observe(t.Context(), verifier.Decision{Outcome: verifier.OutcomeAdmitted})
	m.ObserveKeys(jwkscache.Event{Kind: jwkscache.EventRefreshed})
	assert.NoError(t, m.Close())
}
