package verifier_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// notValid is the one sentence for everything that a forger could explore.
const notValid = "The access token is not valid for this API."

// TestAnswers states every answer word for word.
func TestAnswers(t *testing.T) {
	tests := []struct {
		name        string
		reason      error
		status      int
		code        string
		description string
	}{
		{"R1 no token", verifier.ErrNoToken, 401, "", "An access token is needed, sent as Authorization: Bearer."},
		{"R2 bad request", verifier.ErrBadRequest, 400, "invalid_request", "The request must carry exactly one well-formed access token."},
		{"R2 malformed", verifier.ErrMalformed, 401, "invalid_token", "The access token is not a well-formed JWT."},
		{"R3 algorithm", verifier.ErrAlgorithm, 401, "invalid_token", notValid},
		{"R3 signature", verifier.ErrSignature, 401, "invalid_token", notValid},
		{"R3 issuer", verifier.ErrIssuer, 401, "invalid_token", notValid},
		{"R3 audience", verifier.ErrAudience, 401, "invalid_token", notValid},
		{"R2 type", verifier.ErrType, 401, "invalid_token", notValid},
		{"R2 claims", verifier.ErrClaims, 401, "invalid_token", notValid},
		{"R2 binding", verifier.ErrBinding, 401, "invalid_token", notValid},
		{"R2 expired", verifier.ErrExpired, 401, "invalid_token", "The access token has expired."},
		{"R2 not yet valid", verifier.ErrNotYetValid, 401, "invalid_token", "The access token is not valid yet."},
		{"R2 revoked", verifier.ErrRevoked, 401, "invalid_token", "The access token has been revoked."},
		{"R2 C14 step-up", verifier.ErrAuthentication, 401, "insufficient_user_authentication", "The user must authenticate again as the challenge says."},
		{"R2 scope", verifier.ErrScope, 403, "insufficient_scope", "The access token lacks a scope that this needs."},
		{"R2 denied", verifier.ErrDenied, 403, "insufficient_scope", "The access token does not permit this."},
		{"R4 unavailable", verifier.ErrUnavailable, 503, "temporarily_unavailable", "The access token cannot be checked at the moment."},
		{"R2 a configuration error", nil, 500, "server_error", "The API is not set up correctly."},
		{"R2 an unknown reason", errors.New("?"), 500, "server_error", "The API is not set up correctly."},
	}
	require.Len(t, tests, len(promised)+2)
	for _, tt := range tests {
		reasons := []error{tt.reason}
		if tt.reason != nil {
			reasons = append(reasons, fmt.Errorf("more: %w", tt.reason))
		}
		for _, reason := range reasons {
			t.Run(tt.name, func(t *testing.T) {
				e := &verifier.Error{Reason: reason, Err: errors.New("the operators' half")}
				assert.Equal(t, tt.status, e.Status())
				assert.Equal(t, tt.code, e.Code())
				assert.Equal(t, tt.description, e.Description())

				body, err := json.Marshal(e)
				require.NoError(t, err)
				want := map[string]string{"error": tt.code, "error_description": tt.description}
				if tt.code == "" {
					delete(want, "error") // RFC 6750 §3.1
				}
				var got map[string]string
				require.NoError(t, json.Unmarshal(body, &got))
				assert.Equal(t, want, got, "R5")
				assert.Regexp(t, regexp.MustCompile(`^[\x20\x21\x23-\x5b\x5d-\x7e]+$`), tt.description, "R3 RFC 6750 §3")

				h := http.Header{}
				e.SetHeaders(h)
				assert.Equal(t, []string{"no-store"}, h["Cache-Control"], "R5")
				challenge := `Bearer realm="api", error="` + tt.code + `", error_description="` + tt.description + `"`
				switch {
				case tt.status == 503:
					assert.Equal(t, []string{"5"}, h["Retry-After"], "R4")
					assert.NotContains(t, h, "Www-Authenticate", "R4")
				case tt.status == 500:
					assert.NotContains(t, h, "Www-Authenticate")
					assert.NotContains(t, h, "Retry-After")
				case tt.code == "":
					assert.Equal(t, []string{`Bearer realm="api"`}, h["Www-Authenticate"], "R1")
				default:
					assert.Equal(t, []string{challenge}, h["Www-Authenticate"], "R2")
					assert.NotContains(t, h, "Retry-After")
				}
			})
		}
	}
}

func TestScopeInTheChallenge(t *testing.T) {
	v, _ := setup(t)
	raw := signerOf("ES256").good()
	for name, tt := range map[string]struct {
		rule  verifier.Rule
		scope string
	}{
		"R2 one":    {verifier.Scope("orders:delete"), "orders:delete"},
		"R2 all":    {verifier.Scope("orders:read", "orders:delete"), "orders:read orders:delete"},
		"R2 any of": {verifier.AnyScope("a", "b"), "a"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Verify(ctx, raw, tt.rule)
			var e *verifier.Error
			require.ErrorAs(t, err, &e)
			h := http.Header{}
			e.SetHeaders(h)
			assert.Equal(t, `Bearer realm="api", error="insufficient_scope", `+
				`error_description="The access token lacks a scope that this needs.", scope="`+tt.scope+`"`, h.Get("WWW-Authenticate"))
		})
	}
	t.Run("R2 those of an error of the caller's own, each once", func(t *testing.T) {
		h := http.Header{}
		(&verifier.Error{Reason: verifier.ErrScope, Scopes: []string{"b", "a", "b"}}).SetHeaders(h)
		assert.Contains(t, h.Get("WWW-Authenticate"), `, scope="b a"`)
	})
	t.Run("R3 scopes that are none are left out", func(t *testing.T) {
		h := http.Header{}
		(&verifier.Error{Reason: verifier.ErrScope, Scopes: []string{"", "a b", `a"b`, `a\b`, "é", "a\nb", "\x7f"}}).SetHeaders(h)
		assert.NotContains(t, h.Get("WWW-Authenticate"), "scope=")
	})
}

func TestRouteScopesWithRealm(t *testing.T) {
	v, _ := setup(t, func(cfg *set) { cfg.Realm = "orders" })
	for name, raw := range map[string]string{"R2 too long": strings.Repeat("x", 17<<10), "R2 no JWT": "x"} {
		t.Run(name, func(t *testing.T) {
			var e *verifier.Error
			require.ErrorAs(t, guardError(v.Protect(verifier.Scope("a")), bearer(raw)), &e)
			h := http.Header{}
			e.SetHeaders(h)
			assert.Regexp(t, `^Bearer realm="orders", .*, scope="a"$`, h.Get("WWW-Authenticate"))
		})
	}
}

// TestRouteScopes has the scopes that a route's rules demand, in the challenge
// of every refusal (RFC 6750 §3).
func TestRouteScopes(t *testing.T) {
	v, _ := setup(t)
	s := signerOf("ES256")
	down, keys := setup(t)
	keys.err = errors.New("down")
	ab := []verifier.Rule{verifier.Scope("a"), verifier.Client("billing"), verifier.AnyScope("b", "c"), verifier.Scope("a", "d")}
	two := bearer("x")
	two.Header.Add("Authorization", "Bearer x")
	own := verifier.Check(func(context.Context, *verifier.Token) error {
		return &verifier.Error{Reason: verifier.ErrScope, Scopes: []string{"e", "a", "no scope"}}
	})
	for name, tt := range map[string]struct {
		r      *http.Request
		rules  []verifier.Rule
		reason error
		scope  string
	}{
		"R2 no token":                        {anonymous(), ab, verifier.ErrNoToken, "a b d"},
		"R2 no token, another route":         {anonymous(), ab[:1], verifier.ErrNoToken, "a"},
		"R2 no token, no rule":               {anonymous(), nil, verifier.ErrNoToken, ""},
		"R2 no token, no Scope rule":         {anonymous(), ab[1:2], verifier.ErrNoToken, ""},
		"R2 two tokens":                      {two, ab, verifier.ErrBadRequest, "a b d"},
		"R2 no JWT":                          {bearer("x"), ab, verifier.ErrMalformed, "a b d"},
		"R2 too long":                        {bearer(strings.Repeat("x", 17<<10)), ab, verifier.ErrMalformed, "a b d"},
		"R2 expired":                         {bearer(s.token(nil, members{"exp": "1"})), ab, verifier.ErrExpired, "a b d"},
		"R2 another key":                     {bearer(newSigner("ES256").good()), ab, verifier.ErrSignature, "a b d"},
		"R2 a scope is missing":              {bearer(s.token(nil, members{"scope": `"a"`})), ab, verifier.ErrScope, "a b d"},
		"R2 another client":                  {bearer(s.token(nil, members{"client_id": `"x"`, "scope": `"a c d"`})), ab, verifier.ErrDenied, "a b d"},
		"R2 a Check that names some as well": {bearer(s.good()), []verifier.Rule{own, verifier.Scope("orders:read"), verifier.AnyScope("a", "orders:write")}, verifier.ErrScope, "orders:read a e"},
	} {
		for place, err := range map[string]func() error{
			"Protect":      func() error { return guardError(v.Protect(tt.rules...), tt.r) },
			"Authenticate": func() error { _, err := v.Authenticate(tt.r, tt.rules...); return err },
			"Optional": func() error {
				if tt.reason == verifier.ErrNoToken { // which passes, but not Require inside
					inside := tt.r.WithContext(behind(t, v.Optional(tt.rules...), tt.r))
					return guardError(verifier.RequireGuard(), inside)
				}
				return guardError(v.Optional(tt.rules...), tt.r)
			},
			"Require": func() error {
				if tt.reason != verifier.ErrScope && tt.reason != verifier.ErrDenied {
					return guardError(v.Protect(tt.rules...), tt.r)
				}
				inside := tt.r.WithContext(behind(t, v.Protect(), tt.r))
				return verifier.Require(inside.Context(), tt.rules...)
			},
			"Refuse, inside": func() error {
				if len(tt.rules) == 0 || tt.reason != verifier.ErrNoToken {
					return guardError(v.Protect(tt.rules...), tt.r)
				}
				return verifier.AsError(behind(t, v.Optional(tt.rules...), tt.r), verifier.ErrNoToken)
			},
		} {
			t.Run(name+", "+place, func(t *testing.T) {
				err := err()
				assertRefused(t, tt.reason, err)
				challenge := challengeOf(t, err)
				if tt.scope == "" {
					assert.NotContains(t, challenge, "scope=")
					return
				}
				assert.Contains(t, challenge, `, scope="`+tt.scope+`"`)
				assert.Equal(t, 1, strings.Count(challenge, "scope="))
			})
		}
	}
	t.Run("R4 no challenge", func(t *testing.T) {
		assertRefused(t, verifier.ErrUnavailable, guardError(down.Protect(ab...), bearer(s.good())))
	})
	t.Run("R2 Config.Rules are not the route's", func(t *testing.T) {
		v, _ := setup(t, func(cfg *set) { cfg.Rules = []verifier.Rule{verifier.AnyScope("x", "y")} })
		assert.Equal(t, `Bearer realm="api", scope="a"`, challengeOf(t, guardError(v.Protect(ab[0]), anonymous())))
		err := guardError(v.Protect(ab[0]), bearer(s.good()))
		assertRefused(t, verifier.ErrScope, err)
		assert.Contains(t, challengeOf(t, err), `scope="a x"`, "but what is missing is named")
	})
	t.Run("R2 what one request lacks is not in another's challenge", func(t *testing.T) {
		v, _ := setup(t, func(cfg *set) {
			cfg.Rules = []verifier.Rule{verifier.Check(func(_ context.Context, tok *verifier.Token) error {
				return &verifier.Error{Reason: verifier.ErrScope, Scopes: []string{tok.Subject()}}
			})}
		})
		g := v.Protect(verifier.Scope("a"), verifier.Scope("b"), verifier.Scope("c"))
		first := guardError(g, bearer(s.token(nil, members{"sub": `"x"`})))
		second := guardError(g, bearer(s.token(nil, members{"sub": `"y"`})))
		assert.Contains(t, challengeOf(t, first), `scope="a b c x"`)
		assert.Contains(t, challengeOf(t, second), `scope="a b c y"`)
	})
	t.Run("R2 what one route needs is not in another's challenge", func(t *testing.T) {
		for range 2 {
			assert.Contains(t, challengeOf(t, guardError(v.Protect(verifier.Scope("a")), anonymous())), `scope="a"`)
			assert.NotContains(t, challengeOf(t, guardError(v.Protect(), anonymous())), "scope=")
			assert.Contains(t, challengeOf(t, guardError(v.Protect(verifier.Scope("b")), bearer("x"))), `scope="b"`)
			assert.NotContains(t, challengeOf(t, guardError(v.Protect(), bearer("x"))), "scope=")
		}
	})
}

func TestChallengesAreAdded(t *testing.T) {
	h := http.Header{}
	h.Add("WWW-Authenticate", `Basic realm="legacy"`)
	h.Add("Cache-Control", "public, max-age=3600")
	(&verifier.Error{Reason: verifier.ErrNoToken}).SetHeaders(h)
	t.Run("R5 challenges are added", func(t *testing.T) {
		assert.Equal(t, []string{`Basic realm="legacy"`, `Bearer realm="api"`}, h["Www-Authenticate"])
	})
	t.Run("R5 no-store replaces what was there", func(t *testing.T) {
		assert.Equal(t, []string{"no-store"}, h["Cache-Control"])
	})
}

func TestBody(t *testing.T) {
	for name, tt := range map[string]struct {
		e    *verifier.Error
		body string
	}{
		"R5 two members": {
			&verifier.Error{Reason: verifier.ErrDenied, Scopes: []string{"x"}, Err: errors.New("x")},
			`{"error":"insufficient_scope","error_description":"The access token does not permit this."}`,
		},
		"R5 one where no token came": {
			&verifier.Error{Reason: verifier.ErrNoToken},
			`{"error_description":"An access token is needed, sent as Authorization: Bearer."}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := tt.e.MarshalJSON()
			require.NoError(t, err)
			assert.Equal(t, tt.body, string(body))
			indented, err := json.MarshalIndent(map[string]any{"answer": tt.e}, "", "")
			require.NoError(t, err)
			assert.JSONEq(t, `{"answer":`+tt.body+`}`, string(indented))
		})
	}
}

func TestRealm(t *testing.T) {
	const realm = ` !#[]^~az09,=;`
	v, _ := setup(t, func(cfg *set) { cfg.Realm = realm })
	s := signerOf("ES256")
	_, errNone := v.Authenticate(anonymous())
	_, errBad := v.Authenticate(bearer("x"))
	_, errVerify := v.Verify(ctx, "x")
	_, errScope := v.Verify(ctx, s.good(), verifier.Scope("x"))
	inside := verifier.NewContext(ctx, verified(t, v, s.good()))
	errs := map[string]error{
		"no token": errNone, "Authenticate": errBad, "Verify": errVerify, "a rule": errScope,
		"Protect": guardError(v.Protect(), anonymous()), "Optional": guardError(v.Optional(), bearer("x")),
		"Require": verifier.Require(inside, verifier.Scope("x")),
		"AsError": verifier.AsError(inside, errors.New("any")),
	}
	for name, err := range errs {
		t.Run("R1 "+name, func(t *testing.T) {
			var e *verifier.Error
			require.ErrorAs(t, err, &e)
			h := http.Header{}
			e.SetHeaders(h)
			assert.Regexp(t, `^Bearer realm="`+regexp.QuoteMeta(realm)+`"(,|$)`, h.Get("WWW-Authenticate"))
		})
	}
}

func TestAsError(t *testing.T) {
	plain := errors.New("plain")
	var nilError *verifier.Error
	own := &verifier.Error{Reason: verifier.ErrRevoked, Err: plain}
	for name, tt := range map[string]struct {
		err    error
		reason error
		cause  error
	}{
		"an *Error":        {own, verifier.ErrRevoked, plain},
		"a reason":         {verifier.ErrRevoked, verifier.ErrRevoked, nil},
		"an *Error within": {fmt.Errorf("wrapped: %w", own), verifier.ErrRevoked, plain},
		"another error":    {plain, verifier.ErrDenied, plain},
		"a nil *Error":     {nilError, verifier.ErrDenied, nil},
		"nil":              {nil, verifier.ErrDenied, nil},
	} {
		t.Run(name, func(t *testing.T) {
			e := verifier.AsError(ctx, tt.err)
			require.NotPanics(t, func() { assertRefused(t, tt.reason, e) })
			assert.NotPanics(t, func() { _ = e.Error() })
			if tt.cause != nil {
				assert.ErrorIs(t, e, tt.cause)
			}
			assert.NotSame(t, own, e, "a copy")
		})
	}
	assert.Equal(t, "jwtguard: token has been revoked", verifier.AsError(ctx, verifier.ErrRevoked).Error(), "said once")
	wrapped := fmt.Errorf("order 7: %w", &verifier.Error{Reason: verifier.ErrRevoked, Err: plain})
	assert.Equal(t, "jwtguard: token has been revoked: order 7: jwtguard: token has been revoked: plain", verifier.AsError(ctx, wrapped).Error())
	v, _ := setup(t, func(cfg *set) { cfg.Realm = "inner" })
	other, _ := setup(t, func(cfg *set) { cfg.Realm = "outer" })
	_, err := v.Authenticate(anonymous())
	h := http.Header{}
	verifier.AsError(verifier.NewContext(ctx, verified(t, other, signerOf("ES256").good())), err).SetHeaders(h)
	assert.Equal(t, `Bearer realm="inner"`, h.Get("WWW-Authenticate"), "an answer that has a realm keeps it")
}

func TestErrorText(t *testing.T) {
	cause := errors.New("cause")
	for want, e := range map[string]*verifier.Error{
		"jwtguard: token has expired":                              {Reason: verifier.ErrExpired},
		"jwtguard: token has expired: cause":                       {Reason: verifier.ErrExpired, Err: cause},
		`jwtguard: a scope is missing (needs "a b")`:               {Reason: verifier.ErrScope, Scopes: []string{"a", "b"}},
		"jwtguard: configuration error: cause":                     {Err: cause},
		"jwtguard: configuration error":                            {},
		`jwtguard: this client may not do that (needs "a"): cause`: {Reason: verifier.ErrDenied, Scopes: []string{"a"}, Err: cause},
	} {
		assert.Equal(t, want, e.Error())
		assert.Equal(t, e.Err != nil, errors.Is(e, cause))
		assert.Equal(t, e.Reason != nil, e.Reason != nil && errors.Is(e, e.Reason))
		assert.NotContains(t, e.Unwrap(), nil)
	}
}
