package jwkscache_test

import (
	"context"
	"crypto"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func TestReaders(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	t.Run("K1 no lock", func(t *testing.T) {
		t.Parallel()
		c, err := jwkscache.ForURL(jwksURL, jwkscache.Config{HTTPClient: &http.Client{Transport: newServer(publish(a))}})
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.Ready(t.Context()))
		done := make(chan struct{})
		c.Locked(func() {
			go func() {
				defer close(done)
				for _, kid := range []string{"a", ""} {
					keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: kid, Algorithm: "ES256"})
					assert.NoError(t, err)
					assert.Len(t, keys, 1)
				}
				keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "RS256"})
				assert.NoError(t, err)
				assert.Nil(t, keys)
			}()
			select {
			case <-done:
			case <-time.After(10 * time.Second): // only ever reached when a lookup locks
				t.Error("a lookup waits for the lock")
			}
		})
		<-done
	})

	t.Run("K1 no request waits for a refresh of keys it already has", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(hang)
		for range 360 {
			pass(10 * time.Second)
			serves(t, c, a)
		}
		require.Greater(t, s.fetches(), 30)
	}))

	t.Run("K1 a known key does not look at ctx", inBubble(func(t *testing.T) {
		c := open(t, newServer(publish(a)), jwkscache.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		keys, err := c.Lookup(ctx, jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
		require.NoError(t, err)
		require.Len(t, keys, 1)
	}))

	t.Run("K1 a snapshot never changes", inBubble(func(t *testing.T) {
		s := newServer(publish(a, b))
		c := open(t, s, jwkscache.Config{})
		before, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: "ES256"})
		require.NoError(t, err)
		s.serve(publish(b))
		require.NoError(t, c.Refresh(t.Context()))
		assert.Equal(t, []crypto.PublicKey{a.public, b.public}, before)
		after, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: "ES256"})
		require.NoError(t, err)
		assert.Equal(t, []crypto.PublicKey{b.public}, after)
	}))

	t.Run("K1 readers and refreshes at the same time", inBubble(func(t *testing.T) {
		s := newServer(publish(a, b))
		c := open(t, s, jwkscache.Config{})
		for range 8 {
			go func() {
				for range 500 {
					serves(t, c, a)
					_ = c.Stats()
				}
			}()
		}
		for i := range 100 {
			s.serve(publish([][]key{{a}, {a, b}}[i%2]...))
			require.NoError(t, c.Refresh(t.Context()))
		}
		pass(0)
	}))

	t.Run("K1 an unchanged refresh keeps the very same keys", inBubble(func(t *testing.T) {
		// Callers compare the keys they remember with those of now.
		s := newServer(publish(a, rsaKey("r"), edKey("e")))
		c := open(t, s, jwkscache.Config{})
		before, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
		require.NoError(t, err)
		require.NoError(t, c.Refresh(t.Context()))
		after, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
		require.NoError(t, err)
		assert.Same(t, &before[0], &after[0])
	}))
}
