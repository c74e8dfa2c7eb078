package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// verify is how the verifier checks a signature.
func verify(alg string, key crypto.PublicKey, signed string, sig []byte) bool {
	return jose.ByName(alg).Verify(key, []byte(signed), sig)
}

// flip returns a copy of b with one bit changed.
func flip(b []byte, i int) []byte {
	c := append([]byte{}, b...)
	c[i] ^= 1
	return c
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// decode reads base64url, with line breaks as the RFCs print it.
func decode(text string) []byte {
	return must(base64.RawURLEncoding.DecodeString(strings.Join(strings.Fields(text), "")))
}

func rsaKey(n string) *rsa.PublicKey {
	return &rsa.PublicKey{N: new(big.Int).SetBytes(decode(n)), E: 65537}
}

func ecdsaKey(curve elliptic.Curve, x, y string) *ecdsa.PublicKey {
	return must(ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{4}, decode(x)...), decode(y)...)))
}

const (
	// RFC 7515 appendix A.1.1: the claims of A.1 to A.3.
	joe = `eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt
		cGxlLmNvbS9pc19yb290Ijp0cnVlfQ`
	// RFC 7520 figure 8: the payload of section 4.
	frodo = `SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IH
		lvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBk
		b24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcm
		UgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4`
	// RFC 7520 figure 4: the modulus of bilbo.baggins@hobbiton.example.
	bilbo = `n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojd
		NhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcE
		e6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD
		1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_
		vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHd
		rNP5zw`
)

// TestVectors checks the signatures that RFCs publish.
func TestVectors(t *testing.T) {
	tests := []struct {
		name, alg         string
		key               crypto.PublicKey
		header, body, sig string
	}{
		{
			"RFC 7515 A.1", "HS256",
			jose.NewSecret(decode(`AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75
				aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow`)),
			"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", joe,
			"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
		},
		{
			"RFC 7515 A.2", "RS256",
			rsaKey(`ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx
				HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs
				D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSH
				SXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV
				MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8
				NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ`),
			"eyJhbGciOiJSUzI1NiJ9", joe,
			`cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7
			AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4
			BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K
			0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv
			hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB
			p0igcN_IoypGlUPQGe77Rw`,
		},
		{
			"RFC 7515 A.3", "ES256",
			ecdsaKey(elliptic.P256(), "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
			"eyJhbGciOiJFUzI1NiJ9", joe,
			`DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA
			pmWQxfKTUJqPP3-Kg6NU1Q`,
		},
		{
			"RFC 7515 A.4", "ES512",
			ecdsaKey(elliptic.P521(),
				`AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_
				NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk`,
				`ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDl
				y79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2`),
			"eyJhbGciOiJFUzUxMiJ9", "UGF5bG9hZA",
			`AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZq
			wqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8Kp
			EHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn`,
		},
		{
			"RFC 8037 A.4", "EdDSA",
			ed25519.PublicKey(decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")),
			"eyJhbGciOiJFZERTQSJ9", "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
			`hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt
			9g7sVvpAr_MuM0KAg`,
		},
		{
			"RFC 7520 4.1", "RS256", rsaKey(bilbo),
			"eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9", frodo,
			`MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmK
			ZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4J
			IwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8w
			W1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluP
			xUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_f
			cIe8u9ipH84ogoree7vjbU5y18kDquDg`,
		},
		{
			"RFC 7520 4.2", "PS384", rsaKey(bilbo),
			"eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9", frodo,
			`cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2I
			pN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXU
			vdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRX
			e8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT
			0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a
			6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw`,
		},
		{
			"RFC 7520 4.3", "ES512",
			ecdsaKey(elliptic.P521(),
				`AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqv
				jyekWF-7ytDyRXYgCF5cj0Kt`,
				`AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgD
				PrwQrJmbnX9cwlGfP-HqHZR1`),
			"eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9", frodo,
			`AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvb
			u9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kv
			AD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2`,
		},
		{
			"RFC 7520 4.4", "HS256", jose.NewSecret(decode("hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg")),
			"eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9", frodo,
			"s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name+" "+tt.alg, func(t *testing.T) {
			signed := tt.header + "." + strings.Join(strings.Fields(tt.body), "")
			sig := decode(tt.sig)
			require.True(t, verify(tt.alg, tt.key, signed, sig))
			assert.False(t, verify(tt.alg, tt.key, signed+"A", sig))
			assert.False(t, verify(tt.alg, tt.key, signed, flip(sig, 0)))
			if secret, ok := tt.key.(jose.Secret); ok {
				assert.False(t, verify(tt.alg, secret(), signed, sig), "A1 no KeySource can bring one")
			}
			for _, a := range jose.Algorithms() {
				other := a.Name
				same := other == tt.alg || tt.alg == "EdDSA" && other == "Ed25519"
				assert.Equal(t, same, verify(other, tt.key, signed, sig), other)
			}
		})
	}
}
