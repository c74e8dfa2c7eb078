package e2e

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/mtls"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A secureScene is npm oidc-provider over TLS, with a client machine that authenticates
// with a certificate.
type secureScene struct {
	server
	certificate  *httptest.Server // whose certificate every server here has
	own, another tls.Certificate  // that of machine, and one that nobody knows
	caPEM        string
}

func startSecureScene(t *testing.T) *secureScene {
	t.Helper()
	s := &secureScene{certificate: httptest.NewTLSServer(nil), own: verifiertest.NewCertificate(), another: verifiertest.NewCertificate()}
	t.Cleanup(s.certificate.Close)
	cert, key := pemOf(t, s.certificate.TLS.Certificates[0])
	s.caPEM = cert
	own, _ := pemOf(t, s.own)
	settings, err := json.Marshal(map[string]any{"key": key, "cert": cert, "clients": map[string]string{"machine": own}})
	require.NoError(t, err)
	t.Setenv("TLS", string(settings))
	s.server = *startOIDCProvider(t, "ES256-1")
	return s
}

// pemOf returns a certificate and its key in PEM.
func pemOf(t *testing.T, c tls.Certificate) (cert, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// clients starts npm oauth4webapi and returns it with each certificate and with none, and
// without a key for DPoP.
func (s *secureScene) clients(t *testing.T) (own, another, none boundClient) {
	t.Helper()
	certificates := map[string]map[string]string{}
	for name, c := range map[string]tls.Certificate{"own": s.own, "another": s.another} {
		cert, key := pemOf(t, c)
		certificates[name] = map[string]string{"cert": cert, "key": key}
	}
	arg, err := json.Marshal(map[string]any{"ca": s.caPEM, "certificates": certificates})
	require.NoError(t, err)
	p, _ := startNode(t, "oauth4webapi.mjs", string(arg))
	none = boundClient{process: p, readsChallenges: true}
	own, another = none, none
	own.certificate, another.certificate = "own", "another"
	return own, another, none
}

// listen is like the function of that name, for TLS with HTTP/1.1 and HTTP/2.
func (s *secureScene) listen(t *testing.T) (srv *httptest.Server, origin string) {
	t.Helper()
	srv, _ = listen(t)
	srv.EnableHTTP2 = true
	srv.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, NextProtos: []string{"h2", "http/1.1"}}
	return srv, "https://" + srv.Listener.Addr().String()
}

func (s *secureScene) verifier(t *testing.T, bindings ...verifier.Binding) *verifier.Verifier {
	t.Helper()
	return boundVerifier(t, s.issuer, jwkscache.Config{HTTPClient: s.certificate.Client()}, bindings...)
}

func thumbprintOf(c tls.Certificate) string {
	sum := sha256.Sum256(c.Certificate[0])
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// A client gets a token that is bound to its certificate, and calls four APIs.
func TestMutualTLS(t *testing.T) {
	s := startSecureScene(t)
	certificates, err := mtls.New(mtls.Config{})
	require.NoError(t, err)
	v := s.verifier(t, certificates)
	own, another, none := s.clients(t)
	given := own.grant(t, s.issuer, "machine", "")
	assert.Equal(t, "bearer", given.Type)
	require.Equal(t, map[string]string{"x5t#S256": thumbprintOf(s.own)}, confirmation(t, given.Token))
	unbound := none.grant(t, s.issuer, s.server.client, s.secret).Token

	for _, f := range frameworks {
		srv, origin := s.listen(t)
		srv.Config.Handler = f.protect(v, []verifier.Rule{verifier.Bound()})
		srv.StartTLS()
		for _, row := range []struct {
			name    string
			http    int
			version string
			alpn    string
		}{
			{"HTTP/1.1, TLS 1.2", 1, "TLSv1.2", "http/1.1"},
			{"HTTP/1.1, TLS 1.3", 1, "TLSv1.3", "http/1.1"},
			{"HTTP/2, TLS 1.2", 2, "TLSv1.2", "h2"},
			{"HTTP/2, TLS 1.3", 2, "TLSv1.3", "h2"},
		} {
			t.Run(f.name+" "+row.name, func(t *testing.T) {
				get := func(c boundClient, token string) reply {
					got := c.do(t, "call", order{"url": origin + "/", "method": http.MethodGet, "token": token, "http": row.http, "version": row.version})
					assert.Equal(t, row.alpn, got.ALPN)
					return got
				}
				for _, resumed := range []bool{false, true} {
					name := "a new session"
					if resumed {
						name = "a resumed session"
					}
					t.Run("B9 "+name, func(t *testing.T) {
						got := get(own, given.Token)
						assert.Equal(t, http.StatusOK, got.Status, got.Body)
						assert.Equal(t, "machine", got.Body)
						assert.Equal(t, resumed, got.Reused)
						for _, thief := range []boundClient{another, none} {
							got := get(thief, given.Token)
							assert.Equal(t, http.StatusUnauthorized, got.Status, got.Body)
							assert.Equal(t, resumed, got.Reused)
							require.Len(t, got.Challenges, 1)
							assert.Equal(t, "bearer", got.Challenges[0].Scheme)
							assert.Equal(t, "invalid_token", got.Challenges[0].Parameters["error"])
						}
						assert.Equal(t, http.StatusUnauthorized, get(own, unbound).Status, "B3 a token that is not bound")
					})
				}
			})
		}
	}
}

// A token that is bound to a key and to a certificate needs both.
func TestBoundTwice(t *testing.T) {
	s := startSecureScene(t)
	srv, origin := s.listen(t)
	certificates, err := mtls.New(mtls.Config{})
	require.NoError(t, err)
	proofs, err := dpop.New(dpop.Config{Origins: []string{origin}, NonceSecrets: [][]byte{make([]byte, 32)}})
	require.NoError(t, err)
	srv.Config.Handler = frameworks[0].protect(s.verifier(t, certificates, proofs), []verifier.Rule{verifier.Bound()})
	srv.StartTLS()

	own, another, none := s.clients(t)
	given := own.with("ES256-1").grant(t, s.issuer, s.server.client, s.secret)
	require.Equal(t, map[string]string{"jkt": given.JKT, "x5t#S256": thumbprintOf(s.own)}, confirmation(t, given.Token))
	sent := own.with("ES256-1").get(t, origin, given.Token)
	require.Equal(t, http.StatusOK, sent.Status, sent.Body)
	assert.Equal(t, 2, sent.Tries)

	for name, c := range map[string]boundClient{
		"B1 another certificate": another.with("ES256-1"),
		"B1 no certificate":      none.with("ES256-1"),
		"B1 another key":         own.with("ES256-2"),
		"B3 no key":              own,
		"B1 neither":             none,
	} {
		t.Run(name, func(t *testing.T) {
			got := c.get(t, origin, given.Token)
			assert.Equal(t, http.StatusUnauthorized, got.Status)
			require.Len(t, got.Challenges, 2)
			assert.Equal(t, "bearer", got.Challenges[0].Scheme)
			assert.Equal(t, "dpop", got.Challenges[1].Scheme)
		})
	}
	t.Run("B4 the same request again", func(t *testing.T) {
		transport := srv.Client().Transport.(*http.Transport).Clone()
		transport.TLSClientConfig.Certificates = []tls.Certificate{s.own}
		defer transport.CloseIdleConnections()
		res := resend(t, &http.Client{Transport: transport}, origin, sent.Sent.Authorization, sent.Sent.DPoP)
		assert.Equal(t, http.StatusUnauthorized, res.StatusCode)
	})
	assert.Equal(t, http.StatusOK, own.with("ES256-1").get(t, origin, given.Token).Status)

	// Either of the two bindings alone.
	only := own.grant(t, s.issuer, "machine", "")
	assert.Equal(t, http.StatusOK, own.get(t, origin, only.Token).Status, "of the certificate alone, as Bearer")
	assert.Equal(t, http.StatusUnauthorized, own.with("ES256-1").get(t, origin, only.Token).Status, "B3 and as DPoP")
	key := none.with("ES256-1").grant(t, s.issuer, s.server.client, s.secret)
	assert.Equal(t, http.StatusOK, none.with("ES256-1").get(t, origin, key.Token).Status, "of the key alone")
}
