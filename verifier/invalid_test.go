package verifier_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A function that returns a Config can say what is wrong with its arguments, and
// is heard before anything else that is wrong with the Config.
func TestInvalid(t *testing.T) {
	wrong := errors.New("preset: the domain is a host")
	t.Run("V3 it comes first", func(t *testing.T) {
		for _, cfg := range []verifier.Config{
			verifier.Config{}.With(verifier.Invalid(wrong)),
			verifier.Config{Issuer: issuer}.With(verifier.Invalid(wrong), verifier.Client()),
			verifier.Config{Types: []string{}}.With(verifier.Scope("a")).With(verifier.Invalid(wrong)),
		} {
			cfg.Rules = []verifier.Rule{verifier.Client()}
			_, err := verifier.New(cfg)
			require.ErrorIs(t, err, wrong)
			assert.EqualError(t, err, "verifier: preset: the domain is a host")
		}
	})
	t.Run("V3 with several issuers, the Config is named", func(t *testing.T) {
		_, err := verifier.New(
			verifier.Config{Issuer: issuer, Audiences: []string{api}, Keys: keyValue{}},
			verifier.Config{}.With(verifier.Invalid(wrong)))
		assert.ErrorContains(t, err, "Config 2")
		assert.ErrorIs(t, err, wrong)
	})
	t.Run("V3 in Rules", func(t *testing.T) {
		_, err := verifier.New(verifier.Config{Issuer: issuer, Audiences: []string{api}, Keys: keyValue{}, Rules: []verifier.Rule{verifier.Invalid(wrong)}})
		assert.ErrorIs(t, err, wrong)
	})
	t.Run("V3 without an error", func(t *testing.T) {
		_, err := verifier.New(verifier.Config{Issuer: issuer, Audiences: []string{api}, Keys: keyValue{}}.With(verifier.Invalid(nil)))
		assert.ErrorContains(t, err, "rule Invalid: it needs an error")
	})
	t.Run("V3 on a route it admits nobody", func(t *testing.T) {
		v, _ := setup(t)
		raw := signerOf("ES256").good()
		assert.Panics(t, func() { v.Protect(verifier.Invalid(wrong)) })
		_, err := v.Verify(ctx, raw, verifier.Invalid(wrong))
		var e *verifier.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, 500, e.Status())
	})
}
