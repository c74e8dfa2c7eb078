package jwkscache_test

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// A journal keeps what a Logger writes, one line per record.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

// count returns how many lines have all parts.
func (j *journal) count(parts ...string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
lines:
	for line := range strings.Lines(j.buf.String()) {
		for _, part := range parts {
			if !strings.Contains(line, part) {
				continue lines
			}
		}
		n++
	}
	return n
}

func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

func TestChangesAreLogged(t *testing.T) {
	t.Run("K3 one line when refreshing breaks, one when it heals", inBubble(func(t *testing.T) {
		j := new(journal)
		s := newServer(publish(newKey("a")))
		c := open(t, s, jwkscache.Config{Logger: j.logger()})
		require.Zero(t, j.count(), "a good start is not logged")
		for i := 1; i <= 3; i++ {
			s.serve(fail(http.StatusInternalServerError))
			pass(6 * time.Hour)
			require.Equal(t, i, j.count("level=WARN", "fails", "responded with 500", "jwks_uri="+jwksURL))
			require.Equal(t, 2*i-1, j.count())
			s.serve(publish(newKey("a" + strconv.Itoa(i))))
			pass(6 * time.Hour)
			require.Equal(t, i, j.count("level=INFO", "keys works again", "jwks_uri="+jwksURL))
			require.Equal(t, 2*i, j.count())
		}
		require.NoError(t, c.Close())
		require.Equal(t, 6, j.count(), "closing is not a failure")
	}))

	t.Run("K3 a single failure is logged, and so is its end", inBubble(func(t *testing.T) {
		j := new(journal)
		s := newServer(publish(newKey("a")))
		c := open(t, s, jwkscache.Config{Logger: j.logger()})
		s.serve(fail(http.StatusInternalServerError))
		require.Error(t, c.Refresh(t.Context()))
		s.serve(publish(newKey("a")))
		require.NoError(t, c.Refresh(t.Context()))
		synctest.Wait()
		require.Equal(t, 1, j.count("level=WARN", "fails"))
		require.Equal(t, 1, j.count("level=INFO", "keys works again"))
	}))

	t.Run("K3 closing during a fetch is not a failure", inBubble(func(t *testing.T) {
		j := new(journal)
		c := open(t, newServer(hang), jwkscache.Config{Logger: j.logger()})
		require.NoError(t, c.Close())
		assert.Zero(t, j.count())
		assert.Zero(t, c.Stats().Failures)
	}))

	t.Run("K3 closing while the metadata is read is not a failure", inBubble(func(t *testing.T) {
		j := new(journal)
		s := newIssuer(publish(newKey("a")))
		c := openIssuer(t, s, issuer, jwkscache.Config{Logger: j.logger()})
		s.at(oidcForm, hang)
		go c.Refresh(t.Context())
		synctest.Wait()
		require.NoError(t, c.Close())
		assert.Zero(t, j.count())
	}))

	t.Run("K3 the log names the issuer", inBubble(func(t *testing.T) {
		j := new(journal)
		openIssuer(t, newServer(nil), "https://issuer.example/", jwkscache.Config{Logger: j.logger()})
		assert.Equal(t, 1, j.count("level=WARN", "issuer=https://issuer.example/"))
	}))

	t.Run("A4 skipped keys are logged when the set changes", inBubble(func(t *testing.T) {
		j := new(journal)
		a, broken := newKey("a"), key{jwk: jwk{"kty": "mystery", "kid": "m"}}
		s := newServer(publish(a, broken))
		c := open(t, s, jwkscache.Config{Logger: j.logger()})
		require.Equal(t, 1, j.count("level=WARN", "count=1", "kid", "unknown kty"))
		require.NoError(t, c.Refresh(t.Context()))
		synctest.Wait()
		require.Equal(t, 1, j.count(), "nothing has changed")
		s.serve(publish(a, broken, broken))
		require.NoError(t, c.Refresh(t.Context()))
		synctest.Wait()
		require.Equal(t, 2, j.count())
		require.Equal(t, 1, j.count("count=2"))
		s.serve(publish(a))
		require.NoError(t, c.Refresh(t.Context()))
		synctest.Wait()
		require.Equal(t, 2, j.count(), "nothing is skipped")
		s.serve(reply(200, rawSet(strings.Repeat(broken.jwk.String()+",", 200)+a.jwk.String())))
		require.NoError(t, c.Refresh(t.Context()))
		synctest.Wait()
		require.Equal(t, 1, j.count("count=200", "key 4"))
		require.Zero(t, j.count("key 5"), "a few will do")
	}))

	t.Run("K3 the first failure, without keys", inBubble(func(t *testing.T) {
		j := new(journal)
		open(t, newServer(fail(503)), jwkscache.Config{Logger: j.logger()})
		require.Equal(t, 1, j.count("there are none to use, so tokens of this issuer get 503"))
	}))

	t.Run("K3 the first failure, with keys", inBubble(func(t *testing.T) {
		j := new(journal)
		s := newServer(publish(newKey("a")))
		c := open(t, s, jwkscache.Config{Logger: j.logger()})
		s.serve(fail(503))
		require.Error(t, c.Refresh(t.Context()))
		synctest.Wait()
		require.Equal(t, 1, j.count("the last known keys stay in use"))
	}))
}

func TestExpiryIsLogged(t *testing.T) {
	t.Run("K4 keys that become too old are logged, without any request", inBubble(func(t *testing.T) {
		j := new(journal)
		s := newServer(publish(newKey("a")))
		c := open(t, s, jwkscache.Config{Logger: j.logger()})
		for i := 1; i <= 2; i++ {
			s.serve(fail(500))
			pass(day - 1)
			require.Equal(t, i, j.count("level=WARN", "the last known keys stay in use"))
			require.Equal(t, i-1, j.count("too old"))
			pass(1)
			require.Equal(t, i, j.count("level=WARN", "too old to be used, so tokens of this issuer get 503", "responded with 500", "jwks_uri="+jwksURL))
			pass(day)
			require.Equal(t, i, j.count("too old"), "once")
			require.Error(t, c.Health())
			s.serve(publish(newKey("a")))
			require.NoError(t, c.Refresh(t.Context()))
			synctest.Wait()
		}
		require.Equal(t, 2+2+2, j.count())
	}))

	t.Run("K4 without any keys there is nothing that expires", inBubble(func(t *testing.T) {
		j := new(journal)
		open(t, newServer(fail(500)), jwkscache.Config{Logger: j.logger()})
		pass(2 * day)
		require.Equal(t, 1, j.count())
	}))
}

func TestMetadataIsLogged(t *testing.T) {
	t.Run("K10 a WARN of its own when metadata breaks, and one line when it heals", inBubble(func(t *testing.T) {
		j, a := new(journal), newKey("a")
		s := newIssuer(publish(a))
		openIssuer(t, s, issuer, jwkscache.Config{Logger: j.logger()})
		for i := 1; i <= 3; i++ {
			s.at(oidcForm, fail(503))
			pass(12 * time.Hour)
			require.Equal(t, i, j.count("level=WARN", "metadata", "503", "issuer="+issuer, "jwks_uri="+jwksURL, "until="))
			require.Equal(t, 2*i-1, j.count())
			s.at(oidcForm, metadata(issuer, jwksURL))
			pass(12 * time.Hour)
			require.Equal(t, i, j.count("level=INFO", "metadata", "again"))
			require.Equal(t, 2*i, j.count())
		}
	}))

	t.Run("K10 the end of the address is logged as a failure, too", inBubble(func(t *testing.T) {
		j, a := new(journal), newKey("a")
		s := newIssuer(publish(a))
		openIssuer(t, s, issuer, jwkscache.Config{Logger: j.logger()})
		s.at(oidcForm, fail(503))
		pass(3 * day)
		require.Equal(t, 1, j.count("level=WARN", "metadata fails"))
		require.Equal(t, 1, j.count("level=WARN", "fetching the issuer's keys fails", "503"))
		s.at(oidcForm, metadata(issuer, jwksURL))
		pass(2 * minute)
		require.Equal(t, 1, j.count("level=INFO", "metadata", "again"))
		require.Equal(t, 1, j.count("level=INFO", "keys works again"))
	}))

	t.Run("K10 no separate line where no address is in use", inBubble(func(t *testing.T) {
		j := new(journal)
		s := newServer(publish(newKey("a")))
		openIssuer(t, s, issuer, jwkscache.Config{Logger: j.logger()})
		pass(time.Hour)
		require.Equal(t, 1, j.count())
		require.Equal(t, 1, j.count("level=WARN", "fetching the issuer's keys fails"))
		s.at(oidcForm, metadata(issuer, jwksURL))
		pass(2 * minute)
		assert.Equal(t, 2, j.count())
	}))
}

// A panicking handler is one whose every method panics.
type panicking struct{ from string }

func (p panicking) on(method string) {
	if p.from == method {
		panic("a bug elsewhere")
	}
}

func (p panicking) Enabled(context.Context, slog.Level) bool { p.on("Enabled"); return true }

func (p panicking) Handle(context.Context, slog.Record) error { p.on("Handle"); return nil }

func (p panicking) WithAttrs([]slog.Attr) slog.Handler { p.on("WithAttrs"); return p }

func (p panicking) WithGroup(string) slog.Handler { return p }

func TestLoggerThatPanics(t *testing.T) {
	for _, from := range []string{"Enabled", "Handle", "WithAttrs"} {
		t.Run("K3 a Logger that panics in "+from+" does no harm", inBubble(func(t *testing.T) {
			a, b := newKey("a"), newKey("b")
			s := newServer(publish(a, key{jwk: jwk{"kty": "mystery"}}))
			c := open(t, s, jwkscache.Config{Logger: slog.New(panicking{from})})
			serves(t, c, a)
			s.serve(fail(500))
			pass(2 * day)
			require.Error(t, c.Health())
			s.serve(publish(b))
			pass(minute)
			serves(t, c, b)
		}))
	}
}

func TestDefaultLogger(t *testing.T) { // not parallel: it changes the process
	j, before := new(journal), slog.Default()
	slog.SetDefault(j.logger())
	defer func() {
		slog.SetDefault(before)
		log.SetOutput(os.Stderr)
		log.SetFlags(log.LstdFlags)
	}()
	c, err := jwkscache.ForURL(jwksURL, jwkscache.Config{HTTPClient: &http.Client{Transport: newServer(fail(500))}})
	require.NoError(t, err)
	require.Error(t, c.Refresh(t.Context()))
	require.NoError(t, c.Close())
	assert.Equal(t, 1, j.count("level=WARN", "fails"), "K3 without a Logger, slog.Default() is used")
}
