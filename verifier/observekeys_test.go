package verifier_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A keyListener keeps the events that it receives.
type keyListener struct {
	mu   sync.Mutex
	seen []string
}

func (l *keyListener) observe(e jwkscache.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = append(l.seen, string(e.Kind)+" "+e.Source)
}

func (l *keyListener) heard() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.seen = nil }()
	return l.seen
}

// ObserveKeys hears of the key caches that New makes, unless their Config has an
// observer of its own.
func TestObserveKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := verifiertest.NewIssuer(t), verifiertest.NewIssuer(t)
		all, own := new(keyListener), new(keyListener)
		theirs := b.Config(api)
		theirs.JWKS.Observe = own.observe
		v := newVerifierWith(t, verifier.Settings{ObserveKeys: all.observe}, a.Config(api), theirs)
		require.NoError(t, v.Ready(ctx))
		synctest.Wait()
		assert.Equal(t, []string{"refreshed " + a.URL()}, all.heard(), "O6")
		assert.Equal(t, []string{"refreshed " + b.URL()}, own.heard(), "O6")
		a.Rotate()
		a.Withdraw()
		verified(t, v, a.Token(verifiertest.Claims{"aud": api}))
		synctest.Wait()
		assert.Equal(t, []string{"refreshed " + a.URL(), "rotated " + a.URL()}, all.heard(), "O6")
		assert.Empty(t, own.heard())
	})
}

// Those of tenants count as well. An observer in their Config, which cannot be compared,
// does not make a tenant a new one each minute.
func TestObserveKeysOfTenants(t *testing.T) {
	for _, own := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a := verifiertest.NewIssuer(t)
			all, theirs := new(keyListener), new(keyListener)
			client := a.HTTPClient()
			v := newVerifierWith(t, verifier.Settings{ObserveKeys: all.observe, TokenCache: 10, Tenants: func(iss string) (verifier.Config, bool) {
				cfg := verifier.Config{Issuer: iss, Audiences: []string{api}, JWKS: jwkscache.Config{HTTPClient: client, AllowHTTP: true}}
				if own {
					cfg.JWKS.Observe = theirs.observe
				}
				return cfg, iss == a.URL()
			}})
			raw := a.Token(verifiertest.Claims{"aud": api})
			verified(t, v, raw)
			synctest.Wait()
			heard := map[bool]*keyListener{false: all, true: theirs}[own]
			assert.Equal(t, []string{"refreshed " + a.URL()}, heard.heard(), "O6")
			<-time.After(2 * time.Minute)
			verified(t, v, raw) // asks Tenants again, who say the same
			verified(t, v, raw)
			before := v.Issuers()[0].Keys.Fetches
			first := verified(t, v, raw)
			<-time.After(2 * time.Minute)
			verified(t, v, a.Token(verifiertest.Claims{"aud": api})) // asks again
			assert.Same(t, first, verified(t, v, raw), "T1 O6 it is remembered on: nothing has changed")
			assert.Equal(t, before, v.Issuers()[0].Keys.Fetches)
		})
	}
}
