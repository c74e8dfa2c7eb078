package verifier_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// guardError returns what a Guard refuses r with, or nil.
func guardError(g verifier.Guard, r *http.Request) error {
	if _, refused := g(r); refused != nil {
		return refused
	}
	return nil
}

func anonymous() *http.Request { return httptest.NewRequest(http.MethodGet, "/", nil) }

// behind returns the context of the handler behind g.
func behind(t *testing.T, g verifier.Guard, r *http.Request) context.Context {
	t.Helper()
	inside, refused := g(r)
	require.Nil(t, refused)
	require.NotNil(t, inside)
	return inside
}

func TestProtect(t *testing.T) {
	v, _ := setup(t)
	g := v.Protect(verifier.Scope("orders:read"))
	raw := signerOf("ES256").good()
	tok, ok := verifier.FromContext(behind(t, g, bearer(raw)))
	require.True(t, ok)
	assert.Equal(t, "billing", tok.ClientID())

	inside, refused := g(anonymous())
	assert.Nil(t, inside, "nothing to go on with")
	assertRefused(t, verifier.ErrNoToken, refused)
	assertRefused(t, verifier.ErrBadRequest, guardError(g, bearer("")))
	assertRefused(t, verifier.ErrMalformed, guardError(g, bearer("x")))
	assertRefused(t, verifier.ErrSignature, guardError(g, bearer(newSigner("ES256").good())))
	assertRefused(t, verifier.ErrScope, guardError(g, bearer(signerOf("ES256").token(nil, members{"scope": ""}))))

	type mark struct{}
	r := bearer(raw)
	r = r.WithContext(context.WithValue(r.Context(), mark{}, "outer"))
	assert.Equal(t, "outer", behind(t, g, r).Value(mark{}), "the request's own context goes on")
}

func TestOptional(t *testing.T) {
	v, keys := setup(t)
	g := v.Optional(verifier.Scope("orders:read"))
	s := signerOf("ES256")
	t.Run("R8 no token", func(t *testing.T) {
		tok, ok := verifier.FromContext(behind(t, g, anonymous()))
		assert.False(t, ok)
		assert.Nil(t, tok)
	})
	t.Run("R8 another scheme", func(t *testing.T) {
		r := anonymous()
		r.Header.Set("Authorization", "Basic dTpw")
		_, ok := verifier.FromContext(behind(t, g, r))
		assert.False(t, ok)
	})
	t.Run("R8 a good token", func(t *testing.T) {
		tok, ok := verifier.FromContext(behind(t, g, bearer(s.good())))
		require.True(t, ok)
		assert.Equal(t, "billing", tok.ClientID())
	})
	for name, tt := range map[string]struct {
		raw    string
		reason error
	}{
		"an empty token":        {"", verifier.ErrBadRequest},
		"no JWT":                {"x", verifier.ErrMalformed},
		"an expired token":      {s.token(nil, members{"exp": "1"}), verifier.ErrExpired},
		"another key":           {newSigner("ES256").good(), verifier.ErrSignature},
		"another audience":      {s.token(nil, members{"aud": `"x"`}), verifier.ErrAudience},
		"a token without scope": {s.token(nil, members{"scope": ""}), verifier.ErrScope},
	} {
		t.Run("R8 "+name, func(t *testing.T) {
			inside, refused := g(bearer(tt.raw))
			assert.Nil(t, inside)
			assertRefused(t, tt.reason, refused)
		})
	}
	t.Run("R8 two fields", func(t *testing.T) {
		r := anonymous()
		r.Header["Authorization"] = []string{"", ""}
		assertRefused(t, verifier.ErrBadRequest, guardError(g, r))
	})
	t.Run("R8 no keys", func(t *testing.T) {
		keys.err = errors.New("down")
		defer func() { keys.err = nil }()
		assertRefused(t, verifier.ErrUnavailable, guardError(g, bearer(s.good())))
		assert.NoError(t, guardError(g, anonymous()))
	})
	t.Run("R8 a Check that says no token came", func(t *testing.T) {
		no := &verifier.Error{Reason: verifier.ErrNoToken}
		g := v.Optional(verifier.Check(func(context.Context, *verifier.Token) error { return no }))
		inside, refused := g(bearer(s.good()))
		assert.Nil(t, inside)
		assertRefused(t, verifier.ErrNoToken, refused)
	})
	t.Run("R8 a token of an outer layer is cleared", func(t *testing.T) {
		outer := verifier.NewContext(ctx, verified(t, v, s.good()))
		inside := behind(t, g, anonymous().WithContext(outer))
		_, ok := verifier.FromContext(inside)
		assert.False(t, ok)
		assertRefused(t, verifier.ErrNoToken, verifier.Require(inside))
	})
	t.Run("R8 a token of an outer layer is replaced", func(t *testing.T) {
		outer := verifier.NewContext(ctx, verified(t, v, s.good()))
		r := bearer(s.token(nil, members{"client_id": `"other"`})).WithContext(outer)
		tok, ok := verifier.FromContext(behind(t, g, r))
		require.True(t, ok)
		assert.Equal(t, "other", tok.ClientID())
	})
}

// TestPreflight sends what browsers send before a request to another origin. It
// carries no token, and Protect has no exception for it.
func TestPreflight(t *testing.T) {
	v, _ := setup(t)
	preflight := func() *http.Request {
		r := httptest.NewRequest(http.MethodOptions, "/", nil)
		r.Header.Set("Origin", "https://app.example.com")
		r.Header.Set("Access-Control-Request-Method", "GET")
		return r
	}
	t.Run("R7 no way around Protect", func(t *testing.T) {
		assertRefused(t, verifier.ErrNoToken, guardError(v.Protect(), preflight()))
		_, err := v.Authenticate(preflight())
		assertRefused(t, verifier.ErrNoToken, err)
	})
	t.Run("R7 nor around Require inside Optional", func(t *testing.T) {
		inside := preflight().WithContext(behind(t, v.Optional(), preflight()))
		assertRefused(t, verifier.ErrNoToken, guardError(verifier.RequireGuard(), inside))
	})
	t.Run("R7 its token is verified like any other", func(t *testing.T) {
		r := preflight()
		r.Header.Set("Authorization", "Bearer x")
		assertRefused(t, verifier.ErrMalformed, guardError(v.Protect(), r))
		assertRefused(t, verifier.ErrMalformed, guardError(v.Optional(), r))
		r.Header.Set("Authorization", "Bearer "+signerOf("ES256").good())
		assert.NoError(t, guardError(v.Protect(), r))
	})
}

func TestRequire(t *testing.T) {
	v, _ := setup(t, func(cfg *set) { cfg.Realm = "orders" })
	challenge := func(err error) string {
		h := http.Header{}
		var e *verifier.Error
		require.ErrorAs(t, err, &e)
		e.SetHeaders(h)
		return h.Get("WWW-Authenticate")
	}
	t.Run("outside Protect and Optional", func(t *testing.T) {
		assertConfigurationError(t, verifier.Require(ctx))
		assertConfigurationError(t, verifier.Require(ctx, verifier.Scope("a")))
		assertConfigurationError(t, guardError(verifier.RequireGuard(), anonymous()))
		assert.Empty(t, challenge(verifier.Require(ctx)))
	})
	t.Run("inside Optional without a token", func(t *testing.T) {
		inside := behind(t, v.Optional(), anonymous())
		for _, err := range []error{
			verifier.Require(inside), guardError(verifier.RequireGuard(), anonymous().WithContext(inside)),
		} {
			assertRefused(t, verifier.ErrNoToken, err)
			assert.Equal(t, `Bearer realm="orders"`, challenge(err))
		}
		err := verifier.Require(inside, verifier.Scope("a"))
		assertRefused(t, verifier.ErrNoToken, err)
		assert.Equal(t, `Bearer realm="orders", scope="a"`, challenge(err))
	})
	t.Run("inside, with a token", func(t *testing.T) {
		for _, g := range []verifier.Guard{v.Protect(), v.Optional()} {
			inside := behind(t, g, bearer(signerOf("ES256").good()))
			require.NoError(t, verifier.Require(inside))
			require.NoError(t, verifier.Require(inside, verifier.Scope("orders:read"), verifier.Audience(api)))
			again := behind(t, verifier.RequireGuard(verifier.Scope("orders:read")), anonymous().WithContext(inside))
			assert.Equal(t, inside, again)
			for _, err := range []error{
				verifier.Require(inside, verifier.Scope("x")),
				guardError(verifier.RequireGuard(verifier.Scope("x")), anonymous().WithContext(inside)),
			} {
				assertRefused(t, verifier.ErrScope, err)
				assert.Contains(t, challenge(err), `realm="orders"`)
				assert.Contains(t, challenge(err), `scope="x"`)
			}
		}
	})
	t.Run("with the token hidden", func(t *testing.T) {
		inside := verifier.NewContext(behind(t, v.Protect(), bearer(signerOf("ES256").good())), nil)
		_, ok := verifier.FromContext(inside)
		assert.False(t, ok)
		assertRefused(t, verifier.ErrNoToken, verifier.Require(inside))
	})
	t.Run("with a Token of no verifier", func(t *testing.T) {
		inside := verifier.NewContext(ctx, &verifier.Token{})
		_, ok := verifier.FromContext(inside)
		assert.False(t, ok)
		assertRefused(t, verifier.ErrNoToken, verifier.Require(inside, verifier.Scope("a")))
	})
}

// What an outer Guard admitted does not count for another one inside it, nor for
// its handler; but for a RequireGuard.
func TestAdmit(t *testing.T) {
	v, _ := setup(t, func(cfg *set) { cfg.Realm = "orders" })
	outer, refused := v.Protect(verifier.Scope("orders:read")).Admit(bearer(signerOf("ES256").good()))
	require.Nil(t, refused)
	type mark struct{}
	sees := func(r *http.Request) bool { _, ok := verifier.FromContext(r.Context()); return ok }
	require.True(t, sees(outer))

	apiKey := verifier.Guard(func(r *http.Request) (context.Context, error) {
		if sees(r) {
			return nil, errors.New("the outer admission is seen")
		}
		return context.WithValue(r.Context(), mark{}, "key"), nil
	})
	for name, row := range map[string]struct {
		guard verifier.Guard
		token bool
		mark  any
	}{
		"R8 a guard of one's own":       {apiKey, false, "key"},
		"R8 Optional without a token":   {v.Optional(), true, nil}, // the request has one
		"R8 RequireGuard":               {verifier.RequireGuard(verifier.Scope("orders:read")), true, nil},
		"R8 RequireGuard, second":       {verifier.FirstOf(verifier.RequireGuard(verifier.Scope("x")), verifier.RequireGuard()), true, nil},
		"R8 RequireGuard, first":        {verifier.FirstOf(verifier.RequireGuard(), apiKey), true, nil},
		"R8 RequireGuard, then another": {verifier.FirstOf(verifier.RequireGuard(verifier.Scope("x")), apiKey), false, "key"},
		"R8 RequireGuard in a guard of one's own": {func(r *http.Request) (context.Context, error) {
			return verifier.RequireGuard(verifier.Check(func(ctx context.Context, _ *verifier.Token) error {
				if ctx.Value(mark{}) != "inner" {
					return errors.New("another context")
				}
				return nil
			}))(r.WithContext(context.WithValue(r.Context(), mark{}, "inner")))
		}, true, "inner"},
	} {
		t.Run(name, func(t *testing.T) {
			admitted, refused := row.guard.Admit(outer)
			require.Nil(t, refused)
			assert.Equal(t, row.token, sees(admitted))
			assert.Equal(t, row.mark, admitted.Context().Value(mark{}))
			assert.True(t, sees(outer), "the outer one is as it was")
		})
	}
	t.Run("R8 RequireGuard returns the very request", func(t *testing.T) {
		admitted, refused := verifier.RequireGuard().Admit(outer)
		require.Nil(t, refused)
		assert.Same(t, outer, admitted)
	})
	for name, row := range map[string]struct {
		guard  verifier.Guard
		reason error
		says   string
	}{
		"R8 an error of one's own":          {func(*http.Request) (context.Context, error) { return nil, errors.New("no key") }, verifier.ErrDenied, "no key"},
		"R8 a reason of this package":       {func(*http.Request) (context.Context, error) { return nil, verifier.ErrNoToken }, verifier.ErrNoToken, "no access token"},
		"R8 a nil *Error":                   {func(*http.Request) (context.Context, error) { return nil, nilErrorAs() }, verifier.ErrDenied, "a nil *verifier.Error"},
		"R8 FirstOf, a nil *Error":          {verifier.FirstOf(func(*http.Request) (context.Context, error) { return nil, nilErrorAs() }), verifier.ErrDenied, "a nil *verifier.Error"},
		"R8 RequireGuard refuses":           {verifier.RequireGuard(verifier.Scope("x")), verifier.ErrScope, "the rule requires"},
		"R8 an error beside a context":      {func(r *http.Request) (context.Context, error) { return r.Context(), verifier.ErrRevoked }, verifier.ErrRevoked, ""},
		"R8 neither a context nor an error": {func(*http.Request) (context.Context, error) { return nil, nil }, nil, "neither a context nor an error"},
		"R8 FirstOf, neither":               {verifier.FirstOf(v.Protect(verifier.Scope("x")), func(*http.Request) (context.Context, error) { return nil, nil }), nil, "neither a context nor an error"},
	} {
		t.Run(name, func(t *testing.T) {
			admitted, refused := row.guard.Admit(outer)
			assert.Nil(t, admitted)
			require.NotNil(t, refused)
			assert.ErrorContains(t, refused, row.says)
			if row.reason == nil {
				assertConfigurationError(t, refused)
				return
			}
			assertRefused(t, row.reason, refused)
			if refused.Status() == 403 {
				assert.Contains(t, challengeOf(t, refused), `realm="orders"`)
				assert.Contains(t, challengeOf(t, refused), `scope="orders:read`)
			}
		})
	}
}

// What a Guard of one's own hides stays hidden from a RequireGuard after it.
func TestHiddenForGood(t *testing.T) {
	v, _ := setup(t)
	outer, refused := v.Protect().Admit(bearer(signerOf("ES256").good()))
	require.Nil(t, refused)
	pass := verifier.Guard(func(r *http.Request) (context.Context, error) { return r.Context(), nil })
	inner, refused := pass.Admit(outer)
	require.Nil(t, refused)
	assertConfigurationError(t, verifier.Require(inner.Context()))
	_, refused = verifier.RequireGuard().Admit(inner)
	assertConfigurationError(t, refused)
	type mark struct{}
	_, refused = verifier.RequireGuard().Admit(inner.WithContext(context.WithValue(inner.Context(), mark{}, "more")))
	assertConfigurationError(t, refused)
	reads := verifier.Guard(func(r *http.Request) (context.Context, error) { return r.Context(), r.ParseForm() })
	outer.Method, outer.Body = http.MethodPost, http.NoBody
	outer.URL.RawQuery = "a=b"
	inner, refused = reads.Admit(outer)
	require.Nil(t, refused)
	assert.Equal(t, "b", inner.Form.Get("a"), "R8 what the guard has read of the request")
}

// Without an outer Guard there is nothing to hide.
func TestAdmitOutside(t *testing.T) {
	type mark struct{}
	t.Run("R8 the very request goes on", func(t *testing.T) {
		r := anonymous()
		admitted, refused := verifier.Guard(func(r *http.Request) (context.Context, error) { return r.Context(), nil }).Admit(r)
		require.Nil(t, refused)
		assert.Same(t, r, admitted)
	})
	t.Run("R8 an error beside what a Verifier admits", func(t *testing.T) {
		v, _ := setup(t)
		admitted, refused := verifier.Guard(func(r *http.Request) (context.Context, error) {
			ctx, err := v.Protect()(r)
			require.NoError(t, err)
			return ctx, verifier.ErrRevoked
		}).Admit(bearer(signerOf("ES256").good()))
		assert.Nil(t, admitted)
		assertRefused(t, verifier.ErrRevoked, refused)
	})
	t.Run("R10 RequireGuard in a guard of one's own is a configuration error", func(t *testing.T) {
		_, refused := verifier.Guard(func(r *http.Request) (context.Context, error) {
			return verifier.RequireGuard()(r.WithContext(context.WithValue(r.Context(), mark{}, "inner")))
		}).Admit(anonymous())
		require.NotNil(t, refused)
		assertConfigurationError(t, refused)
	})
}

func TestFirstOf(t *testing.T) {
	j := new(journal)
	one, keys := setup(t, func(cfg *set) { cfg.Realm = "one"; cfg.Logger = j.logger(slog.LevelDebug) })
	two, _ := setup(t, func(cfg *set) { cfg.Realm, cfg.Issuer = "two", "two"; cfg.Logger = j.logger(slog.LevelDebug) })
	s := signerOf("ES256")
	ofTwo := s.token(nil, members{"iss": `"two"`})
	g := verifier.FirstOf(one.Protect(verifier.Scope("orders:read")), two.Protect(verifier.Scope("orders:write")))

	t.Run("R8 the first that admits", func(t *testing.T) {
		for _, raw := range []string{s.good(), ofTwo} {
			tok, ok := verifier.FromContext(behind(t, g, bearer(raw)))
			require.True(t, ok)
			assert.Equal(t, raw, tok.Raw())
		}
		assert.Zero(t, j.count("refused"), "what the first said is no news")
	})
	t.Run("R8 else the last one's refusal, logged once", func(t *testing.T) {
		err := guardError(g, anonymous())
		assertRefused(t, verifier.ErrNoToken, err)
		assert.Equal(t, `Bearer realm="two", scope="orders:write"`, challengeOf(t, err))
		assert.Equal(t, 1, j.count("level=DEBUG", "refused"))
	})
	t.Run("R8 no token is no news where another guard has read one", func(t *testing.T) {
		apiKey := verifier.Guard(func(*http.Request) (context.Context, error) { return nil, verifier.ErrNoToken })
		expired := bearer(s.token(nil, members{"exp": "1"}))
		before := j.count("level=DEBUG", "expired")
		for _, g := range []verifier.Guard{verifier.FirstOf(one.Protect(), apiKey), verifier.FirstOf(apiKey, one.Protect())} {
			err := guardError(g, expired)
			assertRefused(t, verifier.ErrExpired, err)
			assert.Contains(t, challengeOf(t, err), `realm="one"`)
		}
		assert.Equal(t, before+2, j.count("level=DEBUG", "expired"))
		assertRefused(t, verifier.ErrNoToken, guardError(verifier.FirstOf(one.Protect(), one.Protect()), anonymous()))
	})
	t.Run("R4 without the keys of one it is 503, whatever the others say", func(t *testing.T) {
		keys.err = errors.New("down")
		defer func() { keys.err = nil }()
		assertRefused(t, verifier.ErrUnavailable, guardError(g, bearer(s.token(nil, members{"jti": `"7"`}))))
		assert.Equal(t, 1, j.count("level=WARN", "503"), "R10")
		assert.NoError(t, guardError(g, bearer(ofTwo)))
	})
	t.Run("R8 which of several refusals is returned", func(t *testing.T) {
		returns := func(err error) verifier.Guard {
			return func(*http.Request) (context.Context, error) { return nil, err }
		}
		expired := bearer(s.token(nil, members{"exp": "1"}))
		misconfigured := &verifier.Error{Err: errors.New("not configured")}
		for name, row := range map[string]struct {
			guards []verifier.Guard
			want   error
		}{
			"the last of two":                   {[]verifier.Guard{one.Protect(), returns(verifier.ErrRevoked)}, verifier.ErrRevoked},
			"the first, if the last has none":   {[]verifier.Guard{one.Protect(), returns(verifier.ErrRevoked), returns(verifier.ErrNoToken)}, verifier.ErrExpired},
			"a configuration error before all":  {[]verifier.Guard{one.Protect(), returns(misconfigured), returns(verifier.ErrRevoked)}, misconfigured},
			"the first of a 500 and a 503":      {[]verifier.Guard{returns(misconfigured), returns(verifier.ErrUnavailable)}, misconfigured},
			"the first of a 503 and a 500":      {[]verifier.Guard{returns(verifier.ErrUnavailable), returns(misconfigured)}, verifier.ErrUnavailable},
			"a 503 although the last has none":  {[]verifier.Guard{returns(verifier.ErrUnavailable), returns(verifier.ErrNoToken)}, verifier.ErrUnavailable},
			"none if no guard has read a token": {[]verifier.Guard{returns(verifier.ErrNoToken), returns(verifier.ErrNoToken)}, verifier.ErrNoToken},
		} {
			assert.ErrorIs(t, guardError(verifier.FirstOf(row.guards...), expired), row.want, name)
		}
	})
	t.Run("R10 a refusal that a guard of one's own has made is logged once", func(t *testing.T) {
		log := captureLog(t)
		own := verifier.Guard(func(*http.Request) (context.Context, error) {
			return nil, &verifier.Error{Reason: verifier.ErrDenied, Err: errors.New("closed on Sundays")}
		})
		outer, refused := one.Protect().Admit(bearer(s.good()))
		require.Nil(t, refused)
		before := j.count("level=DEBUG", "closed on Sundays")
		_, refused = own.Admit(outer)
		require.NotNil(t, refused)
		assert.Equal(t, before+1, j.count("level=DEBUG", "closed on Sundays"))
		assert.Empty(t, log.String(), "the outer Verifier has a Logger")
	})
	t.Run("R10 what is broken in a guard of one's own is logged, even if another admits", func(t *testing.T) {
		broken := verifier.Guard(func(*http.Request) (context.Context, error) {
			return nil, &verifier.Error{Err: errors.New("the key store is not configured")}
		})
		log := new(journal)
		old := slog.Default()
		slog.SetDefault(log.logger(slog.LevelError))
		defer slog.SetDefault(old)
		verifier.ForgetBugs()
		require.NoError(t, guardError(verifier.FirstOf(broken, one.Protect()), bearer(s.good())))
		assert.Equal(t, 1, log.count("level=ERROR", "key store"))
	})
	t.Run("R10 a refusal in the handler is logged", func(t *testing.T) {
		before := j.count("level=DEBUG", "refused")
		inside := behind(t, g, bearer(s.good()))
		assertRefused(t, verifier.ErrScope, verifier.Require(inside, verifier.Scope("x")))
		assert.Equal(t, before+1, j.count("level=DEBUG", "refused"))
	})
	t.Run("C11 no guard, or a nil one", func(t *testing.T) {
		panicText(t, func() { verifier.FirstOf() })
		panicText(t, func() { verifier.FirstOf(one.Protect(), nil) })
	})
	t.Run("what was handed in may change", func(t *testing.T) {
		guards := []verifier.Guard{one.Protect()}
		g := verifier.FirstOf(guards...)
		guards[0] = nil
		require.NoError(t, guardError(g, bearer(s.good())))
	})
}

// A context whose type can be compared and whose value cannot.
type uncomparable struct{ context.Context }

func TestAdmitWithOddContexts(t *testing.T) {
	v, _ := setup(t)
	r := bearer(signerOf("ES256").good())
	list := struct {
		context.Context
		list any
	}{r.Context(), []string{"a"}}
	odd, refused := verifier.Guard(func(*http.Request) (context.Context, error) { return uncomparable{r.Context()}, nil }).
		Admit(r.WithContext(uncomparable{list}))
	require.Nil(t, refused, "one that can be compared, with one that cannot")
	assert.Equal(t, uncomparable{r.Context()}, odd.Context())
	r, refused = v.Protect().Admit(r.WithContext(uncomparable{list}))
	require.Nil(t, refused)
	r = r.WithContext(uncomparable{struct {
		context.Context
		list any
	}{r.Context(), []string{"a"}}})
	r, refused = verifier.RequireGuard().Admit(r)
	require.Nil(t, refused)
	_, ok := verifier.FromContext(r.Context())
	assert.True(t, ok, "R8")
}

func TestNilErrorIsLogged(t *testing.T) {
	j := new(journal)
	v, _ := setup(t, func(cfg *set) { cfg.Logger = j.logger(slog.LevelDebug) })
	r, refused := v.Protect().Admit(bearer(signerOf("ES256").good()))
	require.Nil(t, refused)
	inside := r.Context()
	err := verifier.AsError(inside, (*verifier.Error)(nil))
	assertRefused(t, verifier.ErrDenied, err)
	assert.Equal(t, 1, j.count("level=DEBUG", "a nil *verifier.Error"), "R10")
}
