package dpop_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
)

// bare returns a function that verifies a proof's signature with the standard library
// alone.
func bare(b *testing.B, s *jwttest.Signer, proof string) func() bool {
	at := strings.LastIndexByte(proof, '.')
	signed := proof[:at]
	signature, err := base64.RawURLEncoding.DecodeString(proof[at+1:])
	require.NoError(b, err)
	switch k := s.Public().(type) {
	case *ecdsa.PublicKey:
		return func() bool {
			n := len(signature) / 2
			return ecdsa.Verify(k, jwttest.Digest(s.Hash(), signed), new(big.Int).SetBytes(signature[:n]), new(big.Int).SetBytes(signature[n:]))
		}
	case ed25519.PublicKey:
		return func() bool { return ed25519.Verify(k, []byte(signed), signature) }
	case *rsa.PublicKey:
		return func() bool {
			return rsa.VerifyPKCS1v15(k, s.Hash(), jwttest.Digest(s.Hash(), signed), signature) == nil
		}
	}
	b.Fatal("no such key")
	return nil
}

// The proof of RFC 9449 §7.1 (figure 12) is read, with its key.
func TestRFC9449(t *testing.T) {
	const (
		header    = `{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}}`
		payload   = `{"jti":"e1j3V_bKic8-LAEB","htm":"GET","htu":"https://resource.example.org/protectedresource","iat":1562262618,"ath":"fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"}`
		signature = "2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
		token     = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
		jkt       = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
	)
	proof := jwttest.Encode(header) + "." + jwttest.Encode(payload) + "." + signature
	got, err := dpop.Check(proof, "GET", "https://resource.example.org/protectedresource", token)
	require.NoError(t, err)
	assert.Equal(t, jkt, got, "B2 RFC 9449 §6.1")
	_, err = dpop.Check(proof, "GET", "https://resource.example.org/protectedresource", token+"x")
	assert.ErrorContains(t, err, "ath")
	_, err = dpop.Check(proof[:len(proof)-1]+"g", "GET", "https://resource.example.org/protectedresource", token)
	assert.ErrorContains(t, err, "signature")

	// RFC 7638 §3.1.
	assert.Equal(t, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", dpop.Thumbprint(`{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`))
	// RFC 8037 appendix A.3.
	assert.Equal(t, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", dpop.Thumbprint(`{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`))
}

// Keys that have the right form but must not be used.
func TestBadKeys(t *testing.T) {
	one := jwttest.Encode(big.NewInt(65537).Bytes())
	n := jwttest.RSAKey(1).N.Bytes()
	point := jwkOf(jwttest.NewSigner("ES256"))
	x := strings.Split(strings.Split(point, `"x":"`)[1], `"`)[0]
	y := strings.Split(strings.Split(point, `"y":"`)[1], `"`)[0]
	zero := strings.Repeat("A", 43)
	for name, row := range map[string][2]string{
		"a short modulus":       {"RS256", `{"kty":"RSA","n":"` + jwttest.Encode(jwttest.SmallRSAKey().N.Bytes()) + `","e":"` + one + `"}`},
		"a long modulus":        {"RS256", `{"kty":"RSA","n":"` + jwttest.Encode(strings.Repeat("\xff", 1025)) + `","e":"` + one + `"}`},
		"a modulus with a zero": {"RS256", `{"kty":"RSA","n":"` + jwttest.Encode("\x00"+string(n)) + `","e":"` + one + `"}`},
		"exponent 3":            {"RS256", `{"kty":"RSA","n":"` + jwttest.Encode(n) + `","e":"Aw"}`},
		"exponent 1":            {"RS256", `{"kty":"RSA","n":"` + jwttest.Encode(n) + `","e":"AQ"}`},
		"an even exponent":      {"RS256", `{"kty":"RSA","n":"` + jwttest.Encode(n) + `","e":"AQAC"}`},
		"a long exponent":       {"RS256", `{"kty":"RSA","n":"` + jwttest.Encode(n) + `","e":"AQAAAAE"}`},
		"a large exponent":      {"RS256", `{"kty":"RSA","n":"` + jwttest.Encode(n) + `","e":"_____w"}`},
		"no exponent":           {"RS256", `{"kty":"RSA","n":"` + jwttest.Encode(n) + `"}`},
		"an even modulus":       {"RS256", `{"kty":"RSA","n":"` + jwttest.Encode(append(n[:len(n)-1:len(n)-1], 2)) + `","e":"` + one + `"}`},
		"RSA with a curve":      {"RS256", `{"kty":"RSA","crv":"P-256","n":"` + jwttest.Encode(n) + `","e":"` + one + `"}`},
		"not on the curve":      {"ES256", `{"kty":"EC","crv":"P-256","x":"` + x + `","y":"` + x + `"}`},
		"the point at infinity": {"ES256", `{"kty":"EC","crv":"P-256","x":"` + zero + `","y":"` + zero + `"}`},
		"a short coordinate":    {"ES256", `{"kty":"EC","crv":"P-256","x":"` + x[:42] + `","y":"` + y + `"}`},
		"a padded coordinate":   {"ES256", `{"kty":"EC","crv":"P-256","x":"` + x + `=","y":"` + y + `"}`},
		"another curve":         {"ES256", `{"kty":"EC","crv":"P-384","x":"` + x + `","y":"` + y + `"}`},
		"a curve in lower case": {"ES256", `{"kty":"EC","crv":"p-256","x":"` + x + `","y":"` + y + `"}`},
		"a kty in lower case":   {"ES256", `{"kty":"ec","crv":"P-256","x":"` + x + `","y":"` + y + `"}`},
		"no y":                  {"ES256", `{"kty":"EC","crv":"P-256","x":"` + x + `"}`},
		"an Ed25519 key of EC":  {"Ed25519", `{"kty":"OKP","crv":"P-256","x":"` + x + `"}`},
		"X25519":                {"Ed25519", `{"kty":"OKP","crv":"X25519","x":"` + x + `"}`},
		"a short key":           {"Ed25519", `{"kty":"OKP","crv":"Ed25519","x":"` + x[:40] + `"}`},
	} {
		t.Run("B2 "+name, func(t *testing.T) { assert.False(t, dpop.Usable(row[1], row[0])) })
	}
	assert.True(t, dpop.Usable(point, "ES256"))
	assert.True(t, dpop.Usable(jwkOf(jwttest.NewSigner("PS512")), "PS512"))
	assert.True(t, dpop.Usable(jwkOf(jwttest.NewSigner("EdDSA")), "Ed25519"))
}

// FuzzProof reads anything as a proof; whatever is read has the form of one.
func FuzzProof(f *testing.F) {
	s := jwttest.NewSigner("ES256")
	header := members{"typ": `"dpop+jwt"`, "alg": `"ES256"`, "jwk": jwkOf(s)}
	claims := members{"jti": `"1"`, "htm": `"GET"`, "htu": text(api), "iat": "1562262618"}
	f.Add(header.Text(), claims.Text())
	f.Add(members{"jwk": `{"kty":"EC","d":"A"}`}.Over(header).Text(), claims.Text())
	f.Add(header.With(`"jwk":{}`), claims.With(`"iat":[]`))
	f.Fuzz(func(t *testing.T, header, claims string) {
		raw := jwttest.Encode(header) + "." + jwttest.Encode(claims) + ".AAAA"
		if !dpop.Readable(raw) {
			return
		}
		for _, word := range []string{"jwk", "kty", "dpop+jwt"} {
			if !strings.Contains(strings.ToLower(header), word) && !strings.Contains(header, `\`) {
				t.Errorf("read without %s: %s", word, header)
			}
		}
	})
}
