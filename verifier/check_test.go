package verifier_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func TestCheckAnswers(t *testing.T) {
	cause := errors.New("blocked by the tenant")
	var nilError *verifier.Error
	tests := []struct {
		name   string
		err    error
		reason error // nil: a wiring bug
	}{
		{"any error", cause, verifier.ErrDenied},
		{"an *Error", &verifier.Error{Reason: verifier.ErrRevoked, Err: cause}, verifier.ErrRevoked},
		{"an *Error within", fmt.Errorf("wrapped: %w", &verifier.Error{Reason: verifier.ErrScope, Err: cause}), verifier.ErrScope},
		{"an *Error of 503", &verifier.Error{Reason: verifier.ErrUnavailable, Err: cause}, verifier.ErrUnavailable},
		{"an *Error of 400", &verifier.Error{Reason: verifier.ErrBadRequest, Err: cause}, verifier.ErrBadRequest},
		{"an *Error of no token", &verifier.Error{Reason: verifier.ErrNoToken, Err: cause}, verifier.ErrNoToken},
		{"a reason of its own", &verifier.Error{Reason: fmt.Errorf("jti is on the list: %w", verifier.ErrRevoked), Err: cause}, verifier.ErrRevoked},
		{"a bare reason", fmt.Errorf("%w: %w", verifier.ErrUnavailable, cause), verifier.ErrDenied},
		{"an *Error without reason", &verifier.Error{Err: cause}, nil},
		{"an *Error of an unknown reason", &verifier.Error{Reason: errors.New("?"), Err: cause}, nil},
		{"a nil *Error", nilError, verifier.ErrDenied},
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
				} else if tt.name != "a bare reason" {
					assertRefused(t, tt.reason, err)
				} else {
					assert.Equal(t, 403, e.Status())
				}
				if !strings.Contains(tt.name, "nil") {
					assert.ErrorIs(t, err, cause)
				}
			}
			assert.Equal(t, errRequire.Error(), err.Error())
		})
	}
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
		v, _ := setup(t, func(cfg *verifier.Config) { cfg.Rules = []verifier.Rule{rule} })
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

// TestSharedError has a Check that returns one *Error for all requests.
func TestSharedError(t *testing.T) {
	t.Run("R3 one error for all requests", func(t *testing.T) {
		shared := &verifier.Error{Reason: verifier.ErrScope, Scopes: []string{"a", "b c", `"`, "d"}}
		rule := verifier.Check(func(context.Context, *verifier.Token) error { return shared })
		for _, realm := range []string{"one", "two"} {
			v, _ := setup(t, func(cfg *verifier.Config) { cfg.Realm = realm })
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
