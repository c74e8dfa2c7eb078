package mtls_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/exampletb"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/mtls"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A server whose clients prove with their certificate that the token is theirs.
func Example() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	certificates, err := mtls.New(mtls.Config{})
	if err != nil {
		panic(err)
	}
	v, err := verifier.Settings{Bindings: []verifier.Binding{certificates}}.New(iss.Config("https://api.example.com"))
	if err != nil {
		panic(err)
	}
	defer v.Close()
	srv := httptest.NewUnstartedServer(httpauth.Protect(v, verifier.Bound())(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	srv.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	srv.StartTLS()
	defer srv.Close()

	cert := verifiertest.NewCertificate()
	token := iss.CertificateToken(cert, nil)
	for _, own := range [][]tls.Certificate{{cert}, nil, {verifiertest.NewCertificate()}} {
		transport := srv.Client().Transport.(*http.Transport).Clone()
		transport.TLSClientConfig.Certificates = own
		r, _ := http.NewRequest("GET", srv.URL, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := transport.RoundTrip(r)
		if err != nil {
			panic(err)
		}
		_ = res.Body.Close()
		transport.CloseIdleConnections()
		fmt.Println(res.StatusCode)
	}
	// Output:
	// 200
	// 401
	// 401
}
