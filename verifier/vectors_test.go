package verifier_test

import (
	"testing"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// TestVectorsAsTokens has the examples of RFC 7515 and RFC 7519 that are JWTs,
// which are no access tokens of today. Those of RFC 7515, RFC 7520 and RFC 8037
// as signatures are in internal/jose.
func TestVectorsAsTokens(t *testing.T) {
	// RFC 7515 appendix A.1.1.
	const joe = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	raw := "eyJhbGciOiJFUzI1NiJ9." + joe +
		".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
	v := newVerifier(t, verifier.Config{Issuer: "joe", Audiences: []string{api}, Keys: &keyMap{}})
	_, err := v.Verify(ctx, raw)
	assertRefused(t, verifier.ErrExpired, err)
	_, err = v.Verify(ctx, "eyJhbGciOiJub25lIn0."+joe+".") // RFC 7519 §6.1
	assertRefused(t, verifier.ErrMalformed, err)
}
