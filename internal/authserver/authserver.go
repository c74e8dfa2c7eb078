// Package authserver is a small OAuth 2.0 authorization server for tests, for
// the demo and for jwtguard dev: metadata, a JWK Set, and a token endpoint for the
// client-credentials grant, which binds a token to the key of a DPoP proof, with switches to rotate its keys, to fail and to
// hang. It keeps everything in memory and is not for production.
package authserver

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
)

const defaultLifetime = time.Hour // of tokens

// A Client may ask for tokens.
type Client struct {
	ID, Secret string
	Audiences  []string // that it may ask for; the first is the default
	Scopes     []string // granted to it
	Unlimited  bool     // may ask for any audience and any scope
}

// A Server is an http.Handler. It is safe for concurrent use.
type Server struct {
	issuer   string
	lifetime time.Duration // of tokens
	clients  map[string]Client
	anyone   *Client // stands for every client; nil unless AdmitAnyone was called
	mux      *http.ServeMux

	mu      sync.Mutex
	keys    []*signingKey // published; the last one signs
	fail    int           // status of all responses, 0 for none
	hang    chan struct{} // closed by Heal; nil when not hanging
	fetches int
}

// New returns a Server for issuer, an absolute URL whose path, if it has one,
// is stripped before requests get here. Its keys are for alg.
func New(issuer, alg string, clients ...Client) (*Server, error) {
	s := &Server{issuer: issuer, lifetime: defaultLifetime, clients: make(map[string]Client), mux: http.NewServeMux()}
	for _, c := range clients {
		if c.ID == "" || c.Secret == "" || len(c.Audiences) == 0 {
			return nil, errors.New("authserver: a client needs id, secret and a default audience")
		}
		s.clients[c.ID] = c
	}
	s.mux.HandleFunc("GET /.well-known/openid-configuration", s.metadata)
	s.mux.HandleFunc("GET /.well-known/oauth-authorization-server", s.metadata)
	s.mux.HandleFunc("GET /jwks.json", s.jwks)
	s.mux.HandleFunc("POST /oauth/token", s.token)
	return s, s.Rotate(alg)
}

// AdmitAnyone gives a token for any audience and scope to any client, whatever its
// secret. The audience and the scopes are for requests without. Call it before
// requests arrive.
func (s *Server) AdmitAnyone(audience string, scopes ...string) {
	s.anyone = &Client{ID: "anyone", Audiences: []string{audience}, Scopes: scopes, Unlimited: true}
}

// SetLifetime sets how long tokens are valid, in place of an hour. A negative lifetime
// makes tokens that have expired. Call it before requests arrive.
func (s *Server) SetLifetime(d time.Duration) { s.lifetime = d }

// Issuer returns the issuer's identifier.
func (s *Server) Issuer() string { return s.issuer }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if r.URL.Path == "/jwks.json" {
		s.fetches++
	}
	fail, hang := s.fail, s.hang
	s.mu.Unlock()
	if hang != nil {
		select {
		case <-hang:
		case <-r.Context().Done():
			return
		}
	}
	if fail != 0 {
		http.Error(w, http.StatusText(fail), fail)
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *Server) metadata(w http.ResponseWriter, r *http.Request) {
	base := strings.TrimSuffix(s.issuer, "/")
	methods := []string{"client_secret_basic", "client_secret_post"}
	if s.anyone != nil {
		methods = append(methods, "none")
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                s.issuer,
		"jwks_uri":                              base + "/jwks.json",
		"token_endpoint":                        base + "/oauth/token",
		"grant_types_supported":                 []string{"client_credentials"},
		"token_endpoint_auth_methods_supported": methods,
		"response_types_supported":              []string{},
		"dpop_signing_alg_values_supported":     proofAlgorithms, // RFC 9449 §5.1
	})
}

func (s *Server) jwks(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	doc, err := jwkSet(s.keys)
	s.mu.Unlock()
	if err != nil {
		http.Error(w, "no keys", http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(doc)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	w.Header().Set("Cache-Control", "public, max-age=900")
	w.Header().Set("Content-Type", "application/jwk-set+json")
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(doc)))
}

// Sign returns a token of exactly these bytes, signed with the current key. Nothing is
// added to header.
func (s *Server) Sign(header, payload []byte) (string, error) {
	return s.signer().sign(header, payload)
}

// Token returns a token with these claims and the usual header, in which typ is
// at+jwt (RFC 9068 §2.1).
func (s *Server) Token(claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	k := s.signer()
	header, err := json.Marshal(map[string]string{"typ": "at+jwt", "alg": k.alg, "kid": k.kid})
	if err != nil {
		return "", err
	}
	return k.sign(header, payload)
}

// Claims returns the claims that the server gives a client's token (RFC 9068
// §2.2), issued now.
func (s *Server) Claims(clientID, audience string) map[string]any {
	now := time.Now()
	return map[string]any{
		"iss": s.issuer, "aud": audience,
		"sub": clientID, "client_id": clientID,
		"iat": now.Unix(), "exp": now.Add(s.lifetime).Unix(),
		"jti": rand.Text(),
	}
}

func (s *Server) signer() *signingKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[len(s.keys)-1]
}

// Key returns the kid and alg of the current key.
func (s *Server) Key() (kid, alg string) {
	k := s.signer()
	return k.kid, k.alg
}

// PublicKey returns the public half of the current key.
func (s *Server) PublicKey() crypto.PublicKey { return s.signer().private.Public() }

// Rotate makes a new key for alg the current one. The previous key stays published, so
// that its tokens stay valid; older keys are withdrawn. An empty alg keeps the current
// algorithm.
func (s *Server) Rotate(alg string) error {
	if alg == "" {
		_, alg = s.Key()
	}
	k, err := newKey(alg)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.keys); n > 1 {
		s.keys = s.keys[n-1:]
	}
	s.keys = append(s.keys[:len(s.keys):len(s.keys)], k)
	return nil
}

// Withdraw withdraws all keys but the current one.
func (s *Server) Withdraw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = s.keys[len(s.keys)-1:]
}

// Fail makes every response an error with this status, until Heal.
func (s *Server) Fail(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = status
}

// Hang makes every request wait, until Heal or until its client gives up.
func (s *Server) Hang() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hang == nil {
		s.hang = make(chan struct{})
	}
}

// Heal ends Fail and Hang.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = 0
	if s.hang != nil {
		close(s.hang)
		s.hang = nil
	}
}

// Fetches returns the number of requests for the JWK Set, whatever the response.
func (s *Server) Fetches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetches
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
