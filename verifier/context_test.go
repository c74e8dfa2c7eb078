package verifier_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A frameworkContext is what a framework hands to its handlers, as Gin does: a
// context that has the request, but does not lead to the request's.
type frameworkContext struct {
	context.Context
	r *http.Request
}

type requestKey struct{}

func init() { verifier.RegisterRequestKey(requestKey{}) }

func (c frameworkContext) Value(key any) any {
	if key == (requestKey{}) {
		return c.r
	}
	return c.Context.Value(key)
}

func TestContextsOfFrameworks(t *testing.T) {
	v, _ := setup(t, func(cfg *set) { cfg.Realm = "orders" })
	protected := anonymous().WithContext(behind(t, v.Protect(verifier.Scope("orders:read")), bearer(signerOf("ES256").good())))
	handed := frameworkContext{ctx, protected}

	tok, ok := verifier.FromContext(handed)
	require.True(t, ok)
	assert.Equal(t, "billing", tok.ClientID())
	require.NoError(t, verifier.Require(handed, verifier.Client("billing")))
	err := verifier.AsError(handed, verifier.ErrRevoked)
	assertRefused(t, verifier.ErrRevoked, err)
	assert.Contains(t, challengeOf(t, err), `realm="orders"`)
	assert.Contains(t, challengeOf(t, err), `scope="orders:read"`)

	_, ok = verifier.FromContext(verifier.NewContext(handed, nil))
	assert.False(t, ok, "what is nearer hides it")
	for name, c := range map[string]frameworkContext{
		"no request": {ctx, nil}, "an open route": {ctx, anonymous()},
	} {
		t.Run(name, func(t *testing.T) {
			_, ok := verifier.FromContext(c)
			assert.False(t, ok)
			assertConfigurationError(t, verifier.Require(c))
		})
	}
}

// An admission is a context like any other: values, deadlines and cancellation
// pass through it.
func TestAdmissionsAreContexts(t *testing.T) {
	type mark struct{}
	v, _ := setup(t)
	outer, cancel := context.WithCancelCause(context.WithValue(ctx, mark{}, "outer"))
	inside := behind(t, v.Protect(), bearer(signerOf("ES256").good()).WithContext(outer))
	later, stop := context.WithCancel(inside)
	defer stop()
	assert.Equal(t, "outer", later.Value(mark{}))
	_, ok := verifier.FromContext(later)
	assert.True(t, ok)
	cause := assert.AnError
	cancel(cause)
	<-later.Done()
	assert.ErrorIs(t, context.Cause(later), cause)
	assert.ErrorIs(t, inside.Err(), context.Canceled)
}

func TestSetHeadersOutside(t *testing.T) {
	t.Run("R8 without a Guard there is nothing to add", func(t *testing.T) {
		h := http.Header{}
		verifier.SetHeaders(ctx, h)
		assert.Empty(t, h)
	})
}
