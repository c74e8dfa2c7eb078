package mtls_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
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

const api = "https://api.example.com"

func newVerifier(t *testing.T, iss *verifiertest.Issuer, bindings ...verifier.Binding) *verifier.Verifier {
	t.Helper()
	v, err := verifier.Settings{Bindings: bindings}.New(iss.Config(api))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	return v
}

// On real connections: HTTP/1.1, HTTP/2, and resumed sessions, where the client does not
// send its certificate again.
func TestConnections(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	binding, err := mtls.New(mtls.Config{})
	require.NoError(t, err)
	v := newVerifier(t, iss, binding)
	mine, others := verifiertest.NewCertificate(), verifiertest.NewCertificate()
	token := iss.CertificateToken(mine, nil)
	for _, h2 := range []bool{false, true} {
		resumed := false
		srv := httptest.NewUnstartedServer(httpauth.Protect(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			resumed = resumed || r.TLS.DidResume
			_, _ = io.WriteString(w, r.Proto)
		})))
		srv.EnableHTTP2 = h2
		srv.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
		srv.StartTLS()
		defer srv.Close()
		get := func(token string, cert ...tls.Certificate) (statuses []int) {
			transport := srv.Client().Transport.(*http.Transport).Clone()
			transport.TLSClientConfig.Certificates = cert
			transport.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			defer transport.CloseIdleConnections()
			for range 3 {
				r, err := http.NewRequest("GET", srv.URL, nil)
				require.NoError(t, err)
				r.Header.Set("Authorization", "Bearer "+token)
				res, err := transport.RoundTrip(r)
				require.NoError(t, err)
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				statuses = append(statuses, res.StatusCode)
				assert.Equal(t, h2, res.ProtoMajor == 2)
				transport.CloseIdleConnections() // the next one resumes
			}
			return statuses
		}
		assert.Equal(t, []int{200, 200, 200}, get(token, mine), "B9")
		assert.True(t, resumed, "B9 a session was resumed")
		assert.Equal(t, []int{401, 401, 401}, get(token, others), "B9 another certificate")
		assert.Equal(t, []int{401, 401, 401}, get(token), "B9 no certificate")
		assert.Equal(t, []int{200, 200, 200}, get(iss.Token(nil), others), "B9 a token that is not bound")
	}
}

func nginx(cert tls.Certificate) string {
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	return strings.ReplaceAll(url.QueryEscape(string(block)), "+", "%20")
}

func rfc9440(cert tls.Certificate) string {
	return ":" + base64.StdEncoding.EncodeToString(cert.Certificate[0]) + ":"
}

func xfcc(cert tls.Certificate) string {
	sum := sha256.Sum256(cert.Certificate[0])
	return "By=spiffe://a/b;Hash=" + hex.EncodeToString(sum[:]) + `;Subject="CN=\"x\", O=y;z";URI=`
}

// A certificate that a proxy forwards counts if the proxy is trusted.
func TestForwarded(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	mine, others := verifiertest.NewCertificate(), verifiertest.NewCertificate()
	token := iss.CertificateToken(mine, nil)
	const proxy, stranger = "10.0.0.1:1", "192.0.2.1:1"
	type row struct {
		way    mtls.Source
		remote string
		values []string
		cause  string // "" if admitted
	}
	rows := map[string]row{
		"Client-Cert without colons":          {mtls.ClientCert, proxy, []string{strings.Trim(rfc9440(mine), ":")}, "form"},
		"Client-Cert in base64url":            {mtls.ClientCert, proxy, []string{":-_-_:"}, "form"},
		"an empty Client-Cert":                {mtls.ClientCert, proxy, []string{"::"}, "form"},
		"half a Client-Cert":                  {mtls.ClientCert, proxy, []string{":"}, "form"},
		"PEM without escapes":                 {mtls.NginxEscaped, proxy, []string{"-----BEGIN CERTIFICATE-----"}, "form"},
		"PEM of a key":                        {mtls.NginxEscaped, proxy, []string{strings.ReplaceAll(nginx(mine), "CERTIFICATE", "PUBLIC%20KEY")}, "form"},
		"PEM with broken escapes":             {mtls.NginxEscaped, proxy, []string{nginx(mine) + "%2"}, "form"},
		"PEM of two":                          {mtls.NginxEscaped, proxy, []string{nginx(mine) + nginx(others)}, "form"},
		"PEM with plus signs":                 {mtls.NginxEscaped, proxy, []string{nginx(mine)}, ""},
		"XFCC of several hops":                {mtls.EnvoyXFCC, proxy, []string{xfcc(others) + "," + xfcc(mine)}, ""},
		"XFCC in several fields":              {mtls.EnvoyXFCC, proxy, []string{xfcc(others), xfcc(mine)}, ""},
		"XFCC that was sent before":           {mtls.EnvoyXFCC, proxy, []string{xfcc(mine) + "," + xfcc(others)}, "another certificate"},
		"XFCC in a field before":              {mtls.EnvoyXFCC, proxy, []string{xfcc(mine), xfcc(others)}, "another certificate"},
		"XFCC within quotation":               {mtls.EnvoyXFCC, proxy, []string{`Subject="` + xfcc2(mine) + `"`}, "form"},
		"XFCC after a quoted comma":           {mtls.EnvoyXFCC, proxy, []string{`By=x;Subject="a,` + xfcc2(mine) + `"`}, "form"},
		"XFCC that is not closed":             {mtls.EnvoyXFCC, proxy, []string{`Subject="a;` + xfcc2(mine)}, "form"},
		"XFCC with two hashes":                {mtls.EnvoyXFCC, proxy, []string{xfcc2(others) + ";" + xfcc2(mine)}, "form"},
		"XFCC without a hash":                 {mtls.EnvoyXFCC, proxy, []string{"By=x"}, "form"},
		"XFCC with a short hash":              {mtls.EnvoyXFCC, proxy, []string{"Hash=abcd"}, "form"},
		"XFCC with other letters":             {mtls.EnvoyXFCC, proxy, []string{strings.ToUpper(xfcc2(mine))}, ""},
		"XFCC with an escaped quotation mark": {mtls.EnvoyXFCC, proxy, []string{`Subject="a\";` + xfcc2(others) + `";` + xfcc2(mine)}, ""},
		"XFCC with an escaped backslash":      {mtls.EnvoyXFCC, proxy, []string{`Subject="a\\";` + xfcc2(mine)}, ""},
		"XFCC with a backslash outside":       {mtls.EnvoyXFCC, proxy, []string{`By=a\;` + xfcc2(mine)}, ""},
		"XFCC with a quoted semicolon":        {mtls.EnvoyXFCC, proxy, []string{`Subject="a;` + xfcc2(others) + `";` + xfcc2(mine)}, ""},
		"XFCC that is not closed at the end":  {mtls.EnvoyXFCC, proxy, []string{xfcc2(mine) + `;Subject="a`}, "form"},
		"XFCC of a hop without a hash":        {mtls.EnvoyXFCC, proxy, []string{"By=x," + xfcc2(mine)}, ""},
		"Client-Cert without its first colon": {mtls.ClientCert, proxy, []string{strings.TrimPrefix(rfc9440(mine), ":")}, "form"},
		"Client-Cert without its last colon":  {mtls.ClientCert, proxy, []string{strings.TrimSuffix(rfc9440(mine), ":")}, "form"},
		"Client-Cert with more behind it":     {mtls.ClientCert, proxy, []string{strings.TrimSuffix(rfc9440(mine), ":") + "!:"}, "form"},
		"XFCC that is too long":               {mtls.EnvoyXFCC, proxy, []string{xfcc(mine) + ";" + strings.Repeat("x", 32<<10)}, "form"},
		"Client-Cert that is too long":        {mtls.ClientCert, proxy, []string{":" + strings.Repeat("AAAA", 8<<10) + ":"}, "form"},
	}
	for way, encode := range map[mtls.Source]func(tls.Certificate) string{mtls.ClientCert: rfc9440, mtls.EnvoyXFCC: xfcc, mtls.NginxEscaped: nginx} {
		name := fmt.Sprint("way ", way)
		rows[name] = row{way, proxy, []string{encode(mine)}, ""}
		rows[name+" another"] = row{way, proxy, []string{encode(others)}, "another certificate"}
		rows[name+" from a stranger"] = row{way, stranger, []string{encode(mine)}, "not in Trusted"}
		rows[name+" from nowhere"] = row{way, "@", []string{encode(mine)}, "not in Trusted"}
		rows[name+" without the field"] = row{way, proxy, nil, "no header field"}
		rows[name+" empty"] = row{way, proxy, []string{""}, "form"}
		if way != mtls.EnvoyXFCC {
			rows[name+" twice"] = row{way, proxy, []string{encode(mine), encode(mine)}, "form"}
		}
	}
	names := map[mtls.Source]string{mtls.ClientCert: "Client-Cert", mtls.EnvoyXFCC: "X-Forwarded-Client-Cert", mtls.NginxEscaped: "X-Client-Cert"}
	for name, row := range rows {
		t.Run("B9 "+name, func(t *testing.T) {
			binding, err := mtls.New(mtls.Config{Source: row.way, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
			require.NoError(t, err)
			v := newVerifier(t, iss, binding)
			r := httptest.NewRequest("GET", "/", nil)
			// The proxy's own connection has a certificate, which is not the client's.
			r.TLS = &tls.ConnectionState{}
			r.RemoteAddr = row.remote
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header[names[row.way]] = row.values
			_, err = v.Protect()(r)
			if row.cause == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, verifier.ErrBinding)
			assert.ErrorContains(t, err, row.cause)
			w := httptest.NewRecorder()
			verifier.AsError(context.Background(), err).ServeHTTP(w, r)
			assert.Equal(t, 401, w.Code)
			assert.Equal(t, `Bearer realm="api", error="invalid_token", error_description="The access token is not valid for this API."`, w.Header().Get("WWW-Authenticate"))
		})
	}
}

// The two standard members are never ignored beside each other.
func TestOnlyOneOfBoth(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	certificate, err := mtls.New(mtls.Config{})
	require.NoError(t, err)
	proofs, err := dpop.New(dpop.Config{Origins: []string{api}})
	require.NoError(t, err)
	cert, key := verifiertest.NewCertificate(), verifiertest.NewDPoPKey()
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	require.NoError(t, err)
	token := iss.CertificateToken(cert, verifiertest.Claims{"cnf": map[string]any{"jkt": key.Thumbprint(), "kc-jkt-type": "x"}})
	for name, row := range map[string]struct {
		bindings []verifier.Binding
		scheme   string
		good     bool
	}{
		"certificates alone":       {[]verifier.Binding{certificate}, "Bearer", false},
		"proofs alone":             {[]verifier.Binding{proofs}, "DPoP", false},
		"both":                     {[]verifier.Binding{certificate, proofs}, "DPoP", true},
		"both, in the other order": {[]verifier.Binding{proofs, certificate}, "DPoP", true},
		"both, but sent as Bearer": {[]verifier.Binding{proofs, certificate}, "Bearer", false},
	} {
		t.Run("B1 "+name, func(t *testing.T) {
			r := httptest.NewRequest("GET", api+"/orders", nil)
			r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}
			key.Authorize(r, token)
			r.Header.Set("Authorization", row.scheme+" "+token)
			_, err := newVerifier(t, iss, row.bindings...).Protect()(r)
			if row.good {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, verifier.ErrBinding)
			}
		})
	}
}

// The field from a stranger refuses the request, whatever its token is bound to.
func TestStranger(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	certificate, err := mtls.New(mtls.Config{Source: mtls.ClientCert, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	require.NoError(t, err)
	proofs, err := dpop.New(dpop.Config{Origins: []string{api}})
	require.NoError(t, err)
	v := newVerifier(t, iss, proofs, certificate)
	cert, key := verifiertest.NewCertificate(), verifiertest.NewDPoPKey()
	plain, bound := iss.Token(nil), iss.DPoPToken(key, nil)
	for _, row := range []struct {
		name, token, remote string
		values              []string
		good                bool
	}{
		{"a token that is not bound", plain, "192.0.2.1:1", []string{rfc9440(cert)}, false},
		{"an empty field", plain, "192.0.2.1:1", []string{""}, false},
		{"a token that is bound to a key", bound, "192.0.2.1:1", []string{rfc9440(cert)}, false},
		{"no field", plain, "192.0.2.1:1", nil, true},
		{"no field, and bound to a key", bound, "192.0.2.1:1", nil, true},
		{"the proxy", plain, "10.0.0.1:1", []string{rfc9440(cert)}, true},
		{"the proxy, and bound to a key", bound, "10.0.0.1:1", []string{"x"}, true},
	} {
		for _, again := range []string{"", ", remembered"} {
			t.Run("B9 "+row.name+again, func(t *testing.T) {
				r := httptest.NewRequest("GET", api+"/orders", nil)
				r.RemoteAddr = row.remote
				if row.token == bound {
					key.Authorize(r, bound)
				} else {
					r.Header.Set("Authorization", "Bearer "+row.token)
				}
				if row.values != nil {
					r.Header["Client-Cert"] = row.values
				}
				_, err := v.Protect()(r)
				if row.good {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, verifier.ErrBinding)
				assert.ErrorContains(t, err, "not in Trusted")
				assert.Equal(t, 401, verifier.AsError(context.Background(), err).Status())
			})
		}
	}
	_, err = v.Verify(context.Background(), plain)
	require.NoError(t, err, "there is no request to check")
}

func xfcc2(cert tls.Certificate) string {
	sum := sha256.Sum256(cert.Certificate[0])
	return "Hash=" + hex.EncodeToString(sum[:])
}

// A token that is bound to a key and to a certificate needs both.
func TestBothBindings(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	certificate, err := mtls.New(mtls.Config{Source: mtls.ClientCert, Trusted: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	require.NoError(t, err)
	proofs, err := dpop.New(dpop.Config{Origins: []string{api}})
	require.NoError(t, err)
	v := newVerifier(t, iss, certificate, proofs)
	cert, key := verifiertest.NewCertificate(), verifiertest.NewDPoPKey()
	token := iss.CertificateToken(cert, verifiertest.Claims{"cnf": map[string]any{"jkt": key.Thumbprint()}})
	for name, row := range map[string]struct {
		proof, cert bool
		thief       bool // has another key
		good        bool
	}{
		"both":                             {true, true, false, true},
		"the proof":                        {true, false, false, false},
		"the certificate":                  {false, true, false, false},
		"the certificate, and a bad proof": {true, true, true, false},
		"neither":                          {false, false, false, false},
	} {
		t.Run("B3 "+name, func(t *testing.T) {
			r := httptest.NewRequest("GET", api+"/orders", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			if row.thief {
				verifiertest.NewDPoPKey().Authorize(r, token)
			} else if row.proof {
				key.Authorize(r, token)
			}
			if row.cert {
				r.Header.Set("Client-Cert", rfc9440(cert))
			}
			_, err := v.Protect()(r)
			if row.good {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, verifier.ErrBinding)
			}
		})
	}
	w := httptest.NewRecorder()
	_, err = v.Protect(verifier.Bound())(httptest.NewRequest("GET", "/", nil))
	verifier.AsError(context.Background(), err).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	assert.Len(t, w.Header()["Www-Authenticate"], 2, "B3 Bearer too, for tokens bound to a certificate")
}

func TestConfigErrors(t *testing.T) {
	somewhere := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for name, row := range map[string]struct {
		cfg  mtls.Config
		want string
	}{
		"an unknown way":        {mtls.Config{Source: 7, Trusted: somewhere}, "Source"},
		"nobody trusted":        {mtls.Config{Source: mtls.ClientCert}, "Trusted"},
		"trusted for nothing":   {mtls.Config{Trusted: somewhere}, "Trusted"},
		"IPv4 in IPv6":          {mtls.Config{Source: mtls.ClientCert, Trusted: []netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.0/104")}}, "IPv4"},
		"a prefix that is none": {mtls.Config{Source: mtls.ClientCert, Trusted: []netip.Prefix{{}}}, "Trusted"},
	} {
		t.Run("B7 "+name, func(t *testing.T) {
			_, err := mtls.New(row.cfg)
			require.ErrorContains(t, err, "mtls: ")
			assert.ErrorContains(t, err, row.want)
		})
	}
}

func FuzzXFCC(f *testing.F) {
	cert := verifiertest.NewCertificate()
	f.Add(xfcc(cert))
	f.Add(`Hash="a\",b";x,` + xfcc2(cert))
	f.Fuzz(func(t *testing.T, value string) {
		sum, err := mtls.HashOfXFCC(value)
		if err != nil {
			return
		}
		assert.Contains(t, strings.ToLower(value), "="+hex.EncodeToString(sum))
		again, err := mtls.HashOfXFCC("Hash=00," + value)
		assert.NoError(t, err)
		assert.Equal(t, sum, again, "only the last element counts")
	})
}

// Without TLS, and from a stranger without the field, nothing is confirmed.
func TestNothingForwarded(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	token := iss.CertificateToken(verifiertest.NewCertificate(), nil)
	for _, row := range []struct {
		cfg   mtls.Config
		cause string
	}{
		{mtls.Config{}, "no certificate"},
		{mtls.Config{Source: mtls.ClientCert, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, "no header field"},
	} {
		binding, err := mtls.New(row.cfg)
		require.NoError(t, err)
		v := newVerifier(t, iss, binding)
		r := httptest.NewRequest("GET", "/", nil) // plain http, from 192.0.2.1
		r.Header.Set("Authorization", "Bearer "+token)
		_, err = v.Protect()(r)
		require.ErrorIs(t, err, verifier.ErrBinding, "B9")
		assert.ErrorContains(t, err, row.cause)
	}
}

// Confirm alone refuses a stranger's field, too: somebody may wrap it, and forget Check.
func TestConfirmWithoutCheck(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	cert := verifiertest.NewCertificate()
	certificates, err := mtls.New(mtls.Config{Source: mtls.ClientCert, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	require.NoError(t, err)
	wrapped := verifier.Binding{Member: certificates.Member, Confirm: certificates.Confirm}
	v := newVerifier(t, iss, wrapped)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+iss.CertificateToken(cert, nil))
	r.Header.Set("Client-Cert", rfc9440(cert))
	r.RemoteAddr = "192.0.2.1:1"
	_, err = v.Protect()(r)
	assert.ErrorIs(t, err, verifier.ErrBinding, "B9")
	r.RemoteAddr = "10.0.0.1:1"
	_, err = v.Protect()(r)
	assert.NoError(t, err, "B9")
}
