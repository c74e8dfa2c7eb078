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

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// A key is the same as its copies, and as nothing else.
func TestEqual(t *testing.T) {
	n, m := big.NewInt(15), big.NewInt(21)
	p := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).PublicKey
	negative := must(ecdsa.ParseUncompressedPublicKey(elliptic.P256(), flipY(p)))
	keys := []func() crypto.PublicKey{
		func() crypto.PublicKey { return &rsa.PublicKey{N: new(big.Int).Set(n), E: 3} },
		func() crypto.PublicKey { return &rsa.PublicKey{N: new(big.Int).Set(n), E: 5} },
		func() crypto.PublicKey { return &rsa.PublicKey{N: new(big.Int).Set(m), E: 3} },
		func() crypto.PublicKey { k := p; return &k },
		func() crypto.PublicKey { return negative },
		//lint:ignore SA1019 only a caller that sets a coordinate itself makes such a key
		func() crypto.PublicKey { k := p; k.X = new(big.Int).Add(k.X, big.NewInt(1)); return &k }, // not on the curve
		func() crypto.PublicKey { k := p; k.Curve = elliptic.P384(); return &k },
		func() crypto.PublicKey { return ed25519.PublicKey{} },
		func() crypto.PublicKey { return jose.NewSecret(nil) },
		func() crypto.PublicKey { return ed25519.PublicKey(make([]byte, 32)) },
		func() crypto.PublicKey { return ed25519.PublicKey([]byte("01234567890123456789012345678901")) },
		func() crypto.PublicKey { return jose.NewSecret([]byte("a secret")) },
		func() crypto.PublicKey { return jose.NewSecret([]byte("another")) },
	}
	for i, a := range keys {
		for j, b := range keys {
			assert.Equal(t, i == j, jose.Equal(a(), b()), "%d and %d", i, j)
		}
		for _, none := range []crypto.PublicKey{nil, (*rsa.PublicKey)(nil), (*ecdsa.PublicKey)(nil), &rsa.PublicKey{}, &ecdsa.PublicKey{}, "key"} {
			assert.False(t, jose.Equal(a(), none))
			assert.False(t, jose.Equal(none, a()))
		}
	}
}

// flipY returns the point on the other side of the curve.
func flipY(k ecdsa.PublicKey) []byte {
	point := must(k.Bytes())
	y := new(big.Int).SetBytes(point[33:])
	y.Sub(k.Curve.Params().P, y)
	return append(point[:33:33], y.FillBytes(make([]byte, 32))...)
}
