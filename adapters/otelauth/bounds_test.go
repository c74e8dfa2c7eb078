package otelauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

const marker = "MARKER"

// hostile returns requests with the marker wherever a sender can put it: requests that
// are refused for every reason, and one that is admitted.
func hostile(t *testing.T, iss *verifiertest.Issuer, n int) (all []*http.Request) {
	t.Helper()
	mark := fmt.Sprint(marker, n)
	kid, alg := iss.Key()
	header := map[string]any{"alg": alg, "kid": kid, "typ": "at+jwt", "jku": mark, "x5u": mark, "cty": mark, mark: mark}
	claims := map[string]any{
		"iss": iss.URL(), "aud": audience, "exp": time.Now().Add(time.Hour).Unix(), "sub": mark, "client_id": mark, "azp": mark, "jti": mark,
		"scope": "orders:read " + mark, "roles": []string{mark}, "act": map[string]any{"sub": mark, "iss": iss.URL()}, "email": mark, mark: mark,
	}
	add := func(sign bool, change func(header, claims map[string]any)) {
		h, c := clone(t, header), clone(t, claims)
		change(h, c)
		raw := iss.Sign(text(t, h), text(t, c))
		if !sign {
			raw = raw[:strings.LastIndexByte(raw, '.')+1] + strings.Repeat("A", 86)
		}
		r := httptest.NewRequestWithContext(t.Context(), mark, "/"+mark+"?access_token="+mark, strings.NewReader(mark))
		for _, name := range []string{"User-Agent", "Cookie", "X-Forwarded-For", "Traceparent", "Baggage", "DPoP", "Host", mark} {
			r.Header.Set(name, mark)
		}
		r.Header.Set("Authorization", "Bearer "+raw)
		all = append(all, r)
	}
	set := func(where, name string, value any) func(header, claims map[string]any) {
		return func(header, claims map[string]any) {
			map[string]map[string]any{"header": header, "claims": claims}[where][name] = value
		}
	}
	add(true, func(_, _ map[string]any) {}) // is admitted
	add(false, func(_, _ map[string]any) {})
	for _, name := range []string{"alg", "kid", "typ", "crit", "x5t", "x5t#S256"} {
		add(true, set("header", name, mark))
	}
	for _, name := range []string{"iss", "aud", "exp", "nbf", "sub", "scope", "client_id", "events", "token_use"} {
		add(true, set("claims", name, mark))
	}
	add(true, set("claims", "cnf", map[string]string{"jkt": mark}))
	add(true, set("claims", "exp", 1))
	add(true, set("claims", "nbf", time.Now().Add(time.Hour).Unix()))
	add(true, set("claims", "scope", mark))
	for _, field := range []string{"", "Basic " + mark, "Bearer", "Bearer " + mark, "Bearer " + mark + "." + mark + "." + mark, mark} {
		r := all[0].Clone(t.Context())
		r.Header.Set("Authorization", field)
		all = append(all, r)
	}
	return all
}

func clone(t *testing.T, m map[string]any) (c map[string]any) {
	require.NoError(t, json.Unmarshal([]byte(text(t, m)), &c))
	return c
}

func text(t *testing.T, m map[string]any) string {
	out, err := json.Marshal(m)
	require.NoError(t, err)
	return string(out)
}

// Nothing of a request is in what was exported, and no number of requests makes more of
// it: of the same kind, but with other texts in all places.
func TestHostileRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := verifiertest.NewIssuer(t)
		m := newRig(t)
		v := m.verifier(verifier.Settings{Tenants: func(string) (verifier.Config, bool) { return verifier.Config{}, false }}, iss.Config(audience))
		mux := http.NewServeMux()
		mux.Handle("/", httpauth.Protect(v, verifier.Scope("orders:read"))(httpauth.Require(verifier.Role("admin"))(ok)))
		mux.Handle("/{any}/optional", httpauth.Optional(v)(ok))
		var emitted strings.Builder
		sent := make(map[string]bool) // the first 20 characters of each segment of each token
		run := func(n int) (statuses map[int]bool) {
			statuses = make(map[int]bool)
			for _, r := range hostile(t, iss, n) {
				for segment := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".") {
					sent[segment[:min(20, len(segment))]] = len(segment) >= 20
				}
				span := record(t, func(ctx context.Context) {
					w := httptest.NewRecorder()
					mux.ServeHTTP(w, r.WithContext(ctx))
					statuses[w.Code] = true
				})
				fmt.Fprintln(&emitted, span.Name(), attributes(span.Attributes()), span.Status())
				for _, e := range span.Events() {
					fmt.Fprintln(&emitted, e.Name, attributes(e.Attributes))
				}
			}
			return statuses
		}
		assert.Equal(t, map[int]bool{400: true, 401: true, 403: true}, run(0))
		for n := range 9 {
			run(1 + n)
		}
		first := sorted(m.series())
		for n := range 40 {
			run(10 + n)
		}
		assert.Equal(t, first, sorted(m.series()), "M2 the number of series grew")
		for _, reason := range []string{
			"no_token", "bad_request", "malformed", "algorithm", "type", "signature", "issuer", "audience",
			"expired", "not_yet_valid", "claims", "binding", "scope", "denied",
		} {
			assert.True(t, strings.Contains(emitted.String(), "jwtguard.reason="+reason), "M3 the run lacks %s", reason)
		}

		for _, s := range m.collect().ScopeMetrics {
			for _, metric := range s.Metrics {
				fmt.Fprintf(&emitted, "%+v\n", metric)
			}
		}
		for name := range m.series() {
			fmt.Fprintln(&emitted, name)
		}
		assert.False(t, strings.Contains(strings.ToUpper(emitted.String()), marker), "M3 text of a request")
		for segment, long := range sent {
			assert.False(t, long && strings.Contains(emitted.String(), segment), "M3 part of a token")
		}
		assert.Greater(t, len(sent), 1000)
	})
}

// All tenants are one issuer. Its counters do not decrease when a tenant is dropped.
func TestTenants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newRig(t)
		issuers := make(map[string]*verifiertest.Issuer)
		gone := make(map[string]bool)
		configured := verifiertest.NewIssuer(t)
		for range 20 {
			iss := verifiertest.NewIssuer(t)
			issuers[iss.URL()] = iss
		}
		v := m.verifier(verifier.Settings{MaxTenants: 100, Tenants: func(issuer string) (verifier.Config, bool) {
			if iss := issuers[issuer]; iss != nil && !gone[issuer] {
				return iss.Config(audience), true
			}
			return verifier.Config{}, false
		}}, configured.Config(audience))
		api := httpauth.Protect(v)(ok)
		visit := func(want int) {
			for _, iss := range issuers {
				require.Equal(t, want, send(t.Context(), api, "GET", "/", iss.Token(nil)))
			}
		}
		visit(200)
		synctest.Wait() // for the events
		const other = "jwtguard.issuer=_OTHER"
		s := m.series()
		assert.Equal(t, []string{other, "jwtguard.issuer=" + configured.URL()}, sorted(of(s, "jwtguard.keys")), "M2")
		assert.Equal(t, 20., s["jwtguard.keys{"+other+"}"])
		assert.Equal(t, 20., s["jwtguard.keys.fetches{"+other+"}"])
		assert.Equal(t, 20., s["jwtguard.decisions{jwtguard.inner=false,"+other+",jwtguard.outcome=admitted}"], "M2")
		assert.Equal(t, 20., s["jwtguard.keys.events{"+other+",jwtguard.keys.event=refreshed}"], "M2")

		for issuer := range issuers {
			gone[issuer] = true
		}
		time.Sleep(2 * time.Minute)
		visit(401)
		s = m.series()
		assert.Equal(t, 0., s["jwtguard.keys{"+other+"}"])
		assert.Equal(t, 20., s["jwtguard.keys.fetches{"+other+"}"], "M1 a counter decreased")
		assert.NotContains(t, s, "jwtguard.keys.age{"+other+"}")

		clear(gone)
		visit(200)
		fetches := func() float64 { return m.series()["jwtguard.keys.fetches{"+other+"}"] }
		assert.Equal(t, 40., fetches(), "M1 a counter lacks what came after")
		require.NoError(t, v.Refresh(t.Context()))
		assert.Equal(t, 60., fetches(), "M1")
		assert.Equal(t, 60., fetches(), "M1 collecting changes nothing")

		for issuer := range issuers { // and without a collection in between
			gone[issuer] = true
		}
		time.Sleep(2 * time.Minute)
		visit(401)
		clear(gone)
		visit(200)
		assert.Equal(t, 80., fetches(), "M1 a counter decreased")

		late := newRig(t)
		require.NoError(t, late.Watch(v))
		assert.Equal(t, []string{other, "jwtguard.issuer=" + configured.URL()}, sorted(of(late.series(), "jwtguard.keys")), "M2")
	})
}

// A span keeps no memory of the token, and a tenant's name is there whole.
func TestTenantOnSpan(t *testing.T) {
	t.Run("M2 the span names the tenant", func(t *testing.T) {
		m := newRig(t)
		span := record(t, func(ctx context.Context) {
			m.Observe(ctx, verifier.Decision{Outcome: verifier.OutcomeAdmitted, Issuer: "https://tenant"})
		})
		assert.Contains(t, fmt.Sprintf("%q", span.Attributes()), "https://tenant")
	})
}

// Observe allocates nothing itself for kinds of decisions that it has seen.
func TestAllocations(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	m := newRig(t)
	v := m.verifier(verifier.Settings{}, iss.Config(audience))
	ctx := t.Context()
	for name, d := range map[string]verifier.Decision{
		"M2 admitted":   {Outcome: verifier.OutcomeAdmitted, Issuer: v.Issuers()[0].Issuer, Duration: 1, KeyLookup: 1, Signature: 1},
		"M2 refused":    {Outcome: verifier.OutcomeRefused, Reason: verifier.ErrExpired, Issuer: v.Issuers()[0].Issuer, Duration: 1},
		"M2 of tenants": {Outcome: verifier.OutcomeRefused, Reason: verifier.ErrScope, Issuer: "https://tenant", Duration: 1, Inner: true},
	} {
		m.Observe(ctx, d)
		assert.Zero(t, testing.AllocsPerRun(1000, func() { m.Observe(ctx, d) }), name)
	}
}
