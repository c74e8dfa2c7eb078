package migrate

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func goOIDCBefore(a *api, issuer, _ string) error {
	provider, err := oidc.NewProvider(context.Background(), issuer)
	if err != nil {
		return err
	}
	check := provider.Verifier(&oidc.Config{ClientID: audience})
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		tok, err := check.Verify(r.Context(), raw)
		if err != nil {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		fmt.Fprintln(w, tok.Subject)
	})

	a.handler = orders
	return nil
}

func goOIDCAfter(a *api, issuer, _ string) error {
	v, err := verifier.New(verifier.Config{Issuer: issuer, Audiences: []string{audience}})
	if err != nil {
		return err
	}
	orders := httpauth.Protect(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tok, _ := httpauth.Token(r)
		fmt.Fprintln(w, tok.Subject())
	}))

	a.handler, a.stop = orders, v.Close
	return nil
}

func TestFromGoOIDC(t *testing.T) {
	assert.Equal(t, answers{
		noToken: 401, good: 200, withoutExp: 401, expired30sAgo: 401, otherAudience: 401, logoutToken: 200,
	}, asked(t, goOIDCBefore))
	assert.GreaterOrEqual(t, fetches(t, goOIDCBefore), 10) // of 20; some join a fetch that has just ended

	iss := newIssuer(t)
	h := start(t, goOIDCBefore, iss)
	iss.Fail(http.StatusServiceUnavailable)
	assert.Equal(t, 401, ask(h, iss.Token(nil)).Code)
	require.Error(t, goOIDCBefore(new(api), iss.URL(), ""))

	oursHolds(t, goOIDCAfter)
}

// A withdrawn key stays good behind go-oidc; here it goes with a refresh.
func TestWithdrawnKey(t *testing.T) {
	iss := newIssuer(t)
	before := start(t, goOIDCBefore, iss)
	old := iss.Token(nil)
	require.Equal(t, 200, ask(before, old).Code)
	iss.Rotate()
	iss.Withdraw()
	assert.Equal(t, 200, ask(before, old).Code)

	cache, err := jwkscache.ForIssuer(iss.URL(), jwkscache.Config{})
	require.NoError(t, err)
	defer func() { _ = cache.Close() }()
	v, err := verifier.New(verifier.Config{Issuer: iss.URL(), Audiences: []string{audience}, Keys: cache})
	require.NoError(t, err)
	defer func() { _ = v.Close() }()
	after := httpauth.Protect(v)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	old = iss.Token(nil)
	require.Equal(t, 200, ask(after, old).Code)
	iss.Rotate()
	iss.Withdraw()
	require.NoError(t, cache.Refresh(t.Context()))
	assert.Equal(t, 401, ask(after, old).Code)
	assert.Equal(t, 200, ask(after, iss.Token(nil)).Code)
}
