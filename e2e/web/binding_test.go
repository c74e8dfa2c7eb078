package web

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/mtls"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// An ending is an nginx that ends the TLS connections of an API's clients.
type ending struct {
	iss    *verifiertest.Issuer
	public string // its address, an https origin
	direct string // that of the API, which clients should not know
	roots  *x509.CertPool
}

var onlyNginx = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}

// endTLS starts nginx with these locations, in which API is the API's address. Bindings
// are made for nginx's own.
func endTLS(t *testing.T, locations string, bindings func(origin string) (verifier.Binding, error)) *ending {
	t.Helper()
	address := freeAddress(t)
	e := &ending{iss: verifiertest.NewIssuer(t), public: "https://" + address, roots: x509.NewCertPool()}
	binding, err := bindings(e.public)
	require.NoError(t, err)
	v, err := verifier.Settings{Bindings: []verifier.Binding{binding}}.New(e.iss.Config(audience))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	api := httptest.NewServer(httpauth.Protect(v, verifier.Bound())(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.RequestURI)
	})))
	t.Cleanup(api.Close)
	e.direct = api.URL

	tlsServer := httptest.NewTLSServer(nil)
	defer tlsServer.Close()
	e.roots.AddCert(tlsServer.Certificate())
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(tlsServer.TLS.Certificates[0].PrivateKey)
	require.NoError(t, err)
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return path
	}
	runNginx(t, address, fmt.Sprintf(`server {
	listen %s ssl http2;
	ssl_certificate %s;
	ssl_certificate_key %s;
	ssl_verify_client optional_no_ca;
%s
}
`, address, write("cert.pem", "CERTIFICATE", tlsServer.Certificate().Raw), write("key.pem", "PRIVATE KEY", key),
		strings.ReplaceAll(locations, "API", api.URL)))
	return e
}

// client returns one with a certificate, or none, that resumes TLS sessions and keeps no
// connection.
func (e *ending) client(http2 bool, certs ...tls.Certificate) *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: e.roots, Certificates: certs, ClientSessionCache: tls.NewLRUClientSessionCache(0)},
		ForceAttemptHTTP2: http2, DisableKeepAlives: true,
	}}
}

func get(t *testing.T, client *http.Client, url string, h http.Header) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	if h != nil {
		r.Header = h.Clone()
	}
	res, err := client.Do(r)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res
}

// escaped is what nginx makes of a certificate.
func escaped(c tls.Certificate) string {
	return url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})))
}

// nginx forwards the certificates of its clients, and nobody else can.
func TestNginxForwardsCertificates(t *testing.T) {
	e := endTLS(t, `	location / {
		proxy_pass API;
		proxy_set_header X-Client-Cert $ssl_client_escaped_cert;
	}`, func(string) (verifier.Binding, error) {
		return mtls.New(mtls.Config{Source: mtls.NginxEscaped, Trusted: onlyNginx})
	})
	own, another := verifiertest.NewCertificate(), verifiertest.NewCertificate()
	token := e.iss.CertificateToken(own, nil)
	with := func(fields ...string) http.Header {
		h := http.Header{"Authorization": {"Bearer " + token}}
		for i := 0; i < len(fields); i += 2 {
			h[fields[i]] = append(h[fields[i]], fields[i+1])
		}
		return h
	}
	const field = "X-Client-Cert"
	for _, http2 := range []bool{false, true} {
		for _, row := range []struct {
			name   string
			certs  []tls.Certificate
			header http.Header
			status int
		}{
			{"its certificate", []tls.Certificate{own}, with(), 200},
			{"its certificate, and the field of another", []tls.Certificate{own}, with(field, escaped(another)), 200},
			{"its certificate, and a field that is none", []tls.Certificate{own}, with(field, "x"), 200},
			{"its certificate, and the field as hop by hop", []tls.Certificate{own}, with("Connection", field), 200},
			{"another certificate", []tls.Certificate{another}, with(), 401},
			{"another certificate, and its field", []tls.Certificate{another}, with(field, escaped(own)), 401},
			{"another certificate, and its field twice", []tls.Certificate{another}, with(field, escaped(own), field, escaped(own)), 401},
			{"another certificate, and its field in lower case", []tls.Certificate{another}, with("x-client-cert", escaped(own)), 401},
			{"another certificate, and its field with underscores", []tls.Certificate{another}, with("X_Client_Cert", escaped(own)), 401},
			{"no certificate", nil, with(), 401},
			{"no certificate, and its field", nil, with(field, escaped(own)), 401},
		} {
			if http2 && row.header["Connection"] != nil {
				continue // HTTP/2 has no such field
			}
			t.Run(fmt.Sprintf("B9 HTTP/2 %t: %s", http2, row.name), func(t *testing.T) {
				client := e.client(http2, row.certs...)
				for _, resumed := range []bool{false, true} {
					res := get(t, client, e.public+"/orders", row.header)
					assert.Equal(t, row.status, res.StatusCode)
					assert.Equal(t, http2, res.ProtoMajor == 2)
					assert.Equal(t, resumed, res.TLS.DidResume)
				}
			})
		}
	}

	// Past nginx.
	from := func(ip string) *http.Client {
		dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
		return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	}
	for name, header := range map[string]http.Header{
		"B9 directly, with its field":                     with(field, escaped(own)),
		"B9 directly, with its field and nginx's address": with(field, escaped(own), "X-Forwarded-For", "127.0.0.1", "X-Real-Ip", "127.0.0.1", "Forwarded", "for=127.0.0.1"),
		"B9 directly, without a field":                    with(),
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, 401, get(t, from("127.0.0.2"), e.direct+"/orders", header).StatusCode)
		})
	}
	assert.Equal(t, 200, get(t, from("127.0.0.1"), e.direct+"/orders", with(field, escaped(own))).StatusCode, "the address of nginx is all that counts")
}

// nginx removes a prefix from the path, which proofs have.
func TestNginxRemovesPrefix(t *testing.T) {
	const whole = `
	location / {
		proxy_pass API;
		proxy_set_header X-Forwarded-Host $http_host;
		proxy_set_header X-Forwarded-Proto $scheme;
		proxy_set_header X-Forwarded-Prefix "";
	}`
	const below = `
	location /v1/ {
		proxy_pass API/;
		proxy_set_header X-Forwarded-Host $http_host;
		proxy_set_header X-Forwarded-Proto $scheme;
		proxy_set_header X-Forwarded-Prefix /v1;
	}`
	for name, row := range map[string]struct {
		locations    string
		origins      func(public string) []string
		root, beside int // status of what has no prefix, and with a proof that has it
	}{
		"B5 one origin": {
			below, func(public string) []string { return []string{public + "/v1"} }, 404, 404,
		},
		"B6 of two origins, by X-Forwarded-Prefix": {
			below + whole, func(public string) []string { return []string{public, public + "/v1"} }, 200, 401,
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := endTLS(t, row.locations, func(public string) (verifier.Binding, error) {
				return dpop.New(dpop.Config{Origins: row.origins(public), Trusted: onlyNginx})
			})
			key := verifiertest.NewDPoPKey()
			token := e.iss.DPoPToken(key, nil)
			send := func(path, htu string, more http.Header) int {
				h := http.Header{"Authorization": {"DPoP " + token}, "Dpop": {key.Proof("GET", e.public+htu, token, nil)}}
				for name, values := range more {
					h[name] = values
				}
				return get(t, e.client(true), e.public+path, h).StatusCode
			}
			stranger := http.Header{"X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Prefix": {"/v2"}, "Forwarded": {""}}
			for _, row := range []struct {
				path, htu string
				more      http.Header
				status    int
			}{
				{"/v1/orders", "/v1/orders", nil, 200},
				{"/v1/orders?page=2", "/v1/orders", nil, 200},
				{"/v1/orders/", "/v1/orders/", nil, 200},
				{"/v1/", "/v1/", nil, 200},
				{"/v1/j%C3%BCrgen", "/v1/j%C3%BCrgen", nil, 200},
				{"/v1/a/../b", "/v1/b", nil, 200},
				{"/v1/%6Frders", "/v1/orders", nil, 200},
				{"/v1/orders", "/v1/orders", stranger, 200},
				{"/orders", "/orders", nil, row.root},
				{"/orders", "/orders", http.Header{"X-Forwarded-Prefix": {"/v1"}}, row.root},
				{"/v1/orders", "/orders", nil, 401},
				{"/orders", "/v1/orders", http.Header{"X-Forwarded-Prefix": {"/v1"}}, row.beside},
				{"/v1/orders", "/v1/v1/orders", nil, 401},
				{"/v1/orders", "/v2/orders", nil, 401},
				// What nginx changes is not what the client has signed.
				{"/v1/a%2Fb", "/v1/a%2Fb", nil, 401},
				{"/v1/a//b", "/v1/a//b", nil, 401},
			} {
				t.Run(row.path+" as "+row.htu, func(t *testing.T) {
					assert.Equal(t, row.status, send(row.path, row.htu, row.more))
				})
			}
		})
	}
}
