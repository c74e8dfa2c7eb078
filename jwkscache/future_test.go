package jwkscache_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// What a process with a wrong clock has left in the Store.
func TestSharedFuture(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	t.Run("F2 a document from the future, brought back again and again, does not replace newer keys", inBubble(func(t *testing.T) {
		st, s := newMemory(), newSharedIssuer(publish(a))
		c := openIssuer(t, s, sharedIssuer, shared(st))
		future := jwkscache.EditDocument(st.document(), secret, "issuerTime", time.Now().Add(1000*hour))
		pass(2 * time.Minute)
		s.serve(publish(b))
		require.NoError(t, c.Refresh(t.Context()))
		for range 100 {
			st.put(future)
			pass(5 * time.Second)
			require.Equal(t, "b", c.Stats().KeySet[0].KeyID)
		}
		pass(10 * time.Second)
		assert.NotEqual(t, future, st.document(), "it was not replaced")
		assert.Zero(t, c.Stats().Store.Adopted)
		assert.NoError(t, c.Stats().Store.LastError)
	}))

	t.Run("F8 a clock that is set back does not prolong the pause after a failure", inBubble(func(t *testing.T) {
		st, s, skew := newMemory(), newServer(publish(a)), new(atomic.Int64)
		c, err := jwkscache.ForURLSkewed(jwksURL, configFor(s, shared(st)), skew)
		c = opened(t, c, err)
		pass(time.Minute)
		s.serve(fail(http.StatusServiceUnavailable, "Retry-After", "60"))
		require.Error(t, c.Refresh(t.Context()))
		pass(time.Second)
		skew.Store(int64(-3 * hour))
		s.serve(publish(a, b))
		pass(65 * time.Second)
		keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: "ES256"})
		require.NoError(t, err)
		assert.Len(t, keys, 1)
	}))
}
