package verifier_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// gateError is a gate's refusal as an error, nil if there is none.
func gateError(g verifier.Gate, r *http.Request) error {
	if _, refused := g(r); refused != nil {
		return refused
	}
	return nil
}

func anonymous() *http.Request { return httptest.NewRequest(http.MethodGet, "/", nil) }

// behind returns the context of the handler behind g.
func behind(t *testing.T, g verifier.Gate, r *http.Request) context.Context {
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
	assertRefused(t, verifier.ErrBadRequest, gateError(g, bearer("")))
	assertRefused(t, verifier.ErrMalformed, gateError(g, bearer("x")))
	assertRefused(t, verifier.ErrSignature, gateError(g, bearer(newSigner("ES256").good())))
	assertRefused(t, verifier.ErrScope, gateError(g, bearer(signerOf("ES256").token(nil, members{"scope": ""}))))

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
		assertRefused(t, verifier.ErrBadRequest, gateError(g, r))
	})
	t.Run("R8 no keys", func(t *testing.T) {
		keys.err = errors.New("down")
		defer func() { keys.err = nil }()
		assertRefused(t, verifier.ErrUnavailable, gateError(g, bearer(s.good())))
		assert.NoError(t, gateError(g, anonymous()))
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
		assertRefused(t, verifier.ErrNoToken, gateError(v.Protect(), preflight()))
		_, err := v.Authenticate(preflight())
		assertRefused(t, verifier.ErrNoToken, err)
	})
	t.Run("R7 nor around Require inside Optional", func(t *testing.T) {
		inside := preflight().WithContext(behind(t, v.Optional(), preflight()))
		assertRefused(t, verifier.ErrNoToken, gateError(verifier.Inner(), inside))
	})
	t.Run("R7 its token is verified like any other", func(t *testing.T) {
		r := preflight()
		r.Header.Set("Authorization", "Bearer x")
		assertRefused(t, verifier.ErrMalformed, gateError(v.Protect(), r))
		assertRefused(t, verifier.ErrMalformed, gateError(v.Optional(), r))
		r.Header.Set("Authorization", "Bearer "+signerOf("ES256").good())
		assert.NoError(t, gateError(v.Protect(), r))
	})
}

func TestRequire(t *testing.T) {
	v, _ := setup(t, func(cfg *verifier.Config) { cfg.Realm = "orders" })
	challenge := func(err error) string {
		h := http.Header{}
		var e *verifier.Error
		require.ErrorAs(t, err, &e)
		e.SetHeaders(h)
		return h.Get("WWW-Authenticate")
	}
	t.Run("outside Protect and Optional", func(t *testing.T) {
		assertWiringBug(t, verifier.Require(ctx))
		assertWiringBug(t, verifier.Require(ctx, verifier.Scope("a")))
		assertWiringBug(t, gateError(verifier.Inner(), anonymous()))
		assert.Empty(t, challenge(verifier.Require(ctx)))
	})
	t.Run("inside Optional without a token", func(t *testing.T) {
		inside := behind(t, v.Optional(), anonymous())
		for _, err := range []error{
			verifier.Require(inside), gateError(verifier.Inner(), anonymous().WithContext(inside)),
		} {
			assertRefused(t, verifier.ErrNoToken, err)
			assert.Equal(t, `Bearer realm="orders"`, challenge(err))
		}
		err := verifier.Require(inside, verifier.Scope("a"))
		assertRefused(t, verifier.ErrNoToken, err)
		assert.Equal(t, `Bearer realm="orders", scope="a"`, challenge(err))
	})
	t.Run("inside, with a token", func(t *testing.T) {
		for _, g := range []verifier.Gate{v.Protect(), v.Optional()} {
			inside := behind(t, g, bearer(signerOf("ES256").good()))
			require.NoError(t, verifier.Require(inside))
			require.NoError(t, verifier.Require(inside, verifier.Scope("orders:read"), verifier.Audience(api)))
			again := behind(t, verifier.Inner(verifier.Scope("orders:read")), anonymous().WithContext(inside))
			assert.Equal(t, inside, again)
			for _, err := range []error{
				verifier.Require(inside, verifier.Scope("x")),
				gateError(verifier.Inner(verifier.Scope("x")), anonymous().WithContext(inside)),
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
