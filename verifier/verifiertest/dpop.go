package verifiertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"math/big"
	"net/http"
	"sync"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/dpopkey"
)

// A DPoPKey is the key of a client that proves possession of it (RFC 9449). It is safe
// for concurrent use.
type DPoPKey struct{ key *dpopkey.Key }

// NewDPoPKey returns a new key for ES256.
func NewDPoPKey() *DPoPKey {
	k, err := dpopkey.New()
	if err != nil {
		panic("verifiertest: " + err.Error())
	}
	return &DPoPKey{k}
}

// Thumbprint returns the JWK thumbprint (RFC 7638), which is the member jkt of cnf in
// tokens that are bound to k.
func (k *DPoPKey) Thumbprint() string { return k.key.Thumbprint() }

// Proof returns a proof for a request with that method, with uri as its htu, and with that
// access token. Claims are added to the usual ones or replace them, as with
// [Issuer.Token]; for example, nonce has none.
func (k *DPoPKey) Proof(method, uri, token string, claims Claims) string {
	proof, err := k.key.Proof(method, uri, token, claims.dated())
	if err != nil {
		panic("verifiertest: a claim is no JSON: " + err.Error())
	}
	return proof
}

// Sign returns a JWS of exactly these texts, for malformed proofs.
func (k *DPoPKey) Sign(header, payload string) string {
	raw, err := k.key.Sign(header, payload)
	if err != nil {
		panic("verifiertest: " + err.Error())
	}
	return raw
}

// Authorize sets the fields of r for the token: Authorization, with the scheme DPoP, and
// DPoP, with a new proof for r's method and URL. The URL is absolute, as in
// httptest.NewRequest("GET", "https://api.example.com/orders", nil).
func (k *DPoPKey) Authorize(r *http.Request, token string) { k.authorize(r, token, nil) }

func (k *DPoPKey) authorize(r *http.Request, token string, more Claims) {
	r.Header.Set("Authorization", "DPoP "+token)
	r.Header.Set("DPoP", k.Proof(r.Method, dpopkey.Target(r.URL), token, more))
}

// Client returns a copy of base that sends the token and a new proof with every request.
// It uses the nonces that the API gives, and repeats a request that was refused for the
// lack of one (RFC 9449 §9). A proof names the URL of its request, which must be of one of
// the API's Origins. The Client of an httptest.NewTLSServer connects to that server for
// https://api.example.com, too.
func (k *DPoPKey) Client(token string, base *http.Client) *http.Client {
	c := *base
	next := base.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	c.Transport = &dpopTransport{key: k, token: token, next: next}
	return &c
}

type dpopTransport struct {
	key   *DPoPKey
	token string
	next  http.RoundTripper

	mu    sync.Mutex
	nonce string
}

func (t *dpopTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	var body func() (io.ReadCloser, error)
	if r.Body != nil {
		if body = r.GetBody; body == nil {
			return nil, errors.New("verifiertest: a request whose body cannot be read twice")
		}
	}
	used, res, err := t.send(r, body)
	if err != nil || res.StatusCode != http.StatusUnauthorized || used == t.current() {
		return res, err
	}
	_ = res.Body.Close()
	_, res, err = t.send(r, body)
	return res, err
}

// send returns the nonce that it used.
func (t *dpopTransport) send(r *http.Request, body func() (io.ReadCloser, error)) (nonce string, _ *http.Response, err error) {
	clone := r.Clone(r.Context())
	if body != nil {
		if clone.Body, err = body(); err != nil {
			return "", nil, err
		}
	}
	var more Claims
	if nonce = t.current(); nonce != "" {
		more = Claims{"nonce": nonce}
	}
	t.key.authorize(clone, t.token, more)
	res, err := t.next.RoundTrip(clone)
	if err == nil {
		if given := res.Header.Get("DPoP-Nonce"); given != "" {
			t.mu.Lock()
			t.nonce = given
			t.mu.Unlock()
		}
	}
	return nonce, res, err
}

func (t *dpopTransport) current() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.nonce
}

// DPoPToken is [Issuer.Token] with a token that is bound to a key (RFC 9449 §6.1).
func (i *Issuer) DPoPToken(k *DPoPKey, claims Claims) string {
	i.tb.Helper()
	return i.Token(bound(claims, "jkt", k.Thumbprint()))
}

// CertificateToken is [Issuer.Token] with a token that is bound to a client certificate
// (RFC 8705 §3.1).
func (i *Issuer) CertificateToken(cert tls.Certificate, claims Claims) string {
	i.tb.Helper()
	sum := sha256.Sum256(cert.Certificate[0])
	return i.Token(bound(claims, "x5t#S256", base64.RawURLEncoding.EncodeToString(sum[:])))
}

// bound returns claims with a member of cnf, beside those that are there.
func bound(claims Claims, member, key string) Claims {
	all, cnf := Claims{}, map[string]any{}
	maps.Copy(all, claims)
	if given, ok := claims["cnf"].(map[string]any); ok {
		maps.Copy(cnf, given)
	}
	cnf[member] = key
	all["cnf"] = cnf
	return all
}

// NewCertificate returns a certificate for a client, which it has signed itself (RFC 8705
// §2.2). A server that is to see it sets tls.Config.ClientAuth to tls.RequestClientCert.
func NewCertificate() tls.Certificate {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("verifiertest: " + err.Error())
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "client"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		panic("verifiertest: " + err.Error())
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: k}
}
