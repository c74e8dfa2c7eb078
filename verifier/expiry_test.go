package verifier_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func TestUntilExpiry(t *testing.T) {
	in := func(name string, f func(*testing.T)) {
		t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
	}
	admit := func(t *testing.T, leeway time.Duration) (*verifier.Verifier, context.Context, string) {
		v, _ := setup(t, func(s *set) { s.Leeway = leeway })
		raw := signerOf("ES256").good()
		ctx, err := v.Protect()(bearer(raw))
		require.NoError(t, err)
		return v, ctx, raw
	}
	for _, leeway := range []time.Duration{time.Minute, -1} {
		in("C15 it ends when the token is refused, "+leeway.String(), func(t *testing.T) {
			v, ctx, raw := admit(t, leeway)
			ctx, cancel := verifier.UntilExpiry(ctx)
			defer cancel()
			time.Sleep(time.Hour + max(0, leeway) - time.Nanosecond)
			verified(t, v, raw)
			synctest.Wait()
			require.NoError(t, ctx.Err())
			time.Sleep(time.Nanosecond)
			_, err := v.Verify(t.Context(), raw)
			assertRefused(t, verifier.ErrExpired, err)
			synctest.Wait()
			assert.ErrorIs(t, context.Cause(ctx), verifier.ErrExpired)
			_, ok := verifier.FromContext(ctx)
			assert.True(t, ok, "the token is still there")
		})
	}
	in("C15 an earlier end of the request holds", func(t *testing.T) {
		_, ctx, _ := admit(t, 0)
		gone := errors.New("the client went away")
		outer, end := context.WithCancelCause(ctx)
		inner, cancel := verifier.UntilExpiry(outer)
		defer cancel()
		end(gone)
		assert.ErrorIs(t, context.Cause(inner), gone)
	})
	in("C15 without a token it ends with the request", func(t *testing.T) {
		v, _ := setup(t)
		ctx, err := v.Optional()(httptest.NewRequest("GET", "/", nil))
		require.NoError(t, err)
		ctx, cancel := verifier.UntilExpiry(ctx)
		time.Sleep(48 * time.Hour)
		require.NoError(t, ctx.Err())
		cancel()
		assert.ErrorIs(t, ctx.Err(), context.Canceled)
	})
}
