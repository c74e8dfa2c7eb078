package jose_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// A signature by a shorter curve's key fits into the room for a longer one's:
// only the curve tells that it is of another algorithm (RFC 7518 §3.4).
func TestCurveAndAlgorithm(t *testing.T) {
	const signed = "eyJhbGciOiJFUzI1NiJ9.e30"
	p224, p256, p384, p521 := elliptic.P224(), elliptic.P256(), elliptic.P384(), elliptic.P521()
	for _, row := range []struct {
		name, alg string
		curve     elliptic.Curve
		hash      crypto.Hash
		size      int // of r and of s
		want      bool
	}{
		{"A2 ES256 with P-256", "ES256", p256, crypto.SHA256, 32, true},
		{"A2 ES384 with P-384", "ES384", p384, crypto.SHA384, 48, true},
		{"A2 ES512 with P-521", "ES512", p521, crypto.SHA512, 66, true},
		{"A2 ES256 with P-224", "ES256", p224, crypto.SHA256, 32, false},
		{"A2 ES384 with P-256", "ES384", p256, crypto.SHA384, 48, false},
		{"A2 ES512 with P-256", "ES512", p256, crypto.SHA512, 66, false},
		{"A2 ES512 with P-384", "ES512", p384, crypto.SHA512, 66, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			private := must(ecdsa.GenerateKey(row.curve, rand.Reader))
			h := row.hash.New()
			h.Write([]byte(signed))
			r, s, err := ecdsa.Sign(rand.Reader, private, h.Sum(nil))
			must(s, err)
			room := func(x *big.Int) []byte { return x.FillBytes(make([]byte, row.size)) }
			assert.Equal(t, row.want, verify(row.alg, &private.PublicKey, signed, slices.Concat(room(r), room(s))))
		})
	}
}

// The numbers of a signature may be short, which changes the form that the
// standard library wants them in (DER): a genuine one is accepted all the same.
func TestShortNumbers(t *testing.T) {
	const signed = "eyJhbGciOiJFUzUxMiJ9.e30"
	curve, n := elliptic.P521(), elliptic.P521().Params().N
	nonce := must(ecdsa.GenerateKey(curve, rand.Reader))
	point := must(nonce.PublicKey.Bytes())
	r := new(big.Int).SetBytes(point[1:67])
	digest := sha512.Sum512([]byte(signed))
	// DER in all has 128 bytes, where a length takes two, with an s of about 58.
	for _, bits := range []int{1, 7, 8, 9, 15, 16, 440, 448, 456, 464, 472, 480, 520} {
		// Of s, the nonce k and r follows the private key: d = (s*k - e) / r.
		s := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
		d := new(big.Int).Mul(s, new(big.Int).SetBytes(must(nonce.Bytes())))
		d.Sub(d, new(big.Int).SetBytes(digest[:])).Mul(d, new(big.Int).ModInverse(r, n)).Mod(d, n)
		private := must(ecdsa.ParseRawPrivateKey(curve, d.FillBytes(make([]byte, 66))))
		sig := slices.Concat(r.FillBytes(make([]byte, 66)), s.FillBytes(make([]byte, 66)))
		assert.True(t, verify("ES512", &private.PublicKey, signed, sig), "A3 s has %d bits", bits)
	}
}

// Whatever is no Secret is no key for HMAC, not even an empty one, with which
// anybody could sign.
func TestOnlyASecretFitsHMAC(t *testing.T) {
	const signed = "eyJhbGciOiJIUzI1NiJ9.e30"
	mac := hmac.New(sha256.New, nil)
	mac.Write([]byte(signed))
	for name, key := range map[string]crypto.PublicKey{
		"nil":        nil,
		"an RSA key": rsaKey(bilbo),
		"bytes":      []byte{},
	} {
		assert.False(t, verify("HS256", key, signed, mac.Sum(nil)), "A1 %s", name)
	}
	assert.True(t, verify("HS256", jose.NewSecret(nil), signed, mac.Sum(nil)), "which is why New asks for its length")
}

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
