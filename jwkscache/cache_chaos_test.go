package jwkscache_test

import (
	"crypto"
	"crypto/ecdsa"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// A model has the keys that a cache must serve: those of the last good response.
type model struct {
	mu        sync.Mutex
	published []key // in a good response
	accepted  []key
	ok        bool          // the last response was good
	skew      time.Duration // of the wall clock
	at        moment        // of the last good response
}

// A moment is one reading of both clocks.
type moment struct{ wall, mono time.Time }

func (m *model) now() moment { return moment{time.Now().Add(m.skew), time.Now()} }

// good responds with the published keys, after d.
func (m *model) good(d time.Duration) responder {
	return slow(d, func(r *http.Request) (*http.Response, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.accepted, m.ok, m.at = m.published, true, m.now()
		return publish(m.published...)(r)
	})
}

// age is the larger of the two.
func (m *model) age() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	return max(now.wall.Sub(m.at.wall), now.mono.Sub(m.at.mono))
}

// bad responds as a does, which a cache never accepts.
func (m *model) bad(a responder) responder {
	return func(r *http.Request) (*http.Response, error) {
		m.mu.Lock()
		m.ok = false
		m.mu.Unlock()
		return a(r)
	}
}

func (m *model) works() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ok
}

// of returns the accepted keys of a kid, in their order.
func (m *model) of(kid string) (keys []crypto.PublicKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.accepted {
		if k.kid == kid {
			keys = append(keys, k.public)
		}
	}
	return keys
}

var chaosSeeds = flag.Uint64("seeds", 4, "how many orders of events TestChaos tries")

// A server that does anything for five days, in any order: shrinking, growing
// and swapped key sets, doubled kids, every kind of failure, clocks that jump.
func TestChaos(t *testing.T) {
	for seed := range *chaosSeeds {
		t.Run(fmt.Sprintf("K3 K4 K5 K7 K8 K13 seed %d", seed), inBubble(func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			var pool []key
			for _, kid := range []string{"a", "b", "c", "d", "twice"} {
				pool = append(pool, newKey(kid))
			}
			pool = append(pool, newKey("twice"))
			m := &model{published: pool[:1]}
			s := newServer(m.good(0))
			c, step := openSkewed(t, s, jwkscache.Config{})

			start := time.Now()
			for time.Since(start) < 5*day {
				switch random.IntN(12) {
				case 0, 1:
					some := []key{pool[random.IntN(len(pool))]}
					for _, k := range pool {
						if random.IntN(2) == 0 && !k.public.(*ecdsa.PublicKey).Equal(some[0].public) {
							some = append(some, k)
						}
					}
					m.mu.Lock()
					m.published = some
					m.mu.Unlock()
				case 2, 3:
					s.serve(m.good(time.Duration(random.IntN(5)) * time.Second))
				case 4:
					s.serve(m.good(0))
				case 5:
					s.serve(m.bad(fail(500 + random.IntN(5))))
				case 6:
					s.serve(m.bad(hang))
				case 7:
					s.serve(m.bad(cutOff(setOf(pool...), errors.New("connection reset"))))
				case 8:
					s.serve(m.bad(trickle(setOf(pool...))))
				case 9:
					s.serve(m.bad(reply(200, []string{`{"keys":[]}`, "", "<html>", rawSet(`{"kty":"oct","k":"AQ"}`)}[random.IntN(4)])))
				case 10:
					d := time.Duration(random.IntN(7)-3) * time.Hour
					m.mu.Lock()
					m.skew += d
					step(d)
					m.mu.Unlock()
				case 11:
					for range 8 { // the fetch limit is five
						start := time.Now()
						got, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: fmt.Sprint("made-up-", random.IntN(10)), Algorithm: "ES256"})
						assert.Nil(t, got)
						assert.LessOrEqual(t, time.Since(start), 5500*time.Millisecond)
						if err == nil {
							assert.True(t, m.works(), "K5 no key, without an error, while fetching fails")
						}
					}
				}
				pass(time.Duration(random.IntN(3600)) * time.Second)
				for _, k := range pool {
					if keys := m.of(k.kid); keys != nil && m.age() < day {
						start := time.Now()
						got, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: k.kid, Algorithm: "ES256"})
						require.NoError(t, err)
						require.Equal(t, keys, got)
						require.Zero(t, time.Since(start), "K1 the lookup waited")
					}
				}
			}
			s.serve(m.good(0))
			if !m.works() {
				pass(time.Minute + 5*time.Second) // the longest backoff, and a fetch that hangs meanwhile
			} else {
				pass(time.Hour)
			}
			require.NoError(t, c.Health())
			m.mu.Lock()
			defer m.mu.Unlock()
			require.Equal(t, m.published, m.accepted)
			assert.Equal(t, len(m.published), c.Stats().Keys)
			assert.Less(t, s.fetches(), int(5*day/(10*time.Second)))
		}))
	}
}

// trickle responds with text, one byte a second.
func trickle(text string) responder {
	return func(r *http.Request) (*http.Response, error) {
		res, _ := reply(http.StatusOK, "")(r)
		res.Body = &trickleBody{text: text, done: r.Context().Done()}
		return res, nil
	}
}

type trickleBody struct {
	text string
	done <-chan struct{}
}

func (l *trickleBody) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		p[0], l.text = l.text[0], l.text[1:]
		return 1, nil
	case <-l.done:
		return 0, errors.New("too slow")
	}
}

func (l *trickleBody) Close() error { return nil }

// Close at every moment of a cache's life: while it fetches for the first time,
// waits, refreshes, backs off, fetches for an unknown kid, and in between.
func TestCloseAtEveryMoment(t *testing.T) {
	for tick := range 120 {
		t.Run(fmt.Sprintf("K12 after %d half seconds", tick), inBubble(func(t *testing.T) {
			a := newKey("a")
			s := newServer(slow(2*time.Second, publish(a)))
			c, err := jwkscache.ForURL(jwksURL, configFor(s, jwkscache.Config{Refresh: 20 * time.Second, Cooldown: 5 * time.Second}))
			require.NoError(t, err)
			for range 3 {
				go c.Ready(t.Context())
				go c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
			}
			go func() { // its life
				for _, next := range []responder{hang, fail(503), trickle(setOf(a)), slow(time.Second, publish(a))} {
					<-time.After(12 * time.Second)
					s.serve(next)
					go c.Lookup(t.Context(), jwkscache.Query{KeyID: "made-up", Algorithm: "ES256"})
					go c.Refresh(t.Context())
				}
			}()
			pass(time.Duration(tick) * time.Second / 2)
			assert.Zero(t, took(func() { require.NoError(t, c.Close()) }))
			synctest.Wait()
			fetches := s.fetches()
			pass(time.Hour)
			assert.Equal(t, fetches, s.fetches())
			got, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
			if tick < 4 { // there were no keys yet
				require.ErrorIs(t, err, jwkscache.ErrUnavailable)
				return
			}
			require.NoError(t, err)
			require.Equal(t, []crypto.PublicKey{a.public}, got)
		}))
	}
}
