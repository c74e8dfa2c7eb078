package verifier_test

import (
	"context"
	"crypto"
	"errors"
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
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// observing returns what setup does, and a function that returns the decisions since
// its last call.
func observing(t testing.TB, changes ...func(*set)) (*verifier.Verifier, func() []verifier.Decision) {
	t.Helper()
	var seen []verifier.Decision
	v, _ := setup(t, append(changes, func(s *set) {
		s.Observe = func(_ context.Context, d verifier.Decision) { seen = append(seen, d) }
	})...)
	return v, func() []verifier.Decision {
		defer func() { seen = nil }()
		return seen
	}
}

// summary returns d without its durations, in words.
func summary(d verifier.Decision) string {
	words := []string{string(d.Outcome)}
	add := func(here bool, format string, args ...any) {
		if here {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(d.Reason != nil, "%s", verifier.ReasonName(d.Reason))
	add(d.Issuer != "", "iss=%s", d.Issuer)
	add(d.Caller != verifier.Caller{}, "by=%s", d.Caller.ClientID)
	add(d.Inner, "inner")
	add(d.Method != "", "%s", d.Method)
	add(d.Route != "", "%s", d.Route)
	return strings.Join(words, " ")
}

func summaries(all []verifier.Decision) []string {
	lines := []string{}
	for _, d := range all {
		lines = append(lines, summary(d))
	}
	return lines
}

// Every way in ends in one decision, and each is observed once.
func TestObserveEachDecisionOnce(t *testing.T) {
	s := signerOf("ES256")
	log := captureLog(t)
	good, poor, forged := s.good(), s.token(nil, members{"scope": ""}), newSigner("ES256").good()
	v, seen := observing(t)
	other, _ := setup(t)
	orders, route := verifier.Scope("orders:read"), " iss="+issuer+" by=billing GET /r"
	foreign := func(err error) verifier.Guard {
		return func(*http.Request) (context.Context, error) { return nil, err }
	}
	on := func(raw string) *http.Request {
		r := bearer(raw)
		if raw == "" {
			r = anonymous()
		}
		r.Pattern = "/r"
		return r
	}
	guard := func(g verifier.Guard, raw string) func() {
		return func() { _, _ = g.Admit(on(raw)) }
	}
	// serve serves a request behind layers, whose handler refuses with err, if it has one.
	serve := func(raw string, refuse func(*http.Request) error, layers ...func(http.Handler) http.Handler) func() {
		var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := refuse(r); err != nil {
				httpauth.Refuse(w, r, err)
			}
		})
		for i := len(layers) - 1; i >= 0; i-- {
			h = layers[i](h)
		}
		return func() { h.ServeHTTP(httptest.NewRecorder(), on(raw)) }
	}
	nothing := func(*http.Request) error { return nil }
	with := func(err error) func(*http.Request) error { return func(*http.Request) error { return err } }
	protect, inner := httpauth.Protect(v), " iss="+issuer+" by=billing inner"
	broken := func(r *http.Request) (context.Context, error) {
		_, err := v.Authenticate(r, verifier.Scope())
		return nil, err
	}
	twice := verifier.Guard(func(r *http.Request) (context.Context, error) {
		if _, err := v.Authenticate(r); err != nil {
			_, err = v.Verify(r.Context(), forged)
			return nil, err
		}
		return r.Context(), nil
	})

	for _, row := range []struct {
		name string
		do   func()
		want []string
	}{
		{"O1 Protect", guard(v.Protect(), good), []string{"admitted" + route}},
		{"O1 Protect, no token", guard(v.Protect(), ""), []string{"refused no_token GET /r"}},
		{"O1 Protect, forged", guard(v.Protect(), forged), []string{"refused signature iss=" + issuer + " GET /r"}},
		{"O1 Protect, a rule", guard(v.Protect(orders), poor), []string{"refused scope" + route}},
		{"O1 Optional", guard(v.Optional(), good), []string{"admitted" + route}},
		{"O1 Optional, no token", guard(v.Optional(), ""), []string{"anonymous GET /r"}},
		{"O1 Optional, no JWT", guard(v.Optional(), "x"), []string{"refused malformed GET /r"}},
		{"O1 Authenticate", func() { must(v.Authenticate(on(good))) }, []string{"admitted" + route}},
		{"O1 Authenticate, a rule", func() { _, _ = v.Authenticate(on(poor), orders) }, []string{"refused scope" + route}},
		{"O1 Authenticate, a rule that cannot work", func() { _, _ = v.Authenticate(on(good), verifier.Scope()) }, []string{"misconfigured GET /r"}},
		{"O1 Verify", func() { verified(t, v, good) }, []string{"admitted iss=" + issuer + " by=billing"}},
		{"O1 Verify, forged", func() { _, _ = v.Verify(ctx, forged) }, []string{"refused signature iss=" + issuer}},
		{"O1 an error that is given on, as such and wrapped", serve(good, func(r *http.Request) error {
			_, err := v.Authenticate(r, verifier.Scope("x"))
			return fmt.Errorf("wrapped: %w", verifier.AsError(r.Context(), err))
		}), []string{"refused scope" + route}},

		{"O1 Require", serve(good, func(r *http.Request) error { return verifier.Require(r.Context(), orders) }, protect),
			[]string{"admitted" + route, "admitted" + inner}},
		{"O1 Require refuses", serve(poor, func(r *http.Request) error { return verifier.Require(r.Context(), orders) }, protect),
			[]string{"admitted" + route, "refused scope" + inner}},
		{"O1 Require cannot work", serve(poor, func(r *http.Request) error { return verifier.Require(r.Context(), verifier.Scope()) }, protect),
			[]string{"admitted" + route, "misconfigured" + strings.ReplaceAll(inner, " by=billing", "")}},
		{"O1 Require inside Optional", serve("", func(r *http.Request) error { return verifier.Require(r.Context()) }, httpauth.Optional(v)),
			[]string{"anonymous GET /r", "refused no_token inner"}},
		{"O1 RequireGuard", serve(good, nothing, protect, httpauth.Require(orders)), []string{"admitted" + route, "admitted" + inner}},
		{"O1 RequireGuard refuses", serve(poor, nothing, protect, httpauth.Require(orders)), []string{"admitted" + route, "refused scope" + inner}},
		{"O1 Require without a Verifier", serve(good, func(r *http.Request) error { return verifier.Require(r.Context()) }), []string{}},
		{"O1 Protect in Protect", serve(good, nothing, protect, protect), []string{"admitted" + route, "admitted" + route}},

		{"O1 a handler refuses", serve(good, with(errors.New("a closed account")), protect), []string{"admitted" + route, "refused denied" + inner}},
		{"O1 a handler refuses with a reason", serve(good, with(fmt.Errorf("x: %w", verifier.ErrClaims)), protect), []string{"admitted" + route, "refused claims" + inner}},
		{"O1 a handler cannot tell", serve(good, with(verifier.ErrUnavailable), protect), []string{"admitted" + route, "unavailable unavailable" + inner}},
		{"O1 a handler is not set up", serve(good, with(&verifier.Error{}), protect), []string{"admitted" + route, "misconfigured" + inner}},
		{"O1 a handler without a Verifier refuses", serve(good, with(verifier.ErrDenied)), []string{}},
		{"O1 a Guard of its own", guard(foreign(errors.New("no API key")), good), []string{}},
		{"O1 a Guard of its own inside Protect", serve(good, nothing, protect, httpauth.Guard(foreign(errors.New("no API key")))),
			[]string{"admitted" + route, "refused denied" + inner}},
		{"O1 a Guard that returns nothing inside Protect", serve(good, nothing, protect, httpauth.Guard(foreign(nil))),
			[]string{"admitted" + route, "misconfigured" + inner}},
		{"O1 OnError panics", serve(good, nothing, protect, httpauth.Middleware{OnError: func(http.ResponseWriter, *http.Request, *verifier.Error) { panic(1) }}.Require(verifier.Scope("x"))),
			[]string{"admitted" + route, "refused scope" + inner}},

		{"O1 FirstOf, the first", guard(verifier.FirstOf(v.Protect(), v.Protect()), good), []string{"admitted" + route}},
		{"O1 FirstOf, the second", guard(verifier.FirstOf(v.Protect(orders), v.Protect()), poor), []string{"admitted" + route}},
		{"O1 FirstOf, one of its own", guard(verifier.FirstOf(v.Protect(), func(r *http.Request) (context.Context, error) { return r.Context(), nil }), ""), []string{}},
		{"O1 FirstOf, none", guard(verifier.FirstOf(v.Protect(), v.Protect(orders)), forged), []string{"refused signature iss=" + issuer + " GET /r"}},
		{"O1 FirstOf, the last one's", guard(verifier.FirstOf(v.Protect(orders), v.Protect(verifier.Client("x"))), poor), []string{"refused denied" + route}},
		{"O1 FirstOf, not the one without a token", guard(verifier.FirstOf(v.Protect(orders), foreign(verifier.ErrNoToken)), poor), []string{"refused scope" + route}},
		{"O1 FirstOf, the refusal of one of its own", guard(verifier.FirstOf(v.Protect(orders), foreign(verifier.ErrDenied)), poor), []string{}},
		{"O1 FirstOf, another's refusal", guard(verifier.FirstOf(v.Protect(orders), other.Protect(orders)), poor), []string{}},
		{"O1 FirstOf in FirstOf", guard(verifier.FirstOf(verifier.FirstOf(v.Protect(orders), v.Protect(verifier.Client("x")))), poor), []string{"refused denied" + route}},
		{"O1 FirstOf in FirstOf, which admits", guard(verifier.FirstOf(verifier.FirstOf(v.Protect(orders)), v.Protect()), poor), []string{"admitted" + route}},
		{"O1 FirstOf, a 500 that is returned", guard(verifier.FirstOf(broken, v.Protect(orders)), poor), []string{"misconfigured GET /r"}},
		{"O1 FirstOf, a 500 beside an admission", guard(verifier.FirstOf(broken, v.Protect()), poor), []string{"misconfigured GET /r", "admitted" + route}},
		{"O1 FirstOf, two decisions of one Guard", guard(verifier.FirstOf(v.Protect(), twice), forged),
			[]string{"refused signature iss=" + issuer + " GET /r", "refused signature iss=" + issuer}},
		{"O1 FirstOf, two decisions of a Guard that returns a 500", guard(verifier.FirstOf(func(r *http.Request) (context.Context, error) {
			_, _ = v.Authenticate(r)
			return broken(r)
		}, v.Protect()), forged), []string{"misconfigured GET /r", "refused signature iss=" + issuer + " GET /r"}},
		{"O1 FirstOf inside Protect", serve(good, nothing, protect, httpauth.Guard(verifier.FirstOf(v.Protect(verifier.Scope("x")), foreign(verifier.ErrDenied)))),
			[]string{"admitted" + route, "refused denied" + inner}},
		{"O1 FirstOf, of which a handler asks", serve(good, func(r *http.Request) error {
			_, err := verifier.FirstOf(foreign(verifier.ErrDenied))(r)
			return err
		}, protect), []string{"admitted" + route, "refused denied" + inner}},
	} {
		t.Run(row.name, func(t *testing.T) {
			for range 2 { // the second time, tokens are remembered
				row.do()
				assert.Equal(t, row.want, summaries(seen()))
			}
		})
	}
	t.Run("O1 a decision after the end of FirstOf", func(t *testing.T) {
		var kept context.Context
		g := verifier.FirstOf(func(r *http.Request) (context.Context, error) { kept = r.Context(); return nil, verifier.ErrDenied })
		_, _ = g.Admit(anonymous())
		_, _ = v.Verify(kept, forged)
		assert.Equal(t, []string{"refused signature iss=" + issuer}, summaries(seen()))
	})
	assert.NotContains(t, log.String(), "Observe panicked", "O3 nothing is logged of one that does not")
}

// Every reason has a name, an outcome and a request that causes it.
func TestObserveReasons(t *testing.T) {
	s := signerOf("ES256")
	v, seen := observing(t)
	fail := func(err error) []verifier.Rule {
		return []verifier.Rule{verifier.Check(func(context.Context, *verifier.Token) error { return fmt.Errorf("wrapped: %w", err) })}
	}
	claims := func(name, value string) string { return s.token(nil, members{name: value}) }
	rows := []struct {
		reason    error
		name      string
		raw       string
		rules     []verifier.Rule
		iss, sign bool // the Decision has Issuer, and Caller
	}{
		{verifier.ErrNoToken, "no_token", "", nil, false, false},
		{verifier.ErrBadRequest, "bad_request", "a b", nil, false, false},
		{verifier.ErrMalformed, "malformed", "x", nil, false, false},
		{verifier.ErrAlgorithm, "algorithm", s.token(members{"alg": `"none"`}, nil), nil, true, false},
		{verifier.ErrType, "type", s.token(members{"typ": `"logout+jwt"`}, nil), nil, true, false},
		{verifier.ErrSignature, "signature", newSigner("ES256").good(), nil, true, false},
		{verifier.ErrIssuer, "issuer", claims("iss", `"x"`), nil, false, false},
		{verifier.ErrAudience, "audience", claims("aud", `"x"`), nil, true, false},
		{verifier.ErrExpired, "expired", claims("exp", "1"), nil, true, false},
		{verifier.ErrNotYetValid, "not_yet_valid", claims("nbf", "9999999999"), nil, true, false},
		{verifier.ErrClaims, "claims", claims("scope", "1"), nil, true, true},
		{verifier.ErrBinding, "binding", claims("cnf", `{"jkt":"x"}`), nil, true, false},
		{verifier.ErrRevoked, "revoked", s.good(), fail(verifier.ErrRevoked), true, true},
		{verifier.ErrAuthentication, "authentication", s.good(), []verifier.Rule{verifier.StepUp(time.Minute)}, true, true},
		{verifier.ErrScope, "scope", s.good(), []verifier.Rule{verifier.Scope("x")}, true, true},
		{verifier.ErrDenied, "denied", s.good(), fail(errors.New("no")), true, true},
		{verifier.ErrUnavailable, "unavailable", s.good(), fail(verifier.ErrUnavailable), true, true},
		{nil, "misconfigured", s.good(), fail(&verifier.Error{Reason: errors.New("none of yours")}), true, true},
	}
	require.Len(t, rows, len(promised)+1)
	for _, row := range rows {
		t.Run("O4 "+row.name, func(t *testing.T) {
			r := bearer(row.raw)
			if row.raw == "" {
				r = anonymous()
			}
			_, err := v.Authenticate(r, row.rules...)
			require.Error(t, err)
			all := seen()
			require.Len(t, all, 1)
			d := all[0]
			if row.reason == nil {
				assert.NoError(t, d.Reason)
				assert.Equal(t, verifier.OutcomeMisconfigured, d.Outcome)
			} else {
				assert.Same(t, row.reason, d.Reason, "itself, not what wraps it")
				assert.Equal(t, row.name, verifier.ReasonName(d.Reason))
				assert.Equal(t, map[int]verifier.Outcome{503: verifier.OutcomeUnavailable}[promised[row.reason].status] != "", d.Outcome == verifier.OutcomeUnavailable)
				assert.Equal(t, promised[row.reason].status < 500, d.Outcome == verifier.OutcomeRefused)
			}
			assert.Equal(t, row.name, verifier.ReasonName(err))
			assert.Equal(t, row.iss, d.Issuer == issuer, d.Issuer)
			assert.Equal(t, row.sign, d.Caller == verifier.Caller{Issuer: issuer, ClientID: "billing", Subject: "billing", ID: "1"}, d.Caller)
			assert.Positive(t, d.Duration)
		})
	}
	for name, row := range map[string]struct {
		err  error
		want string
	}{
		"O4 nil":                         {nil, ""},
		"O4 another error":               {errors.New("x"), "misconfigured"},
		"O4 wrapped":                     {fmt.Errorf("x: %w", verifier.ErrScope), "scope"},
		"O4 an Error, whatever it wraps": {&verifier.Error{Reason: verifier.ErrDenied, Err: verifier.ErrExpired}, "denied"},
		"O4 an Error without a reason":   {&verifier.Error{Err: verifier.ErrExpired}, "misconfigured"},
		"O4 a nil Error":                 {(*verifier.Error)(nil), "misconfigured"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, row.want, verifier.ReasonName(row.err)) })
	}
}

// A Decision contains nothing that the sender of a request chose, unless a signature
// vouches for it.
func TestObserveNothingOfAStranger(t *testing.T) {
	const mark = "MARK"
	s := signerOf("ES256")
	hostile := newSigner("ES256") // whose key is not trusted
	asked := ""
	v, seen := observing(t, func(cfg *set) {
		cfg.TokenFrom = func(r *http.Request) string { return r.Header.Get("X-Token") }
		cfg.Tenants = func(iss string) (verifier.Config, bool) { asked = iss; return verifier.Config{}, false }
	})
	value := `"` + mark + `"`
	requests := map[string]func(*http.Request){
		"the method":           func(r *http.Request) { r.Method = mark },
		"the method, in lower": func(r *http.Request) { r.Method = "get" },
		"the path":             func(r *http.Request) { r.URL.Path, r.RequestURI = "/"+mark, "/"+mark },
		"the query":            func(r *http.Request) { r.URL.RawQuery = "access_token=" + mark },
		"the host":             func(r *http.Request) { r.Host, r.URL.Host = mark, mark },
		"the address":          func(r *http.Request) { r.RemoteAddr = mark },
		"a path value":         func(r *http.Request) { r.SetPathValue("id", mark) },
		"the scheme":           func(r *http.Request) { r.Header.Set("Authorization", mark+" "+mark) },
		"no JWT":               func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+mark) },
		"no b64token":          func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+mark+" "+mark) },
		"two fields":           func(r *http.Request) { r.Header["Authorization"] = []string{mark, mark} },
		"two places":           func(r *http.Request) { r.Header.Set("X-Token", mark) },
		"other fields":         func(r *http.Request) { r.Header.Set("X-"+mark, mark); r.Header.Set("Traceparent", mark) },
		"three segments":       func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+mark+"."+mark+"."+mark) },
	}
	for _, alg := range []string{`"ES256"`, `"HS256"`, `"none"`, value} {
		token := func(name string, header, claims members) {
			requests[alg+" "+name] = func(r *http.Request) {
				r.Header.Set("Authorization", "Bearer "+hostile.token(header.Over(members{"alg": alg}), claims))
			}
		}
		token("a token", nil, nil)
		for _, name := range []string{"kid", "alg", "typ", "cty", "x5t", "x5t#S256", "jku", "crit", "b64", mark} {
			token("header "+name, members{name: value}, nil)
			token("header "+name+", a list", members{name: `[` + value + `]`}, nil)
		}
		for _, name := range []string{
			"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "azp", "scope", "scp", "roles", "cnf", "act", "events",
			"nonce", "token_use", "typ", mark,
		} {
			token("claim "+name, nil, members{name: value})
			token("claim "+name+", an object", nil, members{name: `{"` + mark + `":` + value + `}`})
			token("claim "+name+", of an expired token", nil, members{name: value}.Over(members{"exp": "1"}))
		}
		token("all claims", nil, members{"sub": value, "jti": value, "client_id": value, "azp": value, "scope": value, "roles": value})
	}
	guards := map[string]func(*http.Request){
		"Protect":      func(r *http.Request) { _, _ = v.Protect(verifier.Scope("orders:read")).Admit(r) },
		"Optional":     func(r *http.Request) { _, _ = v.Optional().Admit(r) },
		"Authenticate": func(r *http.Request) { _, _ = v.Authenticate(r) },
		"Verify": func(r *http.Request) {
			_, _ = v.Verify(r.Context(), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		},
		"FirstOf": func(r *http.Request) { _, _ = verifier.FirstOf(v.Protect(), v.Protect()).Admit(r) },
	}
	for how, decide := range guards {
		t.Run("O2 "+how, func(t *testing.T) {
			for name, change := range requests {
				r := bearer(hostile.good())
				r.Pattern = "/{id}"
				change(r)
				decide(r)
				all := seen()
				require.Len(t, all, 1, name)
				assert.NotContains(t, fmt.Sprintf("%+v %#v", all, all), mark, name)
				assert.Contains(t, []string{"", http.MethodGet, "_OTHER"}, all[0].Method, name)
				assert.Zero(t, all[0].Caller, name)
				assert.Contains(t, []string{"", issuer}, all[0].Issuer, name)
			}
		})
	}
	assert.Equal(t, mark, asked, "such an iss went as far as to Tenants")
	t.Run("O2 what a signature vouches for is there", func(t *testing.T) {
		verified(t, v, s.token(nil, members{"sub": value}))
		assert.Contains(t, fmt.Sprintf("%+v", seen()), mark)
	})
}

// A method is one of the known ones or _OTHER.
func TestObserveMethods(t *testing.T) {
	v, seen := observing(t)
	for sent, want := range map[string]string{
		"GET": "GET", "HEAD": "HEAD", "POST": "POST", "PUT": "PUT", "PATCH": "PATCH", "DELETE": "DELETE",
		"CONNECT": "CONNECT", "OPTIONS": "OPTIONS", "TRACE": "TRACE",
		"": "GET", "get": "_OTHER", "PROPFIND": "_OTHER", "_OTHER": "_OTHER",
	} {
		t.Run("O2 "+want+" for "+sent, func(t *testing.T) {
			r := anonymous()
			r.Method = sent
			_ = guardError(v.Optional(), r)
			assert.Equal(t, want, seen()[0].Method)
		})
	}
}

// slowKeys take a second for each Lookup.
type slowKeys struct{ verifier.KeySource }

func (k slowKeys) Lookup(ctx context.Context, q jwkscache.Query) ([]crypto.PublicKey, error) {
	time.Sleep(time.Second)
	return k.KeySource.Lookup(ctx, q)
}

// In a bubble, the time that passes is that of the functions that wait. Public-key
// operations take none.
func TestObserveDurations(t *testing.T) {
	s := signerOf("ES256")
	wait := verifier.Check(func(context.Context, *verifier.Token) error { time.Sleep(100 * time.Second); return nil })
	for _, row := range []struct {
		name                string
		do                  func(*verifier.Verifier) error
		duration, keyLookup time.Duration
		fails               bool
	}{
		{"O5 a new token", func(v *verifier.Verifier) error { return guardError(v.Protect(wait), bearer(s.good())) }, 111, 1, false},
		{"O5 no token", func(v *verifier.Verifier) error { return guardError(v.Protect(), anonymous()) }, 10, 0, true},
		{"O5 no JWT", func(v *verifier.Verifier) error { return guardError(v.Protect(), bearer("x")) }, 10, 0, true},
		{"O5 two lookups, of which one is for newer keys", func(v *verifier.Verifier) error {
			return guardError(v.Protect(), bearer(newSigner("ES256").good()))
		}, 12, 2, true},
		{"O5 what FirstOf notes keeps them", func(v *verifier.Verifier) error {
			return guardError(verifier.FirstOf(v.Protect()), bearer(newSigner("ES256").good()))
		}, 12, 2, true},
		{"O5 Require", func(v *verifier.Verifier) error {
			return verifier.Require(verifier.NewContext(ctx, verified(t, v, s.good())), wait)
		}, 100, 0, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, seen := observing(t, func(cfg *set) {
					cfg.Keys = slowKeys{cfg.Keys}
					cfg.TokenFrom = func(*http.Request) string { time.Sleep(10 * time.Second); return "" }
				})
				assert.Equal(t, row.fails, row.do(v) != nil)
				all := seen()
				d := all[len(all)-1]
				assert.Equal(t, row.duration*time.Second, d.Duration)
				assert.Equal(t, row.keyLookup*time.Second, d.KeyLookup)
				assert.Zero(t, d.Signature)
			})
		})
	}
	t.Run("O5 signatures", func(t *testing.T) {
		v, seen := observing(t)
		verified(t, v, s.good())
		verified(t, v, s.good()) // is another token: ECDSA signatures are random
		_, err := v.Verify(ctx, newSigner("ES256").good())
		require.Error(t, err)
		for _, d := range seen() {
			assert.Positive(t, d.Signature)
			assert.GreaterOrEqual(t, d.Duration, d.Signature+d.KeyLookup)
			assert.False(t, d.Remembered)
		}
		raw := s.good()
		verified(t, v, raw)
		verified(t, v, raw)
		_, err = v.Verify(ctx, raw, verifier.Scope("x"))
		require.Error(t, err)
		for i, d := range seen() {
			assert.Equal(t, i > 0 && verifier.DefaultTokenCache > 0, d.Remembered, i)
			assert.Equal(t, d.Remembered, d.Signature == 0 && d.KeyLookup == 0, i)
		}
	})
	t.Run("O5 no key, so no operation", func(t *testing.T) {
		v, seen := observing(t)
		_, err := v.Verify(ctx, newSigner("ES256").as("ES256", "x").good())
		require.Error(t, err)
		d := seen()[0]
		assert.Zero(t, d.Signature)
		assert.Positive(t, d.KeyLookup)
	})
}

// An observer that panics changes nothing, and the operator reads of it once a minute.
func TestObserverThatPanics(t *testing.T) {
	log := captureLog(t)
	raw := signerOf("ES256").good()
	v, _ := setup(t, func(cfg *set) {
		cfg.Observe = func(context.Context, verifier.Decision) { panic(strings.Repeat("oh\n", 1000)) }
	})
	for range 3 {
		inside := behind(t, v.Protect(), bearer(raw))
		require.NoError(t, verifier.Require(inside))
		assertRefused(t, verifier.ErrScope, verifier.Require(inside, verifier.Scope("x")))
		assertRefused(t, verifier.ErrNoToken, guardError(v.Protect(), anonymous()))
		require.NoError(t, guardError(v.Optional(), anonymous()))
		assertRefused(t, verifier.ErrNoToken, guardError(verifier.FirstOf(v.Protect()), anonymous()))
	}
	assert.Equal(t, 1, strings.Count(log.String(), "level=ERROR"), "O3 once: %s", log)
	assert.Contains(t, log.String(), "Settings.Observe panicked")
	assert.Equal(t, 1, strings.Count(log.String(), "level=INFO msg=\"jwtguard: requests were refused\" reason=\"a scope"), log)
	for line := range strings.Lines(log.String()) {
		assert.Less(t, len(line), 1000, "R9 what it panicked with is cut")
	}
}

// The issuer of a tenant is in its decisions, and in no other's.
func TestObserveTenants(t *testing.T) {
	s := signerOf("ES256")
	resolve, _ := tenantsOf(3, s)
	v, seen := observing(t, func(cfg *set) { cfg.Tenants, cfg.MaxTenants = resolve, 2 })
	_, err := v.Verify(ctx, s.token(nil, members{"iss": `"t1"`, "exp": "1"}))
	require.Error(t, err)
	for i := range 4 {
		_, _ = v.Verify(ctx, ofTenant(s, i))
	}
	_, _ = v.Verify(ctx, ofTenant(s, 1))
	_, _ = v.Verify(ctx, s.token(nil, members{"iss": `"t1"`, "exp": "1"}))
	_, _ = v.Verify(ctx, s.token(nil, members{"iss": `"t1"`}))
	assert.Equal(t, []string{
		"refused expired", // before anybody was asked
		"admitted iss=t0 by=billing", "admitted iss=t1 by=billing",
		"unavailable unavailable iss=t2", // no room for it
		"refused issuer",
		"admitted iss=t1 by=billing", "refused expired iss=t1", "refused audience iss=t1",
	}, summaries(seen()), "O1 T2")
}

// While the issuer's keys are not to be had, the Decision about a remembered token
// has its issuer, but not its caller.
func TestObserveWithoutKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := config().Keys.(*keyMap)
		v, seen := observing(t, func(cfg *set) { cfg.Keys = slowKeys{keys} })
		raw := signerOf("ES256").good()
		verified(t, v, raw)
		keys.err = errors.New("down")
		_, err := v.Verify(ctx, raw)
		assertRefused(t, verifier.ErrUnavailable, err)
		keys.keys, keys.err = nil, nil
		_, err = v.Verify(ctx, raw)
		assertRefused(t, verifier.ErrSignature, err)
		all := seen()
		assert.Equal(t, []string{
			"admitted iss=" + issuer + " by=billing", "unavailable unavailable iss=" + issuer, "refused signature iss=" + issuer,
		}, summaries(all), "O1 O2")
		for _, d := range all {
			assert.Equal(t, time.Second, d.KeyLookup, "O5 %s", d.Outcome)
			assert.Equal(t, time.Second, d.Duration, "O5 %s", d.Outcome)
		}
	})
}
