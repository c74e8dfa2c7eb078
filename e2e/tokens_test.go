package e2e

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func TestTokens(t *testing.T) {
	for _, row := range servers {
		t.Run(row.name, func(t *testing.T) {
			s := row.start(t, "RS256-1")
			v, _ := s.verifier(t, func(c *verifier.Config) { c.Audiences = []string{ordersAPI, billingAPI} })
			one, two := s.token(t, ordersAPI), s.token(t, billingAPI, ordersAPI)
			other := s.token(t, "https://other.example.com")

			t.Run("audiences", func(t *testing.T) {
				orders, billing := verifier.Audience(ordersAPI), verifier.Audience(billingAPI)
				expect(t, v, nil, one)
				expect(t, v, nil, one, orders)
				expect(t, v, verifier.ErrAudience, one, billing)
				expect(t, v, nil, two, orders)
				expect(t, v, nil, two, billing)
				expect(t, v, nil, two, orders, billing)
				expect(t, v, verifier.ErrAudience, other)
			})
			t.Run("scopes", func(t *testing.T) {
				want := verifier.ErrScope
				if row.scope {
					want = nil
				}
				expect(t, v, want, one, verifier.Scope("orders:read"))
				expect(t, v, verifier.ErrScope, one, verifier.Scope("orders:read", "orders:write"))
			})
			t.Run("client", func(t *testing.T) {
				tok, err := v.Verify(t.Context(), one)
				require.NoError(t, err)
				assert.Equal(t, row.clientID, tok.ClientID())
				want := verifier.ErrDenied // the tokens have no client id
				if row.clientID != "" {
					want = nil
					expect(t, v, nil, one, verifier.Client(row.clientID))
				}
				expect(t, v, want, one, verifier.ClientCredentials())
				expect(t, v, verifier.ErrDenied, one, verifier.Client("another"))
			})
			t.Run("RFC 9068", func(t *testing.T) {
				strict, _ := s.verifier(t, func(c *verifier.Config) { c.RFC9068 = true })
				want := verifier.ErrType
				if row.profile {
					want = nil
				}
				expect(t, strict, want, one)
			})
			t.Run("a signature that is missing or another's", func(t *testing.T) {
				expect(t, v, verifier.ErrMalformed, signedPart(one))
				expect(t, v, verifier.ErrSignature, signedPart(one)+strings.TrimPrefix(two, signedPart(two)))
			})
			t.Run("another server's token", func(t *testing.T) {
				expect(t, v, verifier.ErrIssuer, row.start(t, "RS256-1").token(t, ordersAPI))
			})
		})
	}
}

// Every way to come by the keys gives the same answers.
func TestKeySources(t *testing.T) {
	for _, row := range servers {
		t.Run(row.name, func(t *testing.T) {
			s := row.start(t, "RS256-1")
			token := s.token(t, ordersAPI)

			t.Run("discovery", func(t *testing.T) {
				v, keys := s.verifier(t, nil)
				expect(t, v, nil, token)
				assert.Empty(t, keys.Stats().KeyWarnings)
			})
			t.Run("discovery by default", func(t *testing.T) {
				v, err := verifier.New(verifier.Config{Issuer: s.issuer, Audiences: []string{ordersAPI}})
				require.NoError(t, err)
				defer v.Close()
				expect(t, v, nil, token) // the first request waits for the keys
			})
			t.Run("the key set's address", func(t *testing.T) {
				keys, err := jwkscache.ForURL(s.metadata(t).JWKSURI, jwkscache.Config{})
				require.NoError(t, err)
				expect(t, s.verifierOver(t, keys, nil), nil, token)
			})
			t.Run("an issuer with a slash too many", func(t *testing.T) {
				v, err := verifier.New(verifier.Config{Issuer: s.issuer + "/", Audiences: []string{ordersAPI}})
				require.NoError(t, err)
				defer v.Close()
				expect(t, v, verifier.ErrIssuer, token)
			})
		})
	}
}

func TestAlgorithms(t *testing.T) {
	kids := []string{"RS256-1", "PS256-1", "ES256-1", "ES384-1", "ES512-1", "EdDSA-1"}
	for _, row := range servers {
		if !row.rotates {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			s := row.start(t, kids...)
			v, keys := s.verifier(t, nil)
			assert.Equal(t, len(kids), keys.Stats().Keys)
			for i, kid := range kids {
				t.Run(algorithm(kid), func(t *testing.T) {
					s.keys(t, slices.Concat(kids[i:], kids[:i])...)
					token := s.token(t, ordersAPI)
					assert.Equal(t, algorithm(kid), headerOf(t, token).Alg)
					assert.Equal(t, kid, headerOf(t, token).Kid)
					expect(t, v, nil, token)

					only, _ := s.verifier(t, func(c *verifier.Config) { c.Algorithms = []string{algorithm(kid)} })
					expect(t, only, nil, token)
					others, _ := s.verifier(t, func(c *verifier.Config) { c.Algorithms = []string{"RS512"} })
					expect(t, others, verifier.ErrAlgorithm, token)
				})
			}
			assert.Equal(t, 1, keys.Stats().Fetches, "one fetch has brought all keys")
		})
	}
}

type header struct{ Alg, Kid, Typ string }

func headerOf(t *testing.T, token string) (h header) {
	t.Helper()
	first, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(first)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &h))
	return h
}

// signedPart is a token up to its signature.
func signedPart(token string) string { return token[:strings.LastIndexByte(token, '.')+1] }
