package jwkscache_test

import (
	"context"
	"crypto"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// inBubble runs f on simulated time. A goroutine that f leaves behind fails it.
func inBubble(f func(t *testing.T)) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, f)
	}
}

// pass lets d go by in a bubble, and waits until everybody is idle.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// took returns how long f runs, in a bubble to the nanosecond.
func took(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

// lookupTakes looks for kid and asserts how long that takes.
func lookupTakes(t *testing.T, ctx context.Context, c *jwkscache.Cache, kid string, want time.Duration) ([]crypto.PublicKey, error) {
	t.Helper()
	start := time.Now()
	keys, err := c.Lookup(ctx, jwkscache.Query{KeyID: kid, Algorithm: "ES256"})
	assert.Equal(t, want, time.Since(start))
	return keys, err
}

// configFor returns cfg for a cache whose server is s, with the time-out of the
// cache's own client, and silent unless it has a Logger.
func configFor(s *server, cfg jwkscache.Config) jwkscache.Config {
	cfg.HTTPClient = &http.Client{Transport: s, Timeout: 10 * time.Second}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg
}

// open returns a cache of s's key set, after its first fetch.
func open(t *testing.T, s *server, cfg jwkscache.Config) *jwkscache.Cache {
	t.Helper()
	c, err := jwkscache.ForURL(jwksURL, configFor(s, cfg))
	return opened(t, c, err)
}

func openIssuer(t *testing.T, s *server, issuer string, cfg jwkscache.Config) *jwkscache.Cache {
	t.Helper()
	c, err := jwkscache.ForIssuer(issuer, configFor(s, cfg))
	return opened(t, c, err)
}

func opened(t *testing.T, c *jwkscache.Cache, err error) *jwkscache.Cache {
	t.Helper()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	synctest.Wait()
	return c
}

// serves asserts that c gives exactly k for its kid and alg, without waiting.
func serves(t *testing.T, c *jwkscache.Cache, k key) {
	t.Helper()
	start := time.Now()
	got, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: k.kid, Algorithm: k.alg})
	require.NoError(t, err)
	require.Equal(t, []crypto.PublicKey{k.public}, got)
	assert.Zero(t, time.Since(start), "the lookup waited")
}

// denies asserts that c finds no such key, without waiting.
func denies(t *testing.T, c *jwkscache.Cache, kid string) {
	t.Helper()
	start := time.Now()
	got, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: kid, Algorithm: "ES256"})
	require.NoError(t, err)
	require.Nil(t, got)
	assert.Zero(t, time.Since(start), "the lookup waited")
}

// cannotTell asserts that c returns ErrUnavailable without waiting, and
// returns the error.
func cannotTell(t *testing.T, c *jwkscache.Cache, kid string) error {
	t.Helper()
	start := time.Now()
	got, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: kid, Algorithm: "ES256"})
	require.ErrorIs(t, err, jwkscache.ErrUnavailable)
	require.Nil(t, got)
	assert.Zero(t, time.Since(start), "the lookup waited")
	return err
}
