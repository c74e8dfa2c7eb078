package jwkscache_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func TestMissingKeys(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	// denied asks for a kid every 10 ms and returns when the server was asked,
	// since the first time.
	denied := func(t *testing.T, s *server, c *jwkscache.Cache, kid string, d time.Duration) (at []time.Duration) {
		start := time.Now()
		for time.Since(start) < d {
			denies(t, c, kid)
			pass(10 * time.Millisecond)
		}
		for _, r := range s.requests(jwksURL) {
			if since := r.at.Sub(start); since >= 0 {
				at = append(at, since)
			}
		}
		return at
	}
	seconds := func(list ...int) (d []time.Duration) {
		for _, n := range list {
			d = append(d, time.Duration(n)*time.Second)
		}
		return d
	}

	t.Run("K6 a kid that a fetch did not bring is asked for after 1, 1, 2, 2 and every 5 s", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		pass(time.Second)
		require.Equal(t, seconds(0, 1, 2, 4, 6, 11, 16, 21, 26), denied(t, s, c, "x", 30*time.Second))
	}))

	t.Run("K6 after two minutes every 30 s", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{Refresh: time.Hour})
		pass(time.Second)
		at := denied(t, s, c, "x", 4*minute)
		require.Equal(t, seconds(116, 121, 151, 181, 211), at[len(at)-5:])
	}))

	t.Run("K6 one step per fetch, not per caller", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(slow(100*time.Millisecond, publish(a)))
		for range 50 {
			go c.Lookup(t.Context(), jwkscache.Query{KeyID: "x", Algorithm: "ES256"})
		}
		pass(1100*time.Millisecond - 1)
		denies(t, c, "x")
		require.Equal(t, 2, s.fetches())
		pass(1)
		go c.Lookup(t.Context(), jwkscache.Query{KeyID: "x", Algorithm: "ES256"})
		pass(100 * time.Millisecond)
		require.Equal(t, 3, s.fetches())
	}))

	t.Run("K6 a missing key is unknown while fetching fails", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		denies(t, c, "x")
		s.serve(fail(503, "Retry-After", "10"))
		require.Error(t, c.Refresh(t.Context()))
		cannotTell(t, c, "x")
		s.serve(publish(a))
		require.NoError(t, c.Refresh(t.Context()))
		denies(t, c, "x")
		require.Equal(t, 4, s.fetches(), "and it is remembered still")
	}))

	t.Run("K6 made-up kids are forgotten when the keys change", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		denies(t, c, "x")
		s.serve(publish(a, b))
		require.NoError(t, c.Refresh(t.Context()))
		denies(t, c, "x")
		require.Equal(t, 4, s.fetches())
	}))

	t.Run("K6 made-up kids stay when a refresh brings the same keys", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		denies(t, c, "x")
		require.NoError(t, c.Refresh(t.Context()))
		denies(t, c, "x")
		require.Equal(t, 3, s.fetches())
	}))

	t.Run("K6 without kid, the algorithm is what is missing", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		none := func(alg string) {
			keys, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: alg})
			require.NoError(t, err)
			require.Nil(t, keys)
		}
		for range 10 {
			none("RS256")
		}
		require.Equal(t, 2, s.fetches())
		none("ES384")
		require.Equal(t, 3, s.fetches())
		s.serve(publish(a, rsaKey("r")))
		pass(time.Second)
		keys, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: "RS256"})
		require.NoError(t, err)
		require.Len(t, keys, 1)
	}))

	t.Run("K6 the set is bounded to 1,000, and old ones make room", inBubble(func(t *testing.T) {
		c := open(t, newServer(publish(a)), jwkscache.Config{})
		for i := range 3000 {
			require.Equal(t, min(i+1, 1000), c.AddMissing(strconv.Itoa(i), 1))
		}
		pass(29 * time.Second)
		require.Equal(t, 1000, c.AddMissing("x", 2))
		pass(2 * time.Second)
		require.Equal(t, 1000, c.AddMissing("x", 2), "looked through once per fetch")
		require.Equal(t, 1, c.AddMissing("x", 3))
	}))

	t.Run("K6 at most 1,000 missing keys are noted for one fetch", inBubble(func(t *testing.T) {
		c := open(t, newServer(publish(a)), jwkscache.Config{})
		for i := range 4 {
			denies(t, c, strconv.Itoa(i))
		}
		for i := range 1500 {
			go c.Lookup(t.Context(), jwkscache.Query{KeyID: "x" + strconv.Itoa(i), Algorithm: "ES256"})
		}
		synctest.Wait()
		require.Equal(t, 1000, c.Wanted())
	}))
}

// An issuer that signs with a key before it publishes it.
func TestLatePublication(t *testing.T) {
	a, b := newKey("a"), newKey("b")
	for _, row := range []struct {
		late, within time.Duration
	}{
		{100 * time.Millisecond, 2 * time.Second},
		{500 * time.Millisecond, 2 * time.Second},
		{time.Second, 2 * time.Second},
		{1100 * time.Millisecond, 2 * time.Second},
		{2 * time.Second, 2 * time.Second},
		{2100 * time.Millisecond, 2 * time.Second},
		{3 * time.Second, 2 * time.Second},
		{4100 * time.Millisecond, 6 * time.Second},
		{6100 * time.Millisecond, 6 * time.Second},
		{10 * time.Second, 6 * time.Second},
		{61 * time.Second, 6 * time.Second},
		{119 * time.Second, 6 * time.Second},
	} {
		for _, latency := range []time.Duration{0, 200 * time.Millisecond} {
			t.Run("K6 published "+row.late.String()+" after the first token, responses in "+latency.String(), inBubble(func(t *testing.T) {
				s := newServer(publish(a))
				c := open(t, s, jwkscache.Config{Refresh: time.Hour})
				s.serve(slow(latency, publish(a)))
				start := time.Now()
				time.AfterFunc(row.late, func() { s.serve(slow(latency, publish(a, b))) })
				for {
					keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: "ES256"})
					require.NoError(t, err)
					if keys != nil {
						break
					}
					pass(100 * time.Millisecond)
				}
				assert.LessOrEqual(t, time.Since(start)-row.late, row.within+latency)
			}))
		}
	}
}
