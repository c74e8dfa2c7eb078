package vectors

import (
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// TestDPoP has the examples of RFC 9449: the proof of §4.1 (figure 2), whose
// signature is good, is no access token, and the token of §6.1 (figure 8), bound
// to the proof's key, is no bearer token.
func TestDPoP(t *testing.T) {
	const (
		x, y  = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"
		jkt   = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
		proof = `eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik
			VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR
			nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE
			QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIj
			oiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwia
			WF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg
			4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg`
	)
	parts := strings.Split(squeeze(proof), ".")
	require.Len(t, parts, 3)
	require.True(t, jose.ByName("ES256").Verify(point(t, elliptic.P256(), x, y), []byte(parts[0]+"."+parts[1]), decoded(t, parts[2])))
	thumbprint := sha256.Sum256(fmt.Appendf(nil, `{"crv":"P-256","kty":"EC","x":%q,"y":%q}`, x, y)) // RFC 7638 §3
	require.Equal(t, jkt, base64.RawURLEncoding.EncodeToString(thumbprint[:]))

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
		"P4 the proof as it is":           {squeeze(proof), verifier.ErrClaims},
		"C5 its header over good claims":  {parts[0] + "." + claims("") + "." + parts[2], verifier.ErrType},
		"B1 the bound token, not expired": {es256 + "." + claims(`,"cnf":{"jkt":"`+jkt+`"}`) + "." + parts[2], verifier.ErrBinding},
		"B1 but for the binding":          {es256 + "." + claims("") + "." + parts[2], verifier.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Verify(ctx, tt.token)
			assert.ErrorIs(t, err, tt.want)
		})
	}
}
