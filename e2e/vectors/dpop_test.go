package vectors

import (
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

const (
	// RFC 9449 §6.1: the thumbprint of the key of its examples.
	exampleJKT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
	// Figure 2, and figure 12, which is of a request with a token that is no JWT.
	tokenProof = `eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik
		VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR
		nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE
		QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIj
		oiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwia
		WF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg
		4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg`
	resourceProof = `eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik
		VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR
		nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE
		QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIj
		oiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0Z
		WRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNF
		c05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71E
		OptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA`
)

// TestDPoP has the examples of RFC 9449: the proof of §4.1 (figure 2), whose
// signature is good, is no access token, and the token of §6.1 (figure 8), bound
// to the proof's key, is no bearer token.
func TestDPoP(t *testing.T) {
	const (
		x, y = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"
	)
	parts := strings.Split(squeeze(tokenProof), ".")
	require.Len(t, parts, 3)
	require.True(t, jose.ByName("ES256").Verify(point(t, elliptic.P256(), x, y), []byte(parts[0]+"."+parts[1]), decoded(t, parts[2])))
	second := strings.Split(squeeze(resourceProof), ".")
	require.Len(t, second, 3)
	require.True(t, jose.ByName("ES256").Verify(point(t, elliptic.P256(), x, y), []byte(second[0]+"."+second[1]), decoded(t, second[2])))
	thumbprint := sha256.Sum256(fmt.Appendf(nil, `{"crv":"P-256","kty":"EC","x":%q,"y":%q}`, x, y)) // RFC 7638 §3
	require.Equal(t, exampleJKT, base64.RawURLEncoding.EncodeToString(thumbprint[:]))

	// The worst case: the client's key is among the issuer's.
	keys, err := jwkscache.Static(asSet(json.RawMessage(fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, x, y))))
	require.NoError(t, err)
	v, err := verifier.New(verifier.Config{Issuer: "https://server.example.com", Audiences: []string{audience}, Keys: keys})
	require.NoError(t, err)
	claims := func(more string) string {
		return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil,
			`{"sub":"someone@example.com","iss":"https://server.example.com","nbf":1562262611,"aud":%q,"exp":%d%s}`,
			audience, time.Now().Add(time.Hour).Unix(), more))
	}
	const es256 = "eyJhbGciOiJFUzI1NiJ9" // {"alg":"ES256"}
	for name, tt := range map[string]struct {
		token string
		want  error
	}{
		"P4 the proof as it is":           {squeeze(tokenProof), verifier.ErrClaims},
		"C5 its header over good claims":  {parts[0] + "." + claims("") + "." + parts[2], verifier.ErrType},
		"B1 the bound token, not expired": {es256 + "." + claims(`,"cnf":{"jkt":"`+exampleJKT+`"}`) + "." + parts[2], verifier.ErrBinding},
		"B1 but for the binding":          {es256 + "." + claims("") + "." + parts[2], verifier.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Verify(ctx, tt.token)
			assert.ErrorIs(t, err, tt.want)
		})
	}
}

// TestDPoPProofs has those proofs, at the time at which they were made, beside a token
// that is bound to their key. They are of another token, and that alone is wrong; whole
// requests are in package dpop.
func TestDPoPProofs(t *testing.T) {
	const resource, server = "https://resource.example.org/protectedresource", "https://server.example.com/token"
	good := squeeze(resourceProof)
	for name, row := range map[string]struct {
		method, url, scheme string
		proofs              []string
		reason              error
		cause               string
	}{
		"B2 figure 12":                   {"GET", resource, "DPoP", []string{good}, verifier.ErrProof, "ath of the proof"},
		"B5 figure 12, with a query":     {"GET", resource + "?a=b", "DPoP", []string{good}, verifier.ErrProof, "ath of the proof"},
		"B2 figure 2, which has no ath":  {"POST", server, "DPoP", []string{squeeze(tokenProof)}, verifier.ErrProof, "ath of the proof"},
		"B2 figure 12, another method":   {"HEAD", resource, "DPoP", []string{good}, verifier.ErrProof, "htm of the proof"},
		"B5 figure 12, another path":     {"GET", resource + "/1", "DPoP", []string{good}, verifier.ErrProof, "htu of the proof"},
		"B6 figure 12, another origin":   {"GET", server, "DPoP", []string{good}, verifier.ErrProof, "htu of the proof"},
		"B2 both":                        {"GET", resource, "DPoP", []string{good, squeeze(tokenProof)}, verifier.ErrProof, "more than one DPoP field"},
		"B2 neither":                     {"GET", resource, "DPoP", nil, verifier.ErrProof, "no DPoP field"},
		"B2 figure 12 without signature": {"GET", resource, "DPoP", []string{good[:strings.LastIndexByte(good, '.')+1]}, verifier.ErrProof, ""},
		"B3 figure 12 beside Bearer":     {"GET", resource, "Bearer", []string{good}, verifier.ErrBinding, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.Unix(1562262618, 0)))
				iss := verifiertest.NewIssuer(t)
				binding, err := dpop.New(dpop.Config{Origins: []string{"https://resource.example.org", "https://server.example.com"}})
				require.NoError(t, err)
				v, err := verifier.Settings{Bindings: []verifier.Binding{binding}}.New(iss.Config(audience))
				require.NoError(t, err)
				defer v.Close()
				r := httptest.NewRequest(row.method, row.url, nil)
				r.Header.Set("Authorization", row.scheme+" "+iss.Token(verifiertest.Claims{"cnf": map[string]any{"jkt": exampleJKT}}))
				r.Header["Dpop"] = row.proofs
				_, err = v.Authenticate(r)
				require.ErrorIs(t, err, row.reason)
				assert.ErrorContains(t, err, row.cause)
			})
		})
	}
}
