package providers

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

const (
	clusterAddress = "https://kubernetes.default.svc"
	clusterFiles   = "/var/run/secrets/kubernetes.io/serviceaccount"
)

// InCluster finds a cluster's keys at its own API server, from a pod inside it:
//
//	cfg := providers.KubernetesServiceAccount("https://kubernetes.default.svc.cluster.local", audience, who)
//	cfg.JWKS = providers.InCluster()
//
// The server's certificate is checked with the cluster's CA, and this pod's own
// service account asks, which may do so by default (ClusterRole
// system:service-account-issuer-discovery). Both are files that Kubernetes mounts
// and renews; they are read at every fetch.
func InCluster() jwkscache.Config { return inCluster(clusterAddress, clusterFiles) }

func inCluster(address, files string) jwkscache.Config {
	return jwkscache.Config{
		MetadataURL: address + "/.well-known/openid-configuration",
		HTTPClient: &http.Client{
			Transport: &clusterTransport{
				caFile:    filepath.Join(files, "ca.crt"),
				tokenFile: filepath.Join(files, "token"),
			},
			Timeout:       10 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// A clusterTransport reads the CA and the token of a service account at every
// request, of which there are a few in an hour. The token only ever goes to a
// server whose certificate that CA issued.
type clusterTransport struct {
	caFile, tokenFile string

	mu   sync.Mutex
	ca   []byte          // that transport trusts
	next *http.Transport // of ca
}

func (t *clusterTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	next, err := t.transport()
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(t.tokenFile)
	if err != nil {
		return nil, fmt.Errorf("providers.InCluster: %w", err)
	}
	if r.URL.Scheme != "https" {
		return nil, errors.New("providers.InCluster: the address is not https")
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(bytes.TrimSpace(token)))
	return next.RoundTrip(r)
}

// transport returns the one for what is in the CA's file now.
func (t *clusterTransport) transport() (*http.Transport, error) {
	ca, err := os.ReadFile(t.caFile)
	if err != nil {
		return nil, fmt.Errorf("providers.InCluster: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next != nil && bytes.Equal(ca, t.ca) {
		return t.next, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("providers.InCluster: %s has no certificate", t.caFile)
	}
	t.ca, t.next = ca, &http.Transport{
		TLSClientConfig:        &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		DisableKeepAlives:      true, // so that there is nothing to close
		MaxResponseHeaderBytes: 64 << 10,
	}
	return t.next, nil
}
