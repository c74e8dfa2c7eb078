package verifier_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// TestZeroNetwork counts what reaches the issuer's server.
func TestZeroNetwork(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	v := iss.Verifier(api)
	require.NoError(t, v.Ready(ctx))
	before := iss.Fetches()
	kid, _ := iss.Key()
	header := `{"alg":"ES256","kid":"` + kid + `"}`
	body := strings.Replace(goodClaims().text(), issuer, iss.URL(), 1)
	verified(t, v, iss.Sign(header, body))
	for name, raw := range map[string]string{
		"C1 untrusted issuer":              iss.Token(verifiertest.Claims{"iss": "https://evil.example"}),
		"C1 untrusted issuer, unknown kid": signerOf("ES256").good(),
		"C2 other audience":                iss.Token(verifiertest.Claims{"aud": "x"}),
		"C3 expired, unknown kid":          iss.Sign(`{"alg":"ES256","kid":"x"}`, strings.Replace(body, `"exp":`, `"exp":1,"old":`, 1)),
		"A1 none, unknown kid":             iss.Sign(`{"alg":"none","kid":"x"}`, body),
		"P3 crit, unknown kid":             iss.Sign(`{"alg":"ES256","kid":"x","crit":["a"]}`, body),
		"P4 cty JWT, unknown kid":          iss.Sign(`{"alg":"ES256","kid":"x","cty":"JWT"}`, body),
		"C5 another type, unknown kid":     iss.Sign(`{"alg":"ES256","kid":"x","typ":"dpop+jwt"}`, body),
		"B1 bound, unknown kid":            iss.Sign(`{"alg":"ES256","kid":"x"}`, strings.Replace(body, "{", `{"cnf":{},`, 1)),
		"P1 no JWT":                        "x.y.z",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Verify(ctx, raw)
			var e *verifier.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, http.StatusUnauthorized, e.Status())
			assert.Equal(t, before, iss.Fetches())
		})
	}
}
