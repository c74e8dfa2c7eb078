package migrate

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

const audience = "https://api.example.com"

// An api is a protected route, and how to stop what stands before it.
type api struct {
	handler http.Handler
	stop    func() error
}

// A build protects a's route.
type build func(a *api, issuer, jwksURL string) error

// answers are the statuses of one route.
type answers struct {
	noToken, good, withoutExp, expired30sAgo, otherAudience, logoutToken int
}

// ours is what jwtguard answers in every framework.
var ours = answers{
	noToken: 401, good: 200, withoutExp: 401, expired30sAgo: 200, otherAudience: 401, logoutToken: 401,
}

func newIssuer(t *testing.T) *verifiertest.Issuer {
	iss := verifiertest.NewIssuer(t)
	iss.RotateTo("RS256")
	iss.Config(audience) // the default aud of its tokens
	return iss
}

func start(t *testing.T, b build, iss *verifiertest.Issuer) http.Handler {
	t.Helper()
	var a api
	require.NoError(t, b(&a, iss.URL(), jwksURL(t, iss)))
	if a.stop != nil {
		t.Cleanup(func() { _ = a.stop() })
	}
	return a.handler
}

// jwksURL reads the metadata in memory, also while the issuer is down.
func jwksURL(t *testing.T, iss *verifiertest.Issuer) string {
	t.Helper()
	up := verifiertest.NewIssuer(t)
	resp, err := up.HTTPClient().Get(up.URL() + "/.well-known/openid-configuration")
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	var metadata struct {
		URL string `json:"jwks_uri"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&metadata))
	require.Contains(t, metadata.URL, up.URL())
	return iss.URL() + metadata.URL[len(up.URL()):]
}

func ask(h http.Handler, token string) *httptest.ResponseRecorder {
	return askWithin(context.Background(), h, token)
}

func askWithin(ctx context.Context, h http.Handler, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/orders", nil).WithContext(ctx)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// asked sends the same tokens to a route as to every other.
func asked(t *testing.T, b build) answers {
	t.Helper()
	iss := newIssuer(t)
	h := start(t, b, iss)
	good := ask(h, iss.Token(verifiertest.Claims{"client_id": "billing"}))
	assert.Contains(t, good.Body.String(), "billing")
	return answers{
		noToken:       ask(h, "").Code,
		good:          good.Code,
		withoutExp:    ask(h, iss.Token(verifiertest.Claims{"exp": nil})).Code,
		expired30sAgo: ask(h, iss.Token(verifiertest.Claims{"exp": time.Now().Add(-30 * time.Second).Unix()})).Code,
		otherAudience: ask(h, iss.Token(verifiertest.Claims{"aud": "https://other.example.com"})).Code,
		logoutToken:   ask(h, signed(iss, "logout+jwt", "")).Code,
	}
}

// signed is a token with a typ and a kid of its own.
func signed(iss *verifiertest.Issuer, typ, kid string) string {
	own, alg := iss.Key()
	if kid == "" {
		kid = own
	}
	now := time.Now().Unix()
	return iss.Sign(
		fmt.Sprintf(`{"alg":%q,"typ":%q,"kid":%q}`, alg, typ, kid),
		fmt.Sprintf(`{"iss":%q,"aud":%q,"sub":"billing","client_id":"billing","iat":%d,"exp":%d}`,
			iss.URL(), audience, now, now+3600))
}

// startedInOutage is the answer to a good token of an API that started while the
// issuer was down.
func startedInOutage(t *testing.T, b build) *httptest.ResponseRecorder {
	t.Helper()
	iss := newIssuer(t)
	iss.Fail(http.StatusServiceUnavailable)
	return ask(start(t, b, iss), iss.Token(nil))
}

// rotated is the answer to a token of a key that is new, after one token with a
// kid that nobody has.
func rotated(t *testing.T, b build) int {
	t.Helper()
	iss := newIssuer(t)
	h := start(t, b, iss)
	require.Equal(t, 200, ask(h, iss.Token(nil)).Code)
	require.Equal(t, 401, ask(h, signed(iss, "JWT", "made up")).Code)
	iss.Rotate()
	return ask(h, iss.Token(nil)).Code
}

// fetches is how often keys are fetched for 20 tokens with made-up kids, one
// after the other, whose senders give up after a second in all.
func fetches(t *testing.T, b build) int {
	t.Helper()
	iss := newIssuer(t)
	h := start(t, b, iss)
	require.Equal(t, 200, ask(h, iss.Token(nil)).Code)
	before := iss.Fetches()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for i := range 20 {
		assert.NotEqual(t, 200, askWithin(ctx, h, signed(iss, "JWT", fmt.Sprint("made up ", i))).Code)
	}
	return iss.Fetches() - before
}

// oursHolds checks what the page says of every route behind jwtguard.
func oursHolds(t *testing.T, after build) {
	t.Helper()
	assert.Equal(t, ours, asked(t, after))
	down := startedInOutage(t, after)
	assert.Equal(t, 503, down.Code)
	assert.NotEmpty(t, down.Header().Get("Retry-After"))
	assert.Empty(t, down.Header().Get("WWW-Authenticate"))
	assert.Equal(t, 200, rotated(t, after))
	assert.LessOrEqual(t, fetches(t, after), 5)
}
