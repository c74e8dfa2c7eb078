package jwkscache_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// A listener keeps the events that it receives.
type listener struct {
	mu   sync.Mutex
	seen []jwkscache.Event
}

func (l *listener) observe(e jwkscache.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = append(l.seen, e)
}

// heard returns the kinds of the events since its last call, each with its keys.
func (l *listener) heard() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var words []string
	for _, e := range l.seen {
		words = append(words, fmt.Sprintf("%s/%d", e.Kind, e.Keys))
	}
	l.seen = nil
	return strings.Join(words, " ")
}

func TestObserve(t *testing.T) {
	a, b := newKey("a"), newKey("b")
	refresh := func(t *testing.T, c *jwkscache.Cache, s *server, r responder) {
		t.Helper()
		s.serve(r)
		_ = c.Refresh(t.Context())
		synctest.Wait()
	}
	t.Run("O6 each change once, in order", inBubble(func(t *testing.T) {
		l, s := new(listener), newServer(publish(a))
		c := open(t, s, jwkscache.Config{Observe: l.observe})
		require.Equal(t, "refreshed/1", l.heard(), "the first keys are no rotation")
		for _, row := range []struct {
			name, want string
			serve      responder
		}{
			{"the same", "refreshed/1", publish(a)},
			{"one more", "refreshed/2 rotated/2", publish(a, b)},
			{"the same in another order", "refreshed/2", publish(b, a)},
			{"the same and one that is not used", "refreshed/2", publish(a, key{jwk: jwk{"kty": "mystery"}}, b)},
			{"another key under the same kid", "refreshed/2 rotated/2", publish(b, newKey("a"))},
			{"the first again", "refreshed/2 rotated/2", publish(a, b)},
			{"a failure", "failed/2", fail(500)},
			{"another one", "failed/2", publish()},
			{"the same keys after failures", "refreshed/2 healed/2", publish(a, b)},
			{"once more", "refreshed/2", publish(a, b)},
			{"a failure before a rotation", "failed/2", fail(429)},
			{"other keys after a failure", "refreshed/1 rotated/1 healed/1", publish(b)},
			{"a key like none", "failed/1", reply(200, "no JSON")},
		} {
			refresh(t, c, s, row.serve)
			require.Equal(t, row.want, l.heard(), row.name)
		}
		require.NoError(t, c.Close())
		assert.Empty(t, l.heard(), "closing is no event")
	}))

	t.Run("O6 no keys at the start", inBubble(func(t *testing.T) {
		l, s := new(listener), newServer(fail(500))
		c := open(t, s, jwkscache.Config{Observe: l.observe})
		require.Equal(t, "failed/0", l.heard())
		refresh(t, c, s, publish(a))
		require.Equal(t, "refreshed/1 healed/1", l.heard())
	}))

	t.Run("O6 expiry, once, and the end of it", inBubble(func(t *testing.T) {
		l, s := new(listener), newServer(publish(a))
		c := open(t, s, jwkscache.Config{Observe: l.observe, MaxStale: time.Hour})
		require.Equal(t, "refreshed/1", l.heard())
		s.serve(fail(500))
		pass(time.Hour - 1)
		require.NotContains(t, l.heard(), "expired")
		pass(1)
		require.Equal(t, "expired/0", l.heard())
		pass(time.Hour)
		before := l.heard()
		require.NotContains(t, before, "expired")
		require.Equal(t, strings.Count(before, " ")+1, strings.Count(before, "failed/0"))
		refresh(t, c, s, publish(b))
		require.Equal(t, "refreshed/1 rotated/1 healed/1", l.heard())
		s.serve(fail(500))
		pass(2 * time.Hour)
		require.Equal(t, 1, strings.Count(l.heard(), "expired/0"), "it can happen again")
	}))

	t.Run("O6 what they say", inBubble(func(t *testing.T) {
		var seen []jwkscache.Event
		j, s := new(journal), newServer(publish(a))
		c := open(t, s, jwkscache.Config{Logger: j.logger(), Observe: func(e jwkscache.Event) { seen = append(seen, e) }})
		refresh(t, c, s, fail(503))
		failure := c.Stats().LastError
		require.Error(t, failure)
		pass(day)
		require.Equal(t, jwkscache.Event{Kind: jwkscache.EventRefreshed, Source: jwksURL, Keys: 1}, seen[0])
		require.Equal(t, jwkscache.Event{Kind: jwkscache.EventFailed, Source: jwksURL, Keys: 1, Err: failure}, seen[1])
		assert.Zero(t, j.count("panicked"))
		for _, e := range seen {
			assert.Equal(t, e.Err != nil, e.Kind == jwkscache.EventFailed || e.Kind == jwkscache.EventExpired, e)
			if e.Kind == jwkscache.EventExpired {
				assert.ErrorContains(t, e.Err, "503")
			}
		}
	}))

	t.Run("O6 why keys expired while the machine slept", inBubble(func(t *testing.T) {
		var seen []jwkscache.Event
		s := newServer(publish(a))
		_, step := openSkewed(t, s, jwkscache.Config{Observe: func(e jwkscache.Event) { seen = append(seen, e) }})
		step(25 * time.Hour)
		pass(minute)
		require.Len(t, seen, 3)
		assert.Equal(t, jwkscache.EventExpired, seen[1].Kind)
		assert.ErrorContains(t, seen[1].Err, "no newer response")
	}))

	t.Run("O6 why keys expired that were old when they came", inBubble(func(t *testing.T) {
		var seen []jwkscache.Event
		open(t, newServer(reply(200, setOf(a), "Age", "86399")), jwkscache.Config{Observe: func(e jwkscache.Event) { seen = append(seen, e) }})
		pass(time.Second)
		require.Len(t, seen, 2)
		assert.Equal(t, jwkscache.EventExpired, seen[1].Kind)
		assert.ErrorContains(t, seen[1].Err, "no newer response")
	}))

	t.Run("O6 the source of an issuer's keys is the issuer", inBubble(func(t *testing.T) {
		var seen []jwkscache.Event
		openIssuer(t, newIssuer(publish(a)), issuer, jwkscache.Config{Observe: func(e jwkscache.Event) { seen = append(seen, e) }})
		require.Equal(t, []jwkscache.Event{{Kind: jwkscache.EventRefreshed, Source: issuer, Keys: 1}}, seen)
	}))

	t.Run("O6 files", inBubble(func(t *testing.T) {
		l, name := new(listener), filepath.Join(t.TempDir(), "keys.json")
		require.NoError(t, os.WriteFile(name, []byte(setOf(a)), 0o600))
		source := ""
		c, err := jwkscache.ForFile(name, jwkscache.Config{Observe: func(e jwkscache.Event) { source = e.Source; l.observe(e) }})
		opened(t, c, err)
		require.Equal(t, "refreshed/1", l.heard())
		assert.Equal(t, name, source)
		require.NoError(t, os.WriteFile(name, []byte(setOf(a, b)), 0o600))
		pass(time.Minute)
		require.Contains(t, l.heard(), "refreshed/2 rotated/2")
	}))

	t.Run("O6 it may ask how the cache is", inBubble(func(t *testing.T) {
		var c *jwkscache.Cache
		opening, keys := make(chan struct{}), 0
		c, err := jwkscache.ForURL(jwksURL, configFor(newServer(publish(a)), jwkscache.Config{Observe: func(jwkscache.Event) {
			<-opening
			keys = c.Stats().Keys
			assert.NoError(t, c.Health())
			serves(t, c, a)
		}}))
		close(opening)
		opened(t, c, err)
		assert.Equal(t, 1, keys, "what is reported has happened")
	}))

	t.Run("O6 nobody waits for it who wants a key", inBubble(func(t *testing.T) {
		c := open(t, newServer(publish(a)), jwkscache.Config{Observe: func(jwkscache.Event) { time.Sleep(time.Minute) }})
		serves(t, c, a)
	}))

	t.Run("O6 one that panics does no harm", inBubble(func(t *testing.T) {
		j, s := new(journal), newServer(publish(a))
		c := open(t, s, jwkscache.Config{Logger: j.logger(), Observe: func(e jwkscache.Event) {
			panic(string(e.Kind) + strings.Repeat("\n!", 1000))
		}})
		serves(t, c, a)
		refresh(t, c, s, fail(http.StatusInternalServerError))
		refresh(t, c, s, publish(b))
		serves(t, c, b)
		for _, kind := range []string{"refreshed", "failed", "rotated", "healed"} {
			assert.Positive(t, j.count("level=WARN", "Config.Observe panicked", kind, "jwks_uri="+jwksURL), kind)
		}
		for line := range strings.Lines(j.text()) {
			assert.Less(t, len(line), 600, "what it panicked with is cut")
		}
	}))
}
