package verifiertest

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const (
	defaultAudience = "https://api.example.com"
	defaultClient   = "test-client"

	// ClientSecret is the secret of the client test-client, which may ask an
	// Issuer's token endpoint for any audience and scope.
	ClientSecret = "test-secret"
)

// An Issuer is an authorization server: metadata, a JWK Set and a token
// endpoint at /oauth/token, on loopback. It is safe for concurrent use.
type Issuer struct {
	tb     testing.TB
	server *authserver.Server
	memory bool

	mu       sync.Mutex
	audience string // of the first Config; the default aud of tokens
}

// NewIssuer starts an Issuer, which stops when the test ends. It signs with ES256; see
// [Issuer.RotateTo].
func NewIssuer(tb testing.TB) *Issuer {
	tb.Helper()
	i := &Issuer{tb: tb, memory: inBubble()}
	var address string
	var listener net.Listener
	if i.memory {
		address = memoryAddress(tb)
	} else {
		var err error
		if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			tb.Fatalf("verifiertest: %v", err)
		}
		address = "http://" + listener.Addr().String()
	}
	server, err := authserver.New(address, "ES256", authserver.Client{
		ID: defaultClient, Secret: ClientSecret, Audiences: []string{defaultAudience}, Unlimited: true,
	})
	if err != nil {
		tb.Fatalf("verifiertest: %v", err)
	}
	i.server = server
	if listener != nil {
		s := httptest.NewUnstartedServer(server)
		_ = s.Listener.Close()
		s.Listener = listener
		s.Start()
		tb.Cleanup(func() {
			server.Heal()
			s.Close()
		})
	}
	return i
}

// memoryIssuers counts the issuers in memory of each test.
var memoryIssuers = struct {
	sync.Mutex
	of map[string]int // by the test's name
}{of: make(map[string]int)}

// memoryAddress returns an identifier that is unique within the test:
// https://issuer.test, https://issuer-2.test and so on.
func memoryAddress(tb testing.TB) string {
	m, name := &memoryIssuers, tb.Name()
	m.Lock()
	defer m.Unlock()
	m.of[name]++
	n := m.of[name]
	if n > 1 {
		return fmt.Sprintf("https://issuer-%d.test", n)
	}
	tb.Cleanup(func() {
		m.Lock()
		defer m.Unlock()
		delete(m.of, name)
	})
	return "https://issuer.test"
}

// inBubble reports whether the caller runs in a testing/synctest bubble, where a
// goroutine that waits on a socket would stop the clock. Only a traceback shows that.
func inBubble() bool {
	stack := make([]byte, 256)
	line, _, _ := bytes.Cut(stack[:runtime.Stack(stack, false)], []byte("\n"))
	return bytes.Contains(line, []byte("synctest bubble"))
}

// URL returns the issuer's identifier. Outside a synctest bubble it is also its
// address; in one it is https://issuer.test, and https://issuer-2.test for the
// second issuer of the same test.
func (i *Issuer) URL() string { return i.server.Issuer() }

// Verifier returns a verifier for this issuer and these audiences. It is closed when the
// test ends.
func (i *Issuer) Verifier(audience string, more ...string) *verifier.Verifier {
	i.tb.Helper()
	v, err := verifier.New(i.Config(audience, more...))
	if err != nil {
		i.tb.Fatalf("verifiertest: %v", err)
	}
	i.tb.Cleanup(func() { _ = v.Close() })
	return v
}

// Config returns the configuration of [Issuer.Verifier], to change before
// verifier.New. The first audience of the first call is the default aud of
// [Issuer.Token].
func (i *Issuer) Config(audience string, more ...string) verifier.Config {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.audience == "" {
		i.audience = audience
	}
	cfg := verifier.Config{Issuer: i.URL(), Audiences: append([]string{audience}, more...)}
	if i.memory {
		cfg.JWKS.HTTPClient = i.HTTPClient()
	}
	return cfg
}

// StandIn returns a copy of cfg, the configuration of another issuer, with the
// identifier and the keys of this one. Audiences, rules, claims and all else are those
// of cfg, so that a test shows what your production configuration refuses. An Issuer
// rule must name [Issuer.URL] then: give your routes the issuer as an argument. If cfg
// does not allow the algorithm of this issuer, it rotates to the first that cfg allows.
// Where cfg reads the client id from another claim, give that claim to Token. The first
// audience of the first call of StandIn or [Issuer.Config] is the default aud of
// [Issuer.Token].
func (i *Issuer) StandIn(cfg verifier.Config) verifier.Config {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.audience == "" && len(cfg.Audiences) > 0 {
		i.audience = cfg.Audiences[0]
	}
	if cfg.SharedSecrets != nil { // with which HMAC is all that is allowed
		cfg.SharedSecrets, cfg.Algorithms = nil, nil
	}
	if _, alg := i.server.Key(); len(cfg.Algorithms) > 0 && !slices.Contains(cfg.Algorithms, alg) {
		i.tb.Helper()
		if err := i.server.Rotate(cfg.Algorithms[0]); err != nil {
			i.tb.Fatalf("verifiertest: %v", err)
		}
	}
	cfg.Issuer, cfg.Keys = i.URL(), nil
	cfg.JWKS.MetadataURL, cfg.JWKS.HTTPClient = "", nil
	if i.memory {
		cfg.JWKS.HTTPClient = i.HTTPClient()
	}
	return cfg
}

// HTTPClient returns a client that sends every request to this issuer, in memory.
func (i *Issuer) HTTPClient() *http.Client { return &http.Client{Transport: inMemory{i.server}} }

// Rotate makes a new key the current one, which signs. The previous key stays published,
// so that its tokens stay valid; older keys are withdrawn.
func (i *Issuer) Rotate() { i.RotateTo("") }

// RotateTo is [Issuer.Rotate] with a key for alg: RS256, RS384, RS512, PS256, PS384,
// PS512, ES256, ES384, ES512, EdDSA or Ed25519.
func (i *Issuer) RotateTo(alg string) {
	i.tb.Helper()
	if err := i.server.Rotate(alg); err != nil {
		i.tb.Fatalf("verifiertest: %v", err)
	}
}

// Withdraw withdraws all keys but the current one.
func (i *Issuer) Withdraw() { i.server.Withdraw() }

// Fail makes every response an error with this status, until [Issuer.Heal].
func (i *Issuer) Fail(status int) { i.server.Fail(status) }

// Hang makes every request wait, until [Issuer.Heal] or until its client gives
// up.
func (i *Issuer) Hang() { i.server.Hang() }

// Heal ends [Issuer.Fail] and [Issuer.Hang].
func (i *Issuer) Heal() { i.server.Heal() }

// Fetches returns the number of requests for the keys, whatever the response.
func (i *Issuer) Fetches() int { return i.server.Fetches() }

// inMemory is a transport that calls the handler. A request that hangs ends
// with its context.
type inMemory struct{ handler http.Handler }

func (t inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	t.handler.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	res := w.Result()
	res.Request = r
	return res, nil
}
