package redis

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// An api is one of three replicas, on a socket of its own.
type api struct {
	url         string
	revocations *redisstore.Revocations
}

func newAPI(t *testing.T, iss *verifiertest.Issuer, address string) api {
	t.Helper()
	client := clientOf(t, address)
	list, err := revocation.New(revocation.Config{MaxLifetime: time.Hour})
	require.NoError(t, err)
	revocations, err := redisstore.NewRevocations(client, list, redisstore.RevocationConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = revocations.Close() })
	require.NoError(t, revocations.Ready(t.Context()))
	cfg := iss.Config("https://api.example.com")
	cfg.MaxLifetime = time.Hour
	v, err := verifier.Settings{Revocation: revocations}.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = v.Close() })
	require.NoError(t, v.Ready(t.Context()))
	server := httptest.NewServer(httpauth.Protect(v)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	t.Cleanup(server.Close)
	return api{server.URL, revocations}
}

// A load sends requests to the three APIs, with the same token to each.
type load struct {
	token    atomic.Pointer[string]
	admitted atomic.Int64 // when the last 200 was received, in nanoseconds of Unix time
	refused  atomic.Int64 // responses with 401 since the token was set
	sent     atomic.Int64
}

// run sends perSecond requests a second to url until ctx is done.
func (l *load) run(ctx context.Context, t *testing.T, url string, perSecond int) {
	const senders = 4
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			tick := time.NewTicker(time.Second * senders / time.Duration(perSecond))
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				token := l.token.Load()
				r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
				if err != nil {
					assert.NoError(t, err)
					return
				}
				r.Header.Set("Authorization", "Bearer "+*token)
				res, err := client.Do(r)
				if err != nil {
					continue // ctx is done
				}
				_ = res.Body.Close()
				l.sent.Add(1)
				switch now := l.token.Load() == token; {
				case res.StatusCode == http.StatusOK && now:
					l.admitted.Store(time.Now().UnixNano())
				case res.StatusCode == http.StatusUnauthorized && now:
					l.refused.Add(1)
				case now:
					assert.Equal(t, http.StatusOK, res.StatusCode)
				}
			}
		})
	}
	all.Wait()
}

// From the moment at which one replica revokes a token, the others admit it for a moment.
func TestRevocationDelay(t *testing.T) {
	const perSecond, rounds = 1000, 30
	address := startServer(t).address
	iss := verifiertest.NewIssuer(t)
	var apis []api
	for range 3 {
		apis = append(apis, newAPI(t, iss, address))
	}
	token := func(n int) *string {
		raw := iss.Token(verifiertest.Claims{"jti": fmt.Sprint("token ", n)})
		return &raw
	}
	var l load
	l.token.Store(token(0))
	ctx, cancel := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	defer sending.Wait()
	defer cancel()
	for _, a := range apis {
		sending.Go(func() { l.run(ctx, t, a.url, perSecond) })
	}
	began := time.Now()
	var delays []time.Duration
	for n := range rounds {
		l.token.Store(token(n))
		l.refused.Store(0)
		seen := l.sent.Load()
		require.Eventually(t, func() bool { return l.sent.Load() > seen+300 }, 10*time.Second, time.Millisecond)
		require.Zero(t, l.refused.Load(), "D10 it is not revoked yet")
		revoked := time.Now()
		require.NoError(t, apis[n%len(apis)].revocations.Revoke(ctx, revocation.Entry{Issuer: iss.URL(), TokenID: fmt.Sprint("token ", n)}))
		require.Eventually(t, func() bool { return l.refused.Load() > 1000 }, 10*time.Second, time.Millisecond)
		last := time.Unix(0, l.admitted.Load()).Sub(revoked)
		assert.LessOrEqual(t, last, time.Second, "D10 the last 200")
		delays = append(delays, max(last, 0))
	}
	slices.SortFunc(delays, cmp.Compare[time.Duration])
	t.Logf("%d revocations over three replicas, %.0f requests a second in all: the last 200 came after %s (median), %s (slowest)",
		rounds, float64(l.sent.Load())/time.Since(began).Seconds(), delays[rounds/2], delays[rounds-1])
}
