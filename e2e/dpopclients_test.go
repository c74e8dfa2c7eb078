package e2e

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A boundClient is a client with a key for DPoP: npm oauth4webapi or npm dpop.
type boundClient struct {
	process         *process
	readsChallenges bool
	key             string // its algorithm and number; "" for none
	certificate     string // its name; "" for none
}

// dpopClients are those that others wrote, with the algorithms of their proofs.
var dpopClients = map[string][]string{
	"oauth4webapi.mjs": {"ES256", "ES384", "ES512", "Ed25519", "RS256", "PS256"},
	"dpop.mjs":         {"ES256", "Ed25519", "RS256", "PS256"},
}

// startClient starts one with the key ES256-1.
func startClient(t *testing.T, script string) boundClient {
	t.Helper()
	p, _ := startNode(t, script)
	return boundClient{process: p, readsChallenges: script == "oauth4webapi.mjs", key: "ES256-1"}
}

// with returns the same client with another key.
func (c boundClient) with(key string) boundClient {
	c.key = key
	return c
}

// A reply is what a client says about a token, a call or a proof.
type reply struct {
	Token, Type, JKT string

	Status     int
	Body       string
	Challenges []challenge
	Nonce      string // of the response
	Sent       struct{ Authorization, DPoP string }
	ALPN       string
	Reused     bool
	Proof      string

	Tries int
	Error string
}

// A challenge as oauth4webapi reads it.
type challenge struct {
	Scheme     string
	Parameters map[string]string
}

type order map[string]any

func (c boundClient) do(t *testing.T, kind string, o order) (r reply) {
	t.Helper()
	line, err := json.Marshal(map[string]any{"key": c.key, "certificate": c.certificate, kind: o})
	require.NoError(t, err)
	_, err = c.process.stdin.Write(append(line, '\n'))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(c.process.await(t, "answer ")), &r))
	require.Empty(t, r.Error)
	return r
}

// grant gets a token for the orders API, of an issuer's client with a secret or, without
// one, with its certificate.
func (c boundClient) grant(t *testing.T, issuer, id, secret string) reply {
	t.Helper()
	return c.do(t, "grant", order{"issuer": issuer, "client": id, "secret": secret, "resource": ordersAPI})
}

func (c boundClient) get(t *testing.T, url, token string) reply {
	t.Helper()
	return c.do(t, "call", order{"url": url, "method": http.MethodGet, "token": token})
}

// confirmation returns cnf of a token.
func confirmation(t *testing.T, token string) map[string]string {
	t.Helper()
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var claims struct{ Cnf map[string]string }
	require.NoError(t, json.Unmarshal(text, &claims))
	return claims.Cnf
}

// boundVerifier returns one for the orders API, which confirms tokens by bindings.
func boundVerifier(t *testing.T, issuer string, keys jwkscache.Config, bindings ...verifier.Binding) *verifier.Verifier {
	t.Helper()
	v, err := verifier.Settings{Bindings: bindings}.New(verifier.Config{Issuer: issuer, Audiences: []string{ordersAPI}, JWKS: keys})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	return v
}

// resend sends a request again, with the fields that a client has sent, to the URL of a
// server with another copy of its API, or to the same.
func resend(t *testing.T, client *http.Client, url, authorization, proof string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", authorization)
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	res, err := client.Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res
}

// listen returns a server that listens and does not serve yet, so that its address can be
// among the Origins of its API.
func listen(t *testing.T) (srv *httptest.Server, origin string) {
	t.Helper()
	srv = httptest.NewUnstartedServer(nil)
	t.Cleanup(srv.Close)
	return srv, "http://" + srv.Listener.Addr().String()
}

func serve(srv *httptest.Server, h http.Handler) {
	srv.Config.Handler = h
	srv.Start()
}
