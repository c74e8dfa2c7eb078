package jwkscache_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func TestETag(t *testing.T) {
	const ifNoneMatch = "If-None-Match"

	t.Run("K4 304 confirms the keys as 200 does", inBubble(func(t *testing.T) {
		a := newKey("a")
		s := newServer(tagged(`W/"1"`, a))
		c := open(t, s, jwkscache.Config{})
		pass(72 * time.Hour)
		serves(t, c, a)
		assert.Equal(t, jwkscache.Fresh, c.Stats().State)
		assert.Zero(t, c.Stats().Failures)
		for i, r := range s.requests(jwksURL) {
			assert.Equal(t, i > 0, r.header.Get(ifNoneMatch) == `W/"1"`, "request %d", i)
		}
	}))

	t.Run("K4 304 revives keys that have expired", inBubble(func(t *testing.T) {
		a := newKey("a")
		s := newServer(tagged(`"1"`, a))
		c := open(t, s, jwkscache.Config{MaxStale: time.Hour})
		s.serve(fail(500))
		pass(time.Hour)
		require.Equal(t, jwkscache.Expired, c.Stats().State)
		s.serve(tagged(`"1"`, a))
		pass(minute)
		serves(t, c, a)
	}))

	t.Run("K7 304 needs a stored ETag", inBubble(func(t *testing.T) {
		a := newKey("a")
		s := newServer(publish(a)) // without ETag
		c := open(t, s, jwkscache.Config{})
		s.serve(reply(http.StatusNotModified, "", "ETag", `"1"`))
		require.ErrorContains(t, c.Refresh(t.Context()), "304")
		require.NotContains(t, s.requests(jwksURL)[1].header, ifNoneMatch, "not even an empty one")
	}))

	t.Run("K7 304 at the start", inBubble(func(t *testing.T) {
		c := open(t, newServer(reply(http.StatusNotModified, "")), jwkscache.Config{})
		assert.Equal(t, jwkscache.Empty, c.Stats().State)
		assert.ErrorContains(t, c.Health(), "304")
	}))

	t.Run("K7 a new set brings its own ETag, or none", inBubble(func(t *testing.T) {
		s := newServer(tagged(`"1"`, newKey("a")))
		c := open(t, s, jwkscache.Config{})
		for _, a := range []answer{tagged(`"2"`, newKey("b")), publish(newKey("c")), publish(newKey("c"))} {
			s.serve(a)
			require.NoError(t, c.Refresh(t.Context()))
		}
		var sent []string
		for _, r := range s.requests(jwksURL) {
			sent = append(sent, r.header.Get(ifNoneMatch))
		}
		assert.Equal(t, []string{"", `"1"`, `"2"`, ""}, sent)
	}))
}
