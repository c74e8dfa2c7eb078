package verifier_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func TestCheckAnswers(t *testing.T) {
	cause := errors.New("blocked by the tenant")
	tests := []struct {
		name   string
		err    error
		reason error // nil: a configuration error
	}{
		{"any error", cause, verifier.ErrDenied},
		{"an *Error", &verifier.Error{Reason: verifier.ErrRevoked, Err: cause}, verifier.ErrRevoked},
		{"an *Error within", fmt.Errorf("wrapped: %w", &verifier.Error{Reason: verifier.ErrScope, Err: cause}), verifier.ErrScope},
		{"an *Error of 503", &verifier.Error{Reason: verifier.ErrUnavailable, Err: cause}, verifier.ErrUnavailable},
		{"an *Error of 400", &verifier.Error{Reason: verifier.ErrBadRequest, Err: cause}, verifier.ErrBadRequest},
		{"an *Error of no token", &verifier.Error{Reason: verifier.ErrNoToken, Err: cause}, verifier.ErrNoToken},
		{"a reason of its own", &verifier.Error{Reason: fmt.Errorf("jti is on the list: %w", verifier.ErrRevoked), Err: cause}, verifier.ErrRevoked},
		{"an *Error without reason", &verifier.Error{Err: cause}, nil},
		{"an *Error of an unknown reason", &verifier.Error{Reason: errors.New("?"), Err: cause}, nil},
		{"a nil *Error", nilErrorAs(), verifier.ErrDenied},
		{"a nil *Error within", fmt.Errorf("wrapped: %w", nilErrorAs()), verifier.ErrDenied},
	}
	for _, tt := range tests {
		t.Run("C11 "+tt.name, func(t *testing.T) {
			v, _ := setup(t)
			raw := signerOf("ES256").good()
			rule := verifier.Check(func(context.Context, *verifier.Token) error { return tt.err })
			tok, err := v.Verify(ctx, raw, rule)
			assert.Nil(t, tok)
			errRequire := verifier.Require(verifier.NewContext(ctx, verified(t, v, raw)), rule)
			for _, err := range []error{err, errRequire} {
				var e *verifier.Error
				require.ErrorAs(t, err, &e)
				require.NotPanics(t, func() { _ = e.Error() })
				require.NotPanics(t, func() { _ = errors.Is(err, verifier.ErrBinding) })
				if tt.reason == nil {
					assert.Equal(t, 500, e.Status())
				} else {
					assertRefused(t, tt.reason, err)
				}
				if !errors.Is(tt.err, nilErrorAs()) {
					assert.ErrorIs(t, err, cause)
				}
			}
			assert.Equal(t, errRequire.Error(), err.Error())
		})
	}
}

// sentinelError is a caller's own type that stands for a reason.
type sentinelError struct{ reason error }

func (e sentinelError) Error() string        { return "own type" }
func (e sentinelError) Is(target error) bool { return target == e.reason }

// TestReasons has Checks, and handlers that refuse, return a reason of this
// package's in every way: its own status and code are the answer.
func TestReasons(t *testing.T) {
	v, _ := setup(t, func(cfg *set) { cfg.Realm = "orders" })
	raw := signerOf("ES256").good()
	cause := errors.New("the row is locked")
	inside := verifier.NewContext(ctx, verified(t, v, raw))
	for reason := range promised {
		for how, err := range map[string]error{
			"bare":              reason,
			"wrapped":           fmt.Errorf("jti 7: %w", reason),
			"wrapped twice":     fmt.Errorf("revocation: %w", fmt.Errorf("jti 7: %w", reason)),
			"beside its cause":  fmt.Errorf("%w: %w", reason, cause),
			"after its cause":   fmt.Errorf("%w: %w", cause, reason),
			"errors.Join":       errors.Join(cause, reason),
			"an *Error":         &verifier.Error{Reason: reason, Err: cause},
			"a wrapped *Error":  fmt.Errorf("%w: %w", cause, &verifier.Error{Reason: reason}),
			"by a type's Is":    sentinelError{reason},
			"beside a denial":   fmt.Errorf("%w: %w", last(reason, verifier.ErrDenied), reason),
			"as Error.Reason":   &verifier.Error{Reason: fmt.Errorf("on the list: %w", reason)},
			"of another answer": answerOf(v, reason),
		} {
			t.Run("R2 "+reason.Error()+", "+how, func(t *testing.T) {
				rule := verifier.Check(func(context.Context, *verifier.Token) error { return err })
				_, fromRule := v.Verify(ctx, raw, rule)
				for _, got := range []error{
					fromRule, guardError(v.Protect(rule), bearer(raw)), guardError(v.Optional(rule), bearer(raw)),
					verifier.Require(inside, rule), verifier.AsError(inside, err),
				} {
					assertRefused(t, reason, got)
					assert.Equal(t, errors.Is(err, cause), errors.Is(got, cause), "the cause is there")
					var own sentinelError
					assert.Equal(t, errors.As(err, &own), errors.As(got, &own))
				}
			})
		}
	}
}

// last returns the other of the two, where that is not the first in their list.
func last(reason, other error) error {
	if reason == verifier.ErrUnavailable {
		return reason
	}
	return other
}

// answerOf is an error that has been the answer to a request already.
func answerOf(v *verifier.Verifier, reason error) error {
	return verifier.AsError(context.Background(), &verifier.Error{Reason: reason})
}

// Of several reasons the first in their list counts: a definite no comes before
// "cannot tell", and what is wrong with a token before what it does not permit.
func TestReasonsTogether(t *testing.T) {
	for name, tt := range map[string]struct {
		err    error
		reason error
	}{
		"a no before cannot tell":          {errors.Join(verifier.ErrUnavailable, verifier.ErrRevoked), verifier.ErrRevoked},
		"a denial before cannot tell":      {fmt.Errorf("%w: %w", verifier.ErrUnavailable, verifier.ErrDenied), verifier.ErrDenied},
		"the token before its permissions": {errors.Join(verifier.ErrDenied, verifier.ErrScope, verifier.ErrExpired), verifier.ErrExpired},
		"the scope before a denial":        {errors.Join(verifier.ErrDenied, verifier.ErrScope), verifier.ErrScope},
		"an answer before all":             {errors.Join(verifier.ErrExpired, &verifier.Error{Reason: verifier.ErrUnavailable}), verifier.ErrUnavailable},
	} {
		t.Run("R2 "+name, func(t *testing.T) {
			e := verifier.AsError(ctx, tt.err)
			assert.Equal(t, promised[tt.reason].status, e.Status())
			assert.Equal(t, promised[tt.reason].code, e.Code())
			assert.ErrorIs(t, e.Reason, tt.reason)
			assert.ErrorIs(t, e, verifier.AsError(ctx, e).Reason, "asked again, the same")
		})
	}
}

// The claims that do not fit what a handler decodes them into are the token's
// fault.
func TestClaimsThatDoNotFit(t *testing.T) {
	v, _ := setup(t)
	tok := verified(t, v, signerOf("ES256").token(nil, members{"tenant": "7"}))
	_, err := verifier.ClaimsOf[struct {
		Tenant string `json:"tenant"`
	}](tok)
	require.Error(t, err)
	assertRefused(t, verifier.ErrClaims, verifier.AsError(ctx, err))
	assertRefused(t, verifier.ErrClaims, verifier.AsError(ctx, fmt.Errorf("orders: %w", err)))
}

// nilErrorAs is the mistake of returning a nil *Error as an error.
func nilErrorAs() error {
	var e *verifier.Error
	return e
}

func TestCheckSeesOnlyVerifiedTokens(t *testing.T) {
	t.Run("C11 not one that is refused anyway", func(t *testing.T) {
		type mark struct{}
		calls := 0
		rule := verifier.Check(func(ctx context.Context, tok *verifier.Token) error {
			calls++
			assert.Equal(t, "here", ctx.Value(mark{}))
			assert.Equal(t, "billing", tok.ClientID())
			_, err := verifier.ClaimsOf[map[string]any](tok)
			return err
		})
		v, _ := setup(t, func(cfg *set) { cfg.Rules = []verifier.Rule{rule} })
		here := context.WithValue(ctx, mark{}, "here")
		s := signerOf("ES256")
		for name, raw := range map[string]string{
			"no token": "x", "another key": newSigner("ES256").good(), "another issuer": s.token(nil, members{"iss": `"x"`}),
			"another audience": s.token(nil, members{"aud": `"x"`}), "expired": s.token(nil, members{"exp": "1"}),
		} {
			_, err := v.Verify(here, raw, rule)
			require.Error(t, err, name)
			require.Zero(t, calls, "C11 "+name)
		}
		tok, err := v.Verify(here, s.good(), rule)
		require.NoError(t, err)
		require.NotNil(t, tok)
		assert.Equal(t, 2, calls, "C11 in Config and on the route")
	})
}

// A Check inside another guard's route sees the token that it judges, not the
// one that let the request in outside.
func TestChecksSeeTheTokenTheyJudge(t *testing.T) {
	s := signerOf("ES256")
	user, job := s.token(nil, members{"client_id": `"user"`}), s.token(nil, members{"client_id": `"job"`})
	var seen []string
	look := verifier.Check(func(ctx context.Context, tok *verifier.Token) error {
		judged, ok := verifier.FromContext(ctx)
		if assert.True(t, ok) {
			assert.Same(t, tok, judged)
			seen = append(seen, judged.ClientID())
		}
		return verifier.Require(ctx, verifier.Client(tok.ClientID())) // as a Check may
	})
	fromHeader := func(cfg *set) {
		cfg.TokenFrom = func(r *http.Request) string { return r.Header.Get("X-Job") }
	}
	outer, _ := setup(t)
	plain, _ := setup(t)
	routes, _ := setup(t, fromHeader)
	rules, _ := setup(t, fromHeader, func(cfg *set) { cfg.Rules = []verifier.Rule{look} })
	preset, _ := setup(t, fromHeader, func(cfg *set) { cfg.Claims.ClientCredentials = look })
	request := func() *http.Request { // with the outer layer's token in its context
		r := anonymous()
		r.Header.Set("X-Job", job)
		return r.WithContext(behind(t, outer.Protect(), bearer(user)))
	}
	for name, use := range map[string]func() error{
		"Protect":      func() error { return guardError(routes.Protect(look), request()) },
		"Optional":     func() error { return guardError(routes.Optional(look), request()) },
		"Authenticate": func() error { _, err := routes.Authenticate(request(), look); return err },
		"Verify":       func() error { _, err := plain.Verify(request().Context(), job, look); return err },
		"Config.Rules": func() error { return guardError(rules.Protect(), request()) },
		"Claims.ClientCredentials": func() error {
			return guardError(preset.Protect(verifier.ClientCredentials()), request())
		},
		"Require": func() error {
			return verifier.Require(behind(t, routes.Protect(), request()), look)
		},
		"RequireGuard": func() error {
			r := request()
			return guardError(verifier.RequireGuard(look), r.WithContext(behind(t, routes.Protect(), r)))
		},
	} {
		for _, round := range []string{"new", "remembered"} {
			t.Run("C11 "+name+", "+round, func(t *testing.T) {
				seen = nil
				require.NoError(t, use())
				assert.Equal(t, []string{"job"}, seen)
			})
		}
	}
	t.Run("C11 the handler still has its own", func(t *testing.T) {
		tok, ok := verifier.FromContext(request().Context())
		require.True(t, ok)
		assert.Equal(t, "user", tok.ClientID())
	})
}

// A Check that asks another Verifier refuses in the name of its own.
func TestChecksThatAskAnother(t *testing.T) {
	other, _ := setup(t, func(cfg *set) { cfg.Realm = "other" })
	v, _ := setup(t, func(cfg *set) { cfg.Realm = "orders" })
	rule := verifier.Check(func(ctx context.Context, _ *verifier.Token) error {
		_, err := other.Verify(ctx, "x")
		return err
	})
	err := guardError(v.Protect(rule, verifier.Scope("orders:read")), bearer(signerOf("ES256").good()))
	assertRefused(t, verifier.ErrMalformed, err)
	assert.Contains(t, challengeOf(t, err), `realm="orders"`, "R1")
	assert.Contains(t, challengeOf(t, err), `scope="orders:read"`, "R2")
}

// TestSharedError has a Check that returns one *Error for all requests.
func TestSharedError(t *testing.T) {
	t.Run("R3 one error for all requests", func(t *testing.T) {
		shared := &verifier.Error{Reason: verifier.ErrScope, Scopes: []string{"a", "b c", `"`, "d"}}
		rule := verifier.Check(func(context.Context, *verifier.Token) error { return shared })
		for _, realm := range []string{"one", "two"} {
			v, _ := setup(t, func(cfg *set) { cfg.Realm = realm })
			_, err := v.Verify(ctx, signerOf("ES256").good(), rule)
			var e *verifier.Error
			require.ErrorAs(t, err, &e)
			assert.NotSame(t, shared, e)
			h := http.Header{}
			e.SetHeaders(h)
			assert.Equal(t, `Bearer realm="`+realm+`", error="insufficient_scope", `+
				`error_description="The access token lacks a scope that this needs.", scope="a d"`, h.Get("WWW-Authenticate"))
		}
		assert.Equal(t, &verifier.Error{Reason: verifier.ErrScope, Scopes: []string{"a", "b c", `"`, "d"}}, shared)
	})
}
