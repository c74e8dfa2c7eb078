// Package authority is the server that everything measured here trusts: key
// sets over HTTP on loopback, and the tokens that go with them.
package authority

import (
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
)

// What every token says and every subject demands.
const (
	Issuer   = "https://login.example.com/"
	Audience = "https://api.example.com"
)

// A Server publishes one key set for each algorithm.
type Server struct {
	http    *httptest.Server
	Signers map[string]*Signer // by algorithm
}

// A Signer makes the tokens of one algorithm. Its methods Rotate, Withdraw,
// Fail, Hang, Heal and Fetches are the embedded server's.
type Signer struct {
	*authserver.Server
	Alg  string
	JWKS string // the address of its key set
}

// New starts a server. Each key set has two keys, the second of which signs.
func New(algs ...string) (*Server, error) {
	mux := http.NewServeMux()
	s := &Server{http: httptest.NewServer(withoutCacheControl{mux}), Signers: make(map[string]*Signer)}
	for _, alg := range algs {
		server, err := authserver.New(Issuer, alg)
		if err == nil {
			err = server.Rotate("")
		}
		if err != nil {
			s.Close()
			return nil, err
		}
		mux.Handle("/"+alg+"/", http.StripPrefix("/"+alg, server))
		s.Signers[alg] = &Signer{Server: server, Alg: alg, JWKS: s.http.URL + "/" + alg + "/jwks.json"}
	}
	return s, nil
}

// Close ends what hangs, and the server.
func (s *Server) Close() {
	for _, signer := range s.Signers {
		signer.Heal()
	}
	s.http.CloseClientConnections()
	s.http.Close()
}

// Claims are those of a machine's token, good for an hour.
func Claims(jti string) map[string]any {
	now := time.Now()
	return map[string]any{
		"iss": Issuer, "aud": []string{Audience, "https://billing.example.com"},
		"sub": "billing-service", "client_id": "billing-service", "jti": jti,
		"iat": now.Unix(), "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(),
		"scope": "orders:read orders:write invoices:read", "tenant": "acme",
		"roles": []string{"reader", "writer"},
	}
}

// withoutCacheControl leaves the choice of the refresh interval to the client:
// some libraries let this header overrule their configuration.
type withoutCacheControl struct{ http.Handler }

func (h withoutCacheControl) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.Handler.ServeHTTP(bare{w}, r)
}

type bare struct{ http.ResponseWriter }

func (w bare) WriteHeader(status int) {
	w.Header().Del("Cache-Control")
	w.ResponseWriter.WriteHeader(status)
}
