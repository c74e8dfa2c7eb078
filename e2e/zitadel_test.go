package e2e

import (
	"context"
	"crypto"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
)

// startZitadel starts zitadel/oidc over its own example storage, with keys of
// ours and JWT access tokens.
func startZitadel(t *testing.T, kids ...string) *server {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	issuer := "http://" + srv.Listener.Addr().String()
	store := &zitadelStorage{Storage: storage.NewStorage(storage.NewUserStore(issuer)), made: make(map[string]*zitadelKey)}
	store.publish(t, kids...)
	provider, err := op.NewProvider(&op.Config{}, store, op.StaticIssuer(issuer), op.WithAllowInsecure(),
		op.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	require.NoError(t, err)
	srv.Config = &http.Server{Handler: provider}
	srv.Start()
	t.Cleanup(srv.Close)
	return &server{
		issuer: issuer, client: "sid1", secret: "verysecret", stop: srv.Close,
		grant: func(c *clientcredentials.Config, audiences []string) { c.Scopes = append(c.Scopes, audiences...) },
		keys:  store.publish,
	}
}

// A zitadelStorage is the example's with several keys, and with client
// credentials for what the example leaves out: JWTs, and audiences other than
// the client.
type zitadelStorage struct {
	*storage.Storage

	mu        sync.Mutex // guards what follows
	made      map[string]*zitadelKey
	published []*zitadelKey // the first signs
}

func (s *zitadelStorage) publish(t *testing.T, kids ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published = nil
	for _, kid := range kids {
		if s.made[kid] == nil {
			s.made[kid] = &zitadelKey{kid, jwttest.NewSigner(algorithm(kid)).Private.(crypto.Signer)}
		}
		s.published = append(s.published, s.made[kid])
	}
}

func (s *zitadelStorage) keys() []*zitadelKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.published
}

func (s *zitadelStorage) SigningKey(context.Context) (op.SigningKey, error) {
	return s.keys()[0], nil
}

func (s *zitadelStorage) SignatureAlgorithms(context.Context) (algs []jose.SignatureAlgorithm, err error) {
	for _, k := range s.keys() {
		algs = append(algs, k.SignatureAlgorithm())
	}
	return algs, nil
}

func (s *zitadelStorage) KeySet(context.Context) (keys []op.Key, err error) {
	for _, k := range s.keys() {
		keys = append(keys, zitadelPublicKey{k})
	}
	return keys, nil
}

func (s *zitadelStorage) ClientCredentials(ctx context.Context, id, secret string) (op.Client, error) {
	c, err := s.Storage.ClientCredentials(ctx, id, secret)
	return jwtClient{c}, err
}

// ClientCredentialsTokenRequest takes scopes that are URLs for audiences.
func (s *zitadelStorage) ClientCredentialsTokenRequest(_ context.Context, id string, scopes []string) (op.TokenRequest, error) {
	req := &oidc.JWTTokenRequest{Subject: id}
	for _, scope := range scopes {
		if strings.HasPrefix(scope, "https://") {
			req.Audience = append(req.Audience, scope)
		} else {
			req.Scopes = append(req.Scopes, scope)
		}
	}
	return req, nil
}

type jwtClient struct{ op.Client }

func (jwtClient) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }

type zitadelKey struct {
	kid     string
	private crypto.Signer
}

func (k *zitadelKey) ID() string { return k.kid }
func (k *zitadelKey) Key() any   { return k.private }
func (k *zitadelKey) SignatureAlgorithm() jose.SignatureAlgorithm {
	return jose.SignatureAlgorithm(algorithm(k.kid))
}

type zitadelPublicKey struct{ *zitadelKey }

func (k zitadelPublicKey) Key() any                           { return k.private.Public() }
func (k zitadelPublicKey) Use() string                        { return "sig" }
func (k zitadelPublicKey) Algorithm() jose.SignatureAlgorithm { return k.SignatureAlgorithm() }
