package jwkscache_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func TestCallersClient(t *testing.T) {
	k := newKey("k")

	t.Run("K9 a caller's client is used as given: its redirects, its cookies", inBubble(func(t *testing.T) {
		s := newServer(reply(http.StatusFound, "", "Location", movedURL, "Set-Cookie", "session=1; Domain=example"))
		s.at(movedURL, publish(k))
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		cfg := configFor(s, jwkscache.Config{})
		cfg.HTTPClient.Jar = jar
		c, err := jwkscache.ForURL("https://issuer.example/jwks", cfg)
		opened(t, c, err)
		serves(t, c, k)
		require.NoError(t, c.Refresh(t.Context()))
		assert.Empty(t, s.requests(jwksURL)[0].header.Get("Cookie"))
		assert.Equal(t, "session=1", s.requests(jwksURL)[1].header.Get("Cookie"))
	}))

	t.Run("K9 a caller's client may time out earlier", inBubble(func(t *testing.T) {
		cfg := configFor(newServer(hang), jwkscache.Config{})
		cfg.HTTPClient.Timeout = time.Second
		c, err := jwkscache.ForURL(jwksURL, cfg)
		opened(t, c, err)
		pass(time.Second)
		assert.Equal(t, 1, c.Stats().Failures)
	}))

	t.Run("K9 a caller's client without a time-out: 30 s", inBubble(func(t *testing.T) {
		for _, none := range []time.Duration{0, -1} {
			cfg := configFor(newServer(hang), jwkscache.Config{})
			cfg.HTTPClient.Timeout = none
			c, err := jwkscache.ForURL(jwksURL, cfg)
			opened(t, c, err)
			pass(30*time.Second - 1)
			assert.Zero(t, c.Stats().Failures)
			pass(1)
			assert.Equal(t, 1, c.Stats().Failures)
			assert.ErrorContains(t, c.Health(), "no complete response within 30s")
		}
	}))

	t.Run("K9 a caller's client may wait longer than ours", inBubble(func(t *testing.T) {
		for _, a := range []answer{slow(50*time.Second, publish(k)), slowly(50*time.Second, setOf(k))} {
			cfg := configFor(newServer(a), jwkscache.Config{})
			cfg.HTTPClient.Timeout = time.Minute
			c, err := jwkscache.ForURL(jwksURL, cfg)
			opened(t, c, err)
			pass(50 * time.Second)
			serves(t, c, k)
		}
	}))

	t.Run("K9 our own client's time-out is 10 s", func(t *testing.T) {
		assert.Equal(t, 10*time.Second, jwkscache.NewOwnClient(false).Timeout, "net/http has it count for the body, too")
	})
}

// slowly answers at once, with a body that takes d.
func slowly(d time.Duration, body string) answer {
	return func(r *http.Request) (*http.Response, error) {
		res, err := reply(http.StatusOK, "")(r)
		reader, writer := io.Pipe()
		res.Body = reader
		go func() {
			select {
			case <-time.After(d):
				io.WriteString(writer, body)
			case <-r.Context().Done():
			}
			writer.Close()
		}()
		return res, err
	}
}
