package vectors

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// The examples of RFC 7515, RFC 7520 and RFC 8037 in compact serialization are
// in internal/jose. Here are the rest: signatures that are good, in forms
// that are refused.

const (
	// RFC 7515 appendix A.1.1: the claims of A.1 to A.3, A.5, A.6 and A.7.
	joe = `eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt
		cGxlLmNvbS9pc19yb290Ijp0cnVlfQ`
	// RFC 7515 appendix A.3.1: the public part.
	joeX, joeY = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	joeD       = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
	// RFC 7515 appendix A.3.1, and A.6.3 and A.7 again.
	joeSignature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

	// RFC 7520 figure 8: the payload of section 4.
	frodo = `SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IH
		lvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBk
		b24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcm
		UgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4`
	// RFC 7520 figure 5: the secret of sections 4.4 to 4.8.
	frodoSecret = "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"
	// RFC 7520 figure 4: the modulus of bilbo.baggins@hobbiton.example.
	bilboN = `n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojd
		NhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcE
		e6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD
		1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_
		vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHd
		rNP5zw`
	// RFC 7520 figure 1: the P-521 key of the same.
	bilboX = "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt"
	bilboY = "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1"
)

func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

func decoded(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(squeeze(s))
	require.NoError(t, err)
	return b
}

func point(t *testing.T, curve elliptic.Curve, x, y string) *ecdsa.PublicKey {
	t.Helper()
	k, err := ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{4}, decoded(t, x)...), decoded(t, y)...))
	require.NoError(t, err)
	return k
}

// TestOtherForms has genuine signatures of the RFCs, in forms that an access
// token does not have: JSON serialization (RFC 7515 §7.2), no protected header,
// detached content.
func TestOtherForms(t *testing.T) {
	const (
		protected7515 = "eyJhbGciOiJFUzI1NiJ9" // {"alg":"ES256"}
		protectedHS   = "eyJhbGciOiJIUzI1NiJ9" // {"alg":"HS256"}
		protectedRS   = "eyJhbGciOiJSUzI1NiJ9" // {"alg":"RS256"}
		protectedKid  = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9"
	)
	secret := jose.NewSecret(decoded(t, frodoSecret))
	bilbo := point(t, elliptic.P521(), bilboX, bilboY)
	bilboRSA := &rsa.PublicKey{N: new(big.Int).SetBytes(decoded(t, bilboN)), E: 65537}
	joes := point(t, elliptic.P256(), joeX, joeY)
	flattened := func(protected, payload, sig string) string {
		if protected != "" {
			protected = fmt.Sprintf(`"protected":%q,`, protected)
		}
		return fmt.Sprintf(`{"payload":%q,%s"header":{"alg":"HS256","kid":"k"},"signature":%q}`, squeeze(payload), protected, squeeze(sig))
	}
	general := func(protected, payload, sig string) string {
		return fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"header":{"kid":"k"},"signature":%q}]}`,
			squeeze(payload), protected, squeeze(sig))
	}
	detached := func(protected, _, sig string) string { return protected + ".." + squeeze(sig) }
	tests := []struct {
		name, alg               string
		key                     any
		protected, payload, sig string
		forms                   []func(protected, payload, sig string) string
	}{
		{
			"RFC 7515 A.6 and A.7", "ES256", joes, protected7515, joe, joeSignature,
			[]func(_, _, _ string) string{flattened, general, detached},
		},
		{
			"RFC 7520 4.5 detached", "HS256", secret, protectedKid, frodo, "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0",
			[]func(_, _, _ string) string{detached, flattened, general},
		},
		{
			"RFC 7520 4.6 some members protected", "HS256", secret, protectedHS, frodo, "bWUSVaxorn7bEF1djytBd0kHv70Ly5pvbomzMWSOr20",
			[]func(_, _, _ string) string{flattened, general},
		},
		{
			"RFC 7520 4.7 content only", "HS256", secret, "", frodo, "xuLifqLGiblpv9zBpuZczWhNj1gARaLV3UxvxhJxZuk",
			[]func(_, _, _ string) string{flattened},
		},
		{
			"RFC 7520 4.8 first of three", "RS256", bilboRSA, protectedRS, frodo,
			`MIsjqtVlOpa71KE-Mss8_Nq2YH4FGhiocsqrgi5NvyG53uoimic1tcMdSg-qpt
			rzZc7CG6Svw2Y13TDIqHzTUrL_lR2ZFcryNFiHkSw129EghGpwkpxaTn_THJTC
			glNbADko1MZBCdwzJxwqZc-1RlpO2HibUYyXSwO97BSe0_evZKdjvvKSgsIqjy
			tKSeAMbhMBdMma622_BG5t4sdbuCHtFjp9iJmkio47AIwqkZV1aIZsv33uPUqB
			BCXbYoQJwt7mxPftHmNlGoOSMxR_3thmXTCm4US-xiNOyhbm8afKK64jU6_TPt
			QHiJeQJxz9G3Tx-083B745_AfYOnlC9w`,
			[]func(_, _, _ string) string{flattened, general},
		},
		{
			"RFC 7520 4.8 second of three, unprotected", "ES512", bilbo, "", frodo,
			`ARcVLnaJJaUWG8fG-8t5BREVAuTY8n8YHjwDO1muhcdCoFZFFjfISu0Cdkn9Yb
			dlmi54ho0x924DUz8sK7ZXkhc7AFM8ObLfTvNCrqcI3Jkl2U5IX3utNhODH6v7
			xgy1Qahsn0fyb4zSAkje8bAWz4vIfj5pCMYxxm4fgV3q7ZYhm5eD`,
			[]func(_, _, _ string) string{flattened},
		},
	}
	for _, tt := range tests {
		t.Run("P1 "+tt.name, func(t *testing.T) {
			require.True(t, jose.ByName(tt.alg).Verify(tt.key, []byte(tt.protected+"."+squeeze(tt.payload)), decoded(t, tt.sig)), "the signature as typed")
			for _, v := range verifiers(t) {
				for _, form := range tt.forms {
					_, err := v.Verify(ctx, form(tt.protected, tt.payload, tt.sig))
					assert.ErrorIs(t, err, verifier.ErrMalformed)
				}
				_, err := v.Verify(ctx, tt.protected+"."+squeeze(tt.payload)+"."+squeeze(tt.sig))
				assert.Error(t, err, "no access token")
			}
		})
	}
}

// verifiers returns one with public keys and one with a secret.
func verifiers(t *testing.T) []*verifier.Verifier {
	t.Helper()
	public := verifier.Config{Issuer: issuer, Audiences: []string{audience}}
	secret := public
	cache, err := jwkscache.Static(asSet(json.RawMessage(fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, joeX, joeY))))
	require.NoError(t, err)
	public.Keys, secret.SharedSecrets = cache, [][]byte{decoded(t, frodoSecret)}
	var made []*verifier.Verifier
	for _, cfg := range []verifier.Config{public, secret} {
		v, err := verifier.New(cfg)
		require.NoError(t, err)
		made = append(made, v)
	}
	return made
}

// TestUnsecured has the JWS without signature of RFC 7515 appendix A.5, as it is
// and with its claims good.
func TestUnsecured(t *testing.T) {
	const none = "eyJhbGciOiJub25lIn0" // {"alg":"none"}
	for _, v := range verifiers(t) {
		for _, payload := range []string{squeeze(joe), goodClaims()} {
			_, err := v.Verify(ctx, none+"."+payload+".")
			assert.ErrorIs(t, err, verifier.ErrMalformed, "P1 an empty segment")
		}
		_, err := v.Verify(ctx, none+"."+goodClaims()+"."+joeSignature)
		assert.ErrorIs(t, err, verifier.ErrAlgorithm, "A1 none")
	}
}

// TestKeysOfTheRFCs loads their keys: public ones come out, private ones and
// secrets do not load.
func TestKeysOfTheRFCs(t *testing.T) {
	const edX = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
	ed := ed25519.PublicKey(decoded(t, edX))
	ec := fmt.Sprintf(`"kty":"EC","crv":"P-256","x":%q,"y":%q`, joeX, joeY)
	for name, tt := range map[string]struct {
		jwk, alg string
		want     any
	}{
		"RFC 8037 A.2":                {`{"kty":"OKP","crv":"Ed25519","x":"` + edX + `"}`, "EdDSA", ed},
		"RFC 8037 A.1 with d":         {`{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"` + edX + `"}`, "", nil},
		"RFC 7515 A.3.1 without d":    {"{" + ec + "}", "ES256", point(t, elliptic.P256(), joeX, joeY)},
		"RFC 7515 A.3.1":              {"{" + ec + `,"d":"` + joeD + `"}`, "", nil},
		"RFC 7520 3.1, without kid":   {`{"kty":"EC","use":"sig","crv":"P-521","x":"` + bilboX + `","y":"` + bilboY + `"}`, "ES512", point(t, elliptic.P521(), bilboX, bilboY)},
		"RFC 7520 3.5, the secret":    {`{"kty":"oct","use":"sig","alg":"HS256","k":"` + frodoSecret + `"}`, "", nil},
		"RFC 8037 A.6, X25519":        {`{"kty":"OKP","crv":"X25519","kid":"Bob","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}`, "", nil},
		"RFC 7520 3.3, but e is even": {`{"kty":"RSA","e":"AQAA","n":"` + squeeze(bilboN) + `"}`, "", nil},
	} {
		t.Run("A4 "+name, func(t *testing.T) {
			cache, err := jwkscache.Static(asSet(json.RawMessage(tt.jwk)))
			if tt.want == nil {
				assert.Error(t, err)
				return
			}
			require.NoError(t, err)
			keys, err := cache.Lookup(ctx, jwkscache.Query{Algorithm: tt.alg})
			require.NoError(t, err)
			require.Len(t, keys, 1)
			assert.Equal(t, tt.want, keys[0])
		})
	}
}
