package e2e

import (
	"crypto/tls"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/mtls"
)

// npm @grpc/grpc-js calls methods with a token that npm oidc-provider has bound to its
// certificate.
func TestGRPCMutualTLS(t *testing.T) {
	s := startSecureScene(t)
	certificates, err := mtls.New(mtls.Config{})
	require.NoError(t, err)
	target := serveOrders(t, s.verifier(t, certificates), []grpc.ServerOption{grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: s.certificate.TLS.Certificates, ClientAuth: tls.RequestClientCert,
	}))})
	own, _, _ := s.clients(t)
	token := own.grant(t, s.issuer, "machine", "").Token
	client, _ := startNode(t, "grpc-js.mjs")
	for method, messages := range map[string][]string{"List": {"machine: a"}, "Watch": {"machine: a", "machine: b"}} {
		t.Run("B9 "+method, func(t *testing.T) {
			send := func(cert *tls.Certificate) grpcAnswer {
				question := map[string]any{
					"target": target, "ca": s.caPEM, "method": "/orders.v1.Orders/" + method, "streaming": method == "Watch",
					"metadata": map[string][]string{"authorization": {"Bearer " + token}}, "messages": []string{"a", "b"},
				}
				if cert != nil {
					question["cert"], question["key"] = pemOf(t, *cert)
				}
				return callGRPC(t, client, question)
			}
			assert.Equal(t, messages, send(&s.own).Messages)
			for _, cert := range []*tls.Certificate{&s.another, nil} {
				got := send(cert)
				assert.Equal(t, codes.Unauthenticated, got.Code)
				assert.Equal(t, "INVALID_TOKEN", errorInfo(t, got.Details).Reason)
			}
		})
	}
}

// And with one that is bound to the key of npm dpop. The address in a proof is that of the
// method, which is posted to.
func TestGRPCProofs(t *testing.T) {
	const origin = "https://orders.example.com"
	s := startOIDCProvider(t, "ES256-1")
	proofs, err := dpop.New(dpop.Config{Origins: []string{origin}, NonceSecrets: [][]byte{make([]byte, 32)}})
	require.NoError(t, err)
	target := serveOrders(t, boundVerifier(t, s.issuer, jwkscache.Config{}, proofs), nil)
	prover := startClient(t, "dpop.mjs")
	token := prover.grant(t, s.issuer, s.client, s.secret).Token
	client, _ := startNode(t, "grpc-js.mjs")
	prove := func(htm, method, nonce string) string {
		return prover.do(t, "prove", order{"htu": origin + "/orders.v1.Orders/" + method, "htm": htm, "token": token, "nonce": nonce}).Proof
	}
	for method, messages := range map[string][]string{"List": {"shop: a"}, "Watch": {"shop: a", "shop: b"}} {
		t.Run("B2 "+method, func(t *testing.T) {
			send := func(scheme string, proofs ...string) grpcAnswer {
				return callGRPC(t, client, map[string]any{
					"target": target, "method": "/orders.v1.Orders/" + method, "streaming": method == "Watch", "messages": []string{"a", "b"},
					"metadata": map[string][]string{"authorization": {scheme + " " + token}, "dpop": append([]string{}, proofs...)},
				})
			}
			first := send("DPoP", prove(http.MethodPost, method, ""))
			assert.Equal(t, codes.Unauthenticated, first.Code)
			assert.Contains(t, first.Header["www-authenticate"], `error="use_dpop_nonce"`)
			nonce := first.Header["dpop-nonce"]
			require.NotEmpty(t, nonce)
			good := prove(http.MethodPost, method, nonce)
			assert.Equal(t, messages, send("DPoP", good).Messages)
			for name, got := range map[string]grpcAnswer{
				"B4 again":          send("DPoP", good),
				"B2 none":           send("DPoP"),
				"B2 another method": send("DPoP", prove(http.MethodPost, "Cancel", nonce)),
				"B2 another htm":    send("DPoP", prove(http.MethodGet, method, nonce)),
				"B2 two":            send("DPoP", prove(http.MethodPost, method, nonce), prove(http.MethodPost, method, nonce)),
				"B3 as Bearer":      send("Bearer", prove(http.MethodPost, method, nonce)),
				"B2 another's key":  send("DPoP", prover.with("ES256-2").do(t, "prove", order{"htu": origin + "/orders.v1.Orders/" + method, "htm": "POST", "token": token, "nonce": nonce}).Proof),
			} {
				assert.Equal(t, codes.Unauthenticated, got.Code, name)
				assert.Empty(t, got.Messages, name)
			}
			assert.Equal(t, messages, send("DPoP", prove(http.MethodPost, method, nonce)).Messages)
		})
	}
}
