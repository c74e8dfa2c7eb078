package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A token that is bound to a DPoP key is no bearer token, and confirming it is
// not offered.
func TestDPoPBoundToken(t *testing.T) {
	s := startOIDCProvider(t, "ES256-1")
	v, _ := s.verifier(t, nil)
	proving := &http.Client{Transport: prover{dpopProof(t, s.metadata(t).TokenEndpoint)}}
	c := &clientcredentials.Config{ClientID: s.client, ClientSecret: s.secret, AuthStyle: oauth2.AuthStyleInHeader, TokenURL: s.metadata(t).TokenEndpoint}
	s.grant(c, []string{ordersAPI})
	tok, err := c.Token(context.WithValue(t.Context(), oauth2.HTTPClient, proving))
	require.NoError(t, err)
	require.Equal(t, "DPoP", tok.TokenType)

	expect(t, v, verifier.ErrBinding, tok.AccessToken)
	expectOf(t, v, verifier.ErrNoToken, "DPoP "+tok.AccessToken)
}

// dpopProof writes RFC 9449 section 4.2 for a POST to uri.
func dpopProof(t *testing.T, uri string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key},
		(&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	require.NoError(t, err)
	payload := claims{"jti": rand.Text(), "htm": http.MethodPost, "htu": uri, "iat": time.Now().Unix()}
	jws, err := signer.Sign([]byte(text(t, payload)))
	require.NoError(t, err)
	proof, err := jws.CompactSerialize()
	require.NoError(t, err)
	return proof
}

// A prover sends its proof with every request.
type prover struct{ proof string }

func (p prover) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("DPoP", p.proof)
	return http.DefaultTransport.RoundTrip(r)
}

func TestTokensThatAreNoJWS(t *testing.T) {
	s := startOIDCProvider(t, "RS256-1")
	v, _ := s.verifier(t, nil)

	sealed := s.token(t, "https://sealed.example.com")
	require.Equal(t, 4, strings.Count(sealed, "."), "a JWE")
	expect(t, v, verifier.ErrMalformed, sealed)

	opaque := s.tokenWith(t, func(*clientcredentials.Config) {}).AccessToken // for no resource
	require.NotContains(t, opaque, ".")
	expect(t, v, verifier.ErrMalformed, opaque)
}

// A server's own ID token is kept out by its audience, and where a client id is
// among the API's by mistake, by its nonce, and by RFC9068 in any case.
func TestIDToken(t *testing.T) {
	s := startMock(t)
	v, _ := s.verifier(t, nil)
	mixed, _ := s.verifier(t, func(c *verifier.Config) { c.Audiences = []string{"web"} })
	strict, _ := s.verifier(t, func(c *verifier.Config) { c.Audiences, c.RFC9068 = []string{"web"}, true })
	for _, nonce := range []string{"", "n-0S6_WzA2Mj"} {
		t.Run("nonce "+nonce, func(t *testing.T) {
			token := idToken(t, s, nonce)
			assert.Equal(t, "JWT", headerOf(t, token).Typ)
			byMistake := verifier.ErrType
			if nonce == "" {
				byMistake = nil // as the manual of package verifier warns
			}
			expect(t, v, verifier.ErrAudience, token)
			expect(t, mixed, byMistake, token)
			expect(t, strict, verifier.ErrType, token)
		})
	}
}

// idToken logs a user in at the client "web".
func idToken(t *testing.T, s *server, nonce string) string {
	t.Helper()
	query := url.Values{"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {"http://127.0.0.1/back"}, "scope": {"openid"}}
	if nonce != "" {
		query.Set("nonce", nonce)
	}
	stay := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := stay.Get(s.metadata(t).Authorization + "?" + query.Encode())
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	back, err := res.Location()
	require.NoError(t, err)

	res, err = http.PostForm(s.metadata(t).TokenEndpoint, url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"web"}, "code": {back.Query().Get("code")},
	})
	require.NoError(t, err)
	defer res.Body.Close()
	var body struct {
		IDToken string `json:"id_token"`
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&body))
	require.NotEmpty(t, body.IDToken)
	return body.IDToken
}
