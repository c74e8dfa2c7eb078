package jose_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// p256 is a key as no parser would make it.
func p256(x, y *big.Int) *ecdsa.PublicKey {
	//lint:ignore SA1019 the fields are there, so somebody will fill them in
	return &ecdsa.PublicKey{Curve: elliptic.P256(), X: x, Y: y}
}

// A key source of the user's own may hand out anything.
func TestBrokenKeysFitNothing(t *testing.T) {
	for name, key := range map[string]crypto.PublicKey{
		"nil":                         nil,
		"a string":                    "key",
		"a nil RSA key":               (*rsa.PublicKey)(nil),
		"an RSA key without modulus":  &rsa.PublicKey{E: 65537},
		"an RSA key without exponent": &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047)},
		"a nil EC key":                (*ecdsa.PublicKey)(nil),
		"an EC key without anything":  &ecdsa.PublicKey{},
		"an EC key without a point":   &ecdsa.PublicKey{Curve: elliptic.P256()},
		"an EC key without x":         p256(nil, big.NewInt(1)),
		"an EC key without y":         p256(big.NewInt(1), nil),
		"an EC key off its curve":     p256(big.NewInt(1), big.NewInt(1)),
		"an EC key at infinity":       p256(new(big.Int), new(big.Int)),
		"an EC key below zero":        p256(big.NewInt(-1), big.NewInt(1)),
		"an empty Ed25519 key":        ed25519.PublicKey{},
		"a short Ed25519 key":         make(ed25519.PublicKey, 31),
		"a secret's bytes":            []byte("0123456789abcdef0123456789abcdef"),
	} {
		for _, a := range jose.Algorithms() {
			alg := a.Name
			for _, size := range []int{0, 32, 64, 96, 132, 256} {
				assert.False(t, verify(alg, key, "text", bytes.Repeat([]byte{1}, size)), "A2 %s with %s", name, alg)
			}
		}
	}
}
