package providers_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/providers"
)

// A cluster is an API server: its certificate is its CA's, and whoever asks needs
// a service account's token.
type cluster struct {
	*httptest.Server
	files string // what is mounted into a pod
	cert  atomic.Pointer[tls.Certificate]
	asked []string // the Authorization fields
}

func startCluster(t *testing.T, handler http.Handler) *cluster {
	t.Helper()
	c := &cluster{files: t.TempDir()}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.asked = append(c.asked, r.Header.Get("Authorization"))
		handler.ServeHTTP(w, r)
	}))
	c.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{*c.cert.Load()}}, nil
	}}
	c.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	c.StartTLS()
	t.Cleanup(c.Close)
	c.newCA(t, true)
	c.write(t, "token", "first")
	return c
}

func (c *cluster) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(c.files, name), []byte(text), 0o600))
}

// newCA gives the server a certificate of a new CA, and the pod that CA if it is
// mounted already.
func (c *cluster) newCA(t *testing.T, mounted bool) (ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "kubernetes"},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	c.cert.Store(&tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key})
	ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	if mounted {
		c.write(t, "ca.crt", ca)
	}
	return ca
}

// The keys of a cluster are found from inside it, as the pod's service account.
func TestInCluster(t *testing.T) {
	t.Run("V7 a token is verified", func(t *testing.T) {
		const outer = "https://kubernetes.default.svc.cluster.local"
		server, err := authserver.New(outer, "RS256")
		require.NoError(t, err)
		var c *cluster
		c = startCluster(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "openid-configuration") { // jwks_uri is another address of the server
				fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, outer, c.URL+"/jwks.json")
				return
			}
			server.ServeHTTP(w, r)
		}))
		cfg := kubernetes()
		cfg.JWKS = providers.InClusterAt(c.URL, c.files)
		v, err := verifier.Settings{Logger: slog.New(slog.DiscardHandler)}.New(cfg)
		require.NoError(t, err)
		defer v.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		require.NoError(t, v.Ready(ctx))
		golden := readGolden(t, "kubernetes").Machine
		golden.Header["kid"], _ = server.Key()
		_, err = v.Verify(t.Context(), issuer{server}.sign(t, golden))
		assert.NoError(t, err)
		assert.Equal(t, []string{"Bearer first", "Bearer first"}, c.asked)
	})

	c := startCluster(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, "ok")
	}))
	client := providers.InClusterAt(c.URL, c.files).HTTPClient
	get := func(address string) (int, error) {
		res, err := client.Get(address)
		if err != nil {
			return 0, err
		}
		return res.StatusCode, res.Body.Close()
	}
	t.Run("V7 the token is read at every request", func(t *testing.T) {
		_, err := get(c.URL)
		require.NoError(t, err)
		c.write(t, "token", "second\n")
		_, err = get(c.URL)
		require.NoError(t, err)
		assert.Equal(t, []string{"Bearer first", "Bearer second"}, c.asked)
	})
	t.Run("V7 another CA counts when it is mounted", func(t *testing.T) {
		ca := c.newCA(t, false)
		_, err := get(c.URL)
		require.ErrorContains(t, err, "x509")
		c.write(t, "ca.crt", ca)
		_, err = get(c.URL)
		assert.NoError(t, err)
	})
	t.Run("V7 the token goes to the cluster's servers only", func(t *testing.T) {
		before := len(c.asked)
		stranger := startCluster(t, http.NotFoundHandler())
		_, err := get(stranger.URL)
		require.ErrorContains(t, err, "x509")
		assert.Empty(t, stranger.asked)
		_, err = get(strings.Replace(c.URL, "https:", "http:", 1))
		require.ErrorContains(t, err, "not https")
		status, err := get(c.URL + "/elsewhere")
		require.NoError(t, err)
		assert.Equal(t, http.StatusFound, status)
		assert.Len(t, c.asked, before+1)
	})
	t.Run("V7 what is missing is named", func(t *testing.T) {
		c.write(t, "ca.crt", "no certificate")
		_, err := get(c.URL)
		assert.ErrorContains(t, err, "ca.crt has no certificate")
		c.newCA(t, true)
		for _, name := range []string{"token", "ca.crt"} {
			require.NoError(t, os.Remove(filepath.Join(c.files, name)))
			_, err = get(c.URL)
			assert.ErrorContains(t, err, "providers.InCluster")
			assert.ErrorContains(t, err, name)
		}
	})
	t.Run("V7 the places in a pod", func(t *testing.T) {
		cfg := providers.InCluster()
		assert.Equal(t, "https://kubernetes.default.svc/.well-known/openid-configuration", cfg.MetadataURL)
		_, err := cfg.HTTPClient.Get("https://127.0.0.1:1")
		assert.ErrorContains(t, err, "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
	})
}
