package authserver_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A proof that comes with the request binds the token; a bad one gets none.
func TestBoundTokens(t *testing.T) {
	const endpoint = issuer + "/oauth/token"
	s, key := newServer(t), verifiertest.NewDPoPKey()
	now := time.Now()
	jwk := `{"kty":"EC","crv":"P-256","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"`
	payload := `{"jti":"1","htm":"POST","htu":"` + endpoint + `","iat":1}`
	proof := func(claims verifiertest.Claims) string { return key.Proof("POST", endpoint, "", claims) }
	for name, row := range map[string]struct {
		proofs []string
		want   string // in the description; "" if the token is bound
	}{
		"good":              {[]string{proof(nil)}, ""},
		"a query":           {[]string{key.Proof("POST", endpoint+"?x", "", nil)}, ""},
		"two":               {[]string{proof(nil), proof(nil)}, "several"},
		"none":              {[]string{""}, "not a compact JWS"},
		"another type":      {[]string{key.Sign(`{"typ":"JWT","alg":"ES256","jwk":`+jwk+`}}`, payload)}, "typ"},
		"alg none":          {[]string{key.Sign(`{"typ":"dpop+jwt","alg":"none","jwk":`+jwk+`}}`, payload)}, "alg"},
		"alg HS256":         {[]string{key.Sign(`{"typ":"dpop+jwt","alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}`, payload)}, "alg"},
		"no jwk":            {[]string{key.Sign(`{"typ":"dpop+jwt","alg":"ES256"}`, payload)}, "no jwk"},
		"a private jwk":     {[]string{key.Sign(`{"typ":"dpop+jwt","alg":"ES256","jwk":`+jwk+`,"d":"AQ"}}`, payload)}, "jwk is not a public key"},
		"another key":       {[]string{key.Sign(`{"typ":"dpop+jwt","alg":"ES256","jwk":`+jwk+`}}`, payload)}, "the signature"},
		"no jti":            {[]string{proof(verifiertest.Claims{"jti": nil})}, "jti"},
		"a jti of a number": {[]string{proof(verifiertest.Claims{"jti": 1})}, "jti"},
		"another method":    {[]string{proof(verifiertest.Claims{"htm": "post"})}, "htm"},
		"another address":   {[]string{proof(verifiertest.Claims{"htu": "https://api.example.com/oauth/token"})}, "are not POST and " + endpoint},
		"old":               {[]string{proof(verifiertest.Claims{"iat": now.Add(-62 * time.Second)})}, "iat"},
		"early":             {[]string{proof(verifiertest.Claims{"iat": now.Add(70 * time.Second)})}, "iat"},
	} {
		t.Run("J6 "+name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, endpoint, strings.NewReader("grant_type=client_credentials&client_id=shop&client_secret=s3cret%2F"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header["Dpop"] = row.proofs
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			var got struct {
				AccessToken string `json:"access_token"`
				TokenType   string `json:"token_type"`
				Error       string
				Description string `json:"error_description"`
			}
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
			if row.want != "" {
				assert.Equal(t, 400, w.Code)
				assert.Equal(t, "invalid_dpop_proof", got.Error)
				assert.Contains(t, got.Description, row.want)
				assert.Empty(t, got.AccessToken)
				return
			}
			assert.Equal(t, 200, w.Code, w.Body)
			assert.Equal(t, "DPoP", got.TokenType)
			assert.Equal(t, key.Thumbprint(), claimsIn(t, got.AccessToken).Cnf["jkt"])
		})
	}
}

func claimsIn(t *testing.T, token string) (claims struct{ Cnf map[string]string }) {
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &claims))
	return claims
}
