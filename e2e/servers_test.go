package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A server is an authorization server that a test has started.
type server struct {
	issuer         string
	client, secret string

	// grant adds to a token request what makes this server issue a JWT for
	// these audiences.
	grant func(c *clientcredentials.Config, audiences []string)

	// keys publishes these keys, named by algorithm and number; the first
	// signs. Nil where the server cannot withdraw one.
	keys func(t *testing.T, kids ...string)

	stop func()
}

// servers are those whose own tokens are tested, with what is known of them.
var servers = []struct {
	name     string
	start    func(t *testing.T, kids ...string) *server
	rotates  bool   // has server.keys
	profile  bool   // tokens follow RFC 9068
	scope    bool   // tokens say what was granted
	clientID string // in tokens
}{
	{"oidc-provider", startOIDCProvider, true, true, true, "shop"},
	{"zitadel", startZitadel, true, false, false, "sid1"},
	{"oauth2-mock-server", startMock, false, false, true, ""},
}

func startOIDCProvider(t *testing.T, kids ...string) *server {
	t.Helper()
	p, issuer := startNode(t, "oidc-provider.mjs", kids...)
	return &server{
		issuer: issuer, client: "shop", secret: "shop-secret", stop: p.stop,
		grant: func(c *clientcredentials.Config, audiences []string) {
			resource := audiences[0]
			if len(audiences) > 1 {
				resource = "https://everything.example.com"
			}
			c.EndpointParams = url.Values{"resource": {resource}}
		},
		keys: func(t *testing.T, kids ...string) {
			t.Helper()
			p.tell(t, append([]string{"keys"}, kids...)...)
		},
	}
}

// startMock ignores kids: the server makes its own key, for RS256.
func startMock(t *testing.T, _ ...string) *server {
	t.Helper()
	p, issuer := startNode(t, "oauth2-mock-server.mjs")
	return &server{
		issuer: issuer, client: "shop", secret: "any", stop: p.stop,
		grant: func(c *clientcredentials.Config, audiences []string) {
			c.EndpointParams = url.Values{"aud": audiences}
		},
	}
}

// token gets an access token with scope orders:read, as any client does.
func (s *server) token(t *testing.T, audiences ...string) string {
	t.Helper()
	return s.tokenWith(t, func(c *clientcredentials.Config) { s.grant(c, audiences) }).AccessToken
}

func (s *server) tokenWith(t *testing.T, change func(*clientcredentials.Config)) *oauth2.Token {
	t.Helper()
	c := &clientcredentials.Config{
		ClientID: s.client, ClientSecret: s.secret, AuthStyle: oauth2.AuthStyleInHeader,
		TokenURL: s.metadata(t).TokenEndpoint, Scopes: []string{"orders:read"},
	}
	change(c)
	tok, err := c.Token(t.Context())
	require.NoError(t, err)
	return tok
}

type metadata struct {
	JWKSURI       string `json:"jwks_uri"`
	Authorization string `json:"authorization_endpoint"`
	TokenEndpoint string `json:"token_endpoint"`
}

func (s *server) metadata(t *testing.T) (m metadata) {
	t.Helper()
	res, err := http.Get(strings.TrimSuffix(s.issuer, "/") + "/.well-known/openid-configuration")
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.NoError(t, json.NewDecoder(res.Body).Decode(&m))
	return m
}

// verifier returns one for the orders API that has the server's keys, and the
// cache that it has them from.
func (s *server) verifier(t *testing.T, change func(*verifier.Config)) (*verifier.Verifier, *jwkscache.Cache) {
	t.Helper()
	keys, err := jwkscache.ForIssuer(s.issuer, jwkscache.Config{})
	require.NoError(t, err)
	return s.verifierOver(t, keys, change), keys
}

func (s *server) verifierOver(t *testing.T, keys *jwkscache.Cache, change func(*verifier.Config)) *verifier.Verifier {
	t.Helper()
	t.Cleanup(func() { require.NoError(t, keys.Close()) })
	cfg := verifier.Config{Issuer: s.issuer, Audiences: []string{ordersAPI}, Keys: keys}
	if change != nil {
		change(&cfg)
	}
	v, err := verifier.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, v.Ready(ctx))
	return v
}

// algorithm is the part of a kid that says what its key signs with.
func algorithm(kid string) string {
	alg, _, _ := strings.Cut(kid, "-")
	return alg
}
