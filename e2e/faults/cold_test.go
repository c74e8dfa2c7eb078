package faults

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// An API starts behind the broken network: it never had keys.
func TestColdStart(t *testing.T) {
	for _, f := range faults {
		t.Run("K11 R4 "+f.name, func(t *testing.T) {
			t.Parallel()
			label := "cold, " + f.name
			w := newWorld(t)
			w.spoil(t, f)
			a := w.open(t, label, jwkscache.Config{})
			good, expired := w.token(t, nil), w.token(t, map[string]any{"exp": 1})

			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					began := time.Now()
					rec := a.ask(good)
					assert.Less(t, time.Since(began), waitForKeys+slack)
					assert.Equal(t, http.StatusServiceUnavailable, rec.Code)
					assert.NotEmpty(t, rec.Header().Get("Retry-After"))
					assert.Empty(t, rec.Header().Get("WWW-Authenticate"))
					assert.Equal(t, http.StatusUnauthorized, a.ask(expired).Code, "what needs no key is decided without")
				})
			}
			wg.Wait()
			assert.LessOrEqual(t, a.keys.Stats().Fetches, 8, "the crowd shares its fetches")

			// The cache comes back by its own backoff: Ready asks for nothing.
			w.mend(t)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			require.NoError(t, a.v.Ready(ctx))
			assert.Equal(t, http.StatusOK, a.ask(good).Code)
			closeAll(t, w, label, a)
		})
	}
}
