package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

func TestForKey(t *testing.T) {
	names := func(all []*jose.Algorithm) (names []string) {
		for _, a := range all {
			names = append(names, a.Name)
		}
		return names
	}
	for _, row := range []struct {
		kty, crv string
		size     int
		want     []string
	}{
		{"RSA", "", 0, []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}},
		{"EC", "P-256", 32, []string{"ES256"}},
		{"EC", "P-384", 48, []string{"ES384"}},
		{"EC", "P-521", 66, []string{"ES512"}},
		{"OKP", "Ed25519", 32, []string{"EdDSA", "Ed25519"}},
		{"oct", "", 0, []string{"HS256", "HS384", "HS512"}},
		{"EC", "", 0, nil}, {"EC", "Ed25519", 0, nil}, {"OKP", "X25519", 0, nil}, {"rsa", "", 0, nil}, {"", "", 0, nil},
	} {
		all := jose.ForKey(row.kty, row.crv)
		assert.Equal(t, row.want, names(all), row)
		for _, a := range all {
			assert.Equal(t, row.size, a.KeySize, a.Name)
			assert.Same(t, a, jose.ByName(a.Name))
		}
	}
	assert.Len(t, jose.Algorithms(), 14)
	for _, name := range []string{"none", "", "rs256", "ES256K"} {
		assert.Nil(t, jose.ByName(name), name)
	}
	jose.Algorithms()[0] = nil
	assert.NotNil(t, jose.Algorithms()[0], "a copy")
}

func TestCheckKey(t *testing.T) {
	bits := func(n int) *big.Int { return new(big.Int).SetBit(big.NewInt(1), n-1, 1) }
	ec := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).PublicKey
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for name, row := range map[string]struct {
		key  crypto.PublicKey
		says string // "": usable
	}{
		"A4 RSA of 2,048 bits":     {&rsa.PublicKey{N: bits(2048), E: 3}, ""},
		"A4 RSA of 8,192 bits":     {&rsa.PublicKey{N: bits(8192), E: 1<<31 - 1}, ""},
		"A4 RSA of 2,047 bits":     {&rsa.PublicKey{N: bits(2047), E: 3}, "2047 bits"},
		"A4 RSA of 8,193 bits":     {&rsa.PublicKey{N: bits(8193), E: 3}, "8193 bits"},
		"A4 an even modulus":       {&rsa.PublicKey{N: new(big.Int).Sub(bits(2048), big.NewInt(1)), E: 3}, "even RSA modulus"},
		"A4 the exponent 1":        {&rsa.PublicKey{N: bits(2048), E: 1}, "exponent"},
		"A4 the exponent 4":        {&rsa.PublicKey{N: bits(2048), E: 4}, "exponent"},
		"A4 an exponent of 2^31+1": {&rsa.PublicKey{N: bits(2048), E: 1<<31 + 1}, "exponent"},
		"A4 EC":                    {&ec, ""},
		"A4 EC off its curve":      {p256(big.NewInt(1), big.NewInt(1)), "not on its curve"},
		"A4 Ed25519":               {ed, ""},
		"A4 Ed25519 of 31 bytes":   {ed[:31], "32 bytes"},
		"A4 nothing":               {nil, "unknown kind"},
		"A4 a secret":              {jose.NewSecret([]byte("x")), "unknown kind"},
	} {
		t.Run(name, func(t *testing.T) {
			err := jose.CheckKey(row.key)
			if row.says == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, row.says)
		})
	}
}
