package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
)

// A client that others wrote, npm oauth4webapi or npm dpop, gets a token of npm
// oidc-provider that is bound to its key, and calls four APIs. Both servers demand nonces
// or do not.
func TestDPoP(t *testing.T) {
	for _, nonces := range []bool{false, true} {
		name, secrets := "B2 without nonces", [][]byte(nil)
		if nonces {
			name, secrets = "B8 with nonces", [][]byte{[]byte(strings.Repeat("s", 32))}
		}
		t.Run(name, func(t *testing.T) {
			if nonces {
				t.Setenv("DPOP_NONCE", "1")
			}
			s := startOIDCProvider(t, "ES256-1")
			srvs, origins := make([]*httptest.Server, len(frameworks)), make([]string, len(frameworks))
			for i := range frameworks {
				srvs[i], origins[i] = listen(t)
			}
			proofs, err := dpop.New(dpop.Config{Origins: origins, NonceSecrets: secrets})
			require.NoError(t, err)
			v := boundVerifier(t, s.issuer, jwkscache.Config{}, proofs)
			for i, f := range frameworks {
				serve(srvs[i], f.protect(v, []verifier.Rule{verifier.Bound(), verifier.Scope("orders:read")}))
			}
			for script, algs := range dpopClients {
				client := startClient(t, script)
				for _, alg := range algs {
					t.Run(script+" "+alg, func(t *testing.T) { callAPIs(t, s, client, alg, origins, nonces) })
				}
			}
		})
	}
}

func callAPIs(t *testing.T, s *server, client boundClient, alg string, origins []string, nonces bool) {
	tries := 1
	if nonces {
		tries = 2 // the first learns the nonce
	}
	client, thief := client.with(alg+"-1"), client.with(alg+"-2")
	plain := s.token(t, ordersAPI)
	given := client.grant(t, s.issuer, s.client, s.secret)
	assert.Equal(t, "dpop", given.Type)
	assert.Equal(t, tries, given.Tries)
	require.NotEmpty(t, given.JKT)
	require.Equal(t, map[string]string{"jkt": given.JKT}, confirmation(t, given.Token))
	hostile := httptest.NewServer(http.NotFoundHandler())
	defer hostile.Close()
	lured := client.get(t, hostile.URL+"/?page=2", given.Token) // which sends what it got to the others
	for i, f := range frameworks {
		if i > 0 && alg != "ES256" {
			break // the algorithm is nothing to a framework
		}
		t.Run(f.name, func(t *testing.T) {
			url := origins[i] + "/?page=2"
			first := client.get(t, url, given.Token)
			assert.Equal(t, http.StatusOK, first.Status, first.Body)
			assert.Equal(t, s.client, first.Body)
			assert.Equal(t, tries, first.Tries)
			second := client.get(t, url, given.Token)
			assert.Equal(t, http.StatusOK, second.Status, second.Body)
			assert.Equal(t, 1, second.Tries, "it knows the nonce, if it needs one")
			assert.Empty(t, second.Nonce, "and needs no other yet")

			for _, row := range []struct {
				name, url, authorization, proof string
				code                            string
			}{
				{"B4 the same request again", url, second.Sent.Authorization, second.Sent.DPoP, "invalid_dpop_proof"},
				{"B4 another query", origins[i] + "/", second.Sent.Authorization, second.Sent.DPoP, "invalid_dpop_proof"},
				{"B6 one for another API", url, lured.Sent.Authorization, lured.Sent.DPoP, "invalid_dpop_proof"},
				{"B2 without the proof", url, second.Sent.Authorization, "", "invalid_dpop_proof"},
				{"B3 as Bearer", url, "Bearer " + given.Token, "", "invalid_token"},
				{"B3 as Bearer, with a proof", url, "Bearer " + given.Token, second.Sent.DPoP, "invalid_token"},
				{"B3 a token that is not bound", url, "Bearer " + plain, "", "invalid_token"},
				{"B3 and as DPoP", url, "DPoP " + plain, second.Sent.DPoP, "invalid_token"},
			} {
				t.Run(row.name, func(t *testing.T) {
					res := resend(t, http.DefaultClient, row.url, row.authorization, row.proof)
					assert.Equal(t, http.StatusUnauthorized, res.StatusCode)
					require.Len(t, res.Header["Www-Authenticate"], 1)
					got := res.Header.Get("WWW-Authenticate")
					assert.Regexp(t, `^DPoP realm="api".*, algs="ES256 `, got)
					assert.Contains(t, got, `error="`+row.code+`"`)
					assert.Equal(t, nonces, res.Header.Get("DPoP-Nonce") != "")
				})
			}
			t.Run("B2 a thief", func(t *testing.T) {
				stolen := thief.get(t, url, given.Token)
				assert.Equal(t, http.StatusUnauthorized, stolen.Status)
				assert.NotContains(t, stolen.Body, s.client)
				if client.readsChallenges {
					require.Len(t, stolen.Challenges, 1)
					assert.Equal(t, "dpop", stolen.Challenges[0].Scheme)
					assert.Equal(t, "invalid_token", stolen.Challenges[0].Parameters["error"])
					assert.Contains(t, strings.Fields(stolen.Challenges[0].Parameters["algs"]), alg)
				}
			})
			again := client.get(t, url, given.Token)
			assert.Equal(t, http.StatusOK, again.Status, "what was refused has changed nothing")
		})
	}
}

// What the library makes of both challenges, where both kinds of tokens are accepted.
func TestDPoPChallenges(t *testing.T) {
	s := startOIDCProvider(t, "ES256-1")
	srv, origin := listen(t)
	proofs, err := dpop.New(dpop.Config{Origins: []string{origin}, Algorithms: []string{"ES256", "PS256"}, NonceSecrets: [][]byte{make([]byte, 32)}})
	require.NoError(t, err)
	v := boundVerifier(t, s.issuer, jwkscache.Config{}, proofs)
	serve(srv, frameworks[0].protect(v, []verifier.Rule{verifier.Scope("orders:read", "orders:write")}))

	client := startClient(t, "oauth4webapi.mjs")
	given := client.grant(t, s.issuer, s.client, s.secret)
	got := client.get(t, origin, given.Token)
	assert.Equal(t, 2, got.Tries, "it has found use_dpop_nonce in the second challenge")
	assert.Equal(t, http.StatusForbidden, got.Status)
	assert.Equal(t, []challenge{
		{"bearer", map[string]string{"realm": "api", "scope": "orders:read orders:write"}},
		{"dpop", map[string]string{
			"realm": "api", "scope": "orders:read orders:write", "algs": "ES256 PS256",
			"error": "insufficient_scope", "error_description": got.Challenges[1].Parameters["error_description"],
		}},
	}, got.Challenges)
	assert.NotEmpty(t, got.Nonce)

	// Another key, of an algorithm that is not accepted.
	other := client.with("ES384-1")
	got = other.get(t, origin, other.grant(t, s.issuer, s.client, s.secret).Token)
	assert.Equal(t, http.StatusUnauthorized, got.Status)
	require.Len(t, got.Challenges, 2)
	assert.Equal(t, "invalid_dpop_proof", got.Challenges[1].Parameters["error"])
	assert.Equal(t, "ES256 PS256", got.Challenges[1].Parameters["algs"])
}

// The addresses that clients make of a URL: oauth4webapi writes what WHATWG's URL makes
// of it, and dpop's caller here writes it as it is, with the query; fetch sends the
// former.
func TestDPoPAddresses(t *testing.T) {
	s := startOIDCProvider(t, "ES256-1")
	srv, origin := listen(t)
	proofs, err := dpop.New(dpop.Config{Origins: []string{origin}})
	require.NoError(t, err)
	v := boundVerifier(t, s.issuer, jwkscache.Config{}, proofs)
	serve(srv, frameworks[0].protect(v, nil))
	for script := range dpopClients {
		client := startClient(t, script).with("Ed25519-1")
		token := client.grant(t, s.issuer, s.client, s.secret).Token
		for _, path := range []string{
			"", "?a", "/", "/?a=b#c", "/orders", "/orders/", "/a/./b/../c", "/a/%2e%2E/b", "/%7Eme", "/a%2Fb", "/a%2fb/", "//a//b",
			"/a|b", "/a;b=1,2", "/a:b@c", "/j%C3%BCrgen", "/a%20b", "/a+b", "/...", "/a%25b", "/a?x=/../y", "/(a)'!*$&",
		} {
			t.Run("B5 "+script+" "+path, func(t *testing.T) {
				got := client.get(t, origin+path, token)
				assert.Equal(t, http.StatusOK, got.Status, got.Body)
			})
		}
	}
}

// A proof that was sent to one replica is sent to the other.
func TestDPoPReplicas(t *testing.T) {
	s := startOIDCProvider(t, "ES256-1")
	for name, row := range map[string]struct {
		store  dpop.ReplayStore
		status int
	}{
		"B4 with a store that they share": {dpop.NewMemory(0), http.StatusUnauthorized},
		"B4 each with its own":            {nil, http.StatusOK}, // as documented: once each
	} {
		t.Run(name, func(t *testing.T) {
			var srvs [2]*httptest.Server
			var origin string
			srvs[0], origin = listen(t)
			srvs[1], _ = listen(t)
			for _, srv := range srvs {
				proofs, err := dpop.New(dpop.Config{Origins: []string{origin}, Replays: row.store})
				require.NoError(t, err)
				serve(srv, frameworks[0].protect(boundVerifier(t, s.issuer, jwkscache.Config{}, proofs), nil))
			}
			client := startClient(t, "oauth4webapi.mjs")
			sent := client.get(t, origin+"/orders", client.grant(t, s.issuer, s.client, s.secret).Token)
			require.Equal(t, http.StatusOK, sent.Status)
			replay := func(srv *httptest.Server) int {
				return resend(t, srv.Client(), srv.URL+"/orders", sent.Sent.Authorization, sent.Sent.DPoP).StatusCode
			}
			assert.Equal(t, row.status, replay(srvs[1]))
			assert.Equal(t, http.StatusUnauthorized, replay(srvs[0]))
			assert.Equal(t, http.StatusUnauthorized, replay(srvs[1]), "once at most")
		})
	}
}
