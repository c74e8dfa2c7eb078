package verifier_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A rawRSA signs PKCS #1 v1.5 by arithmetic alone, which crypto/rsa refuses for
// keys of strange sizes.
type rawRSA struct {
	public *rsa.PublicKey
	d      *big.Int
}

// mersenne is a key whose modulus is a product of Mersenne primes, and so has
// as many bits as their exponents together.
func mersenne(e int64, exponents ...uint) rawRSA {
	one := big.NewInt(1)
	n, phi := big.NewInt(1), big.NewInt(1)
	for _, x := range exponents {
		p := new(big.Int).Sub(new(big.Int).Lsh(one, x), one)
		n.Mul(n, p)
		phi.Mul(phi, p.Sub(p, one))
	}
	return rawRSA{&rsa.PublicKey{N: n, E: int(e)}, new(big.Int).ModInverse(big.NewInt(e), phi)}
}

// ordinary is a key of 2048 bits with the exponent e.
func ordinary(t *testing.T, e int64) rawRSA {
	one, exponent := big.NewInt(1), big.NewInt(e)
	prime := func() (p, less *big.Int) {
		for {
			p, err := rand.Prime(rand.Reader, 1024)
			require.NoError(t, err)
			less := new(big.Int).Sub(p, one)
			if new(big.Int).GCD(nil, nil, less, exponent).Cmp(one) == 0 {
				return p, less
			}
		}
	}
	p, p1 := prime()
	q, q1 := prime()
	return rawRSA{&rsa.PublicKey{N: p.Mul(p, q), E: int(e)}, new(big.Int).ModInverse(exponent, p1.Mul(p1, q1))}
}

func (k rawRSA) sign(signed string) []byte {
	size := k.public.Size()
	prefix := []byte("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20") // RFC 8017 §9.2
	tail := append(prefix, digest(crypto.SHA256, signed)...)
	em := []byte{0, 1}
	for len(em) < size-len(tail)-1 {
		em = append(em, 0xff)
	}
	em = append(append(em, 0), tail...)
	return new(big.Int).Exp(new(big.Int).SetBytes(em), k.d, k.public.N).FillBytes(make([]byte, size))
}

func TestRSAKeySizes(t *testing.T) {
	tests := []struct {
		name string
		bits int
		key  rawRSA
		ok   bool
	}{
		{"A4 1024 bits", 1024, mersenne(65537, 607, 127, 107, 89, 61, 31, 2), false},
		{"A4 2047 bits", 2047, mersenne(65537, 1279, 607, 127, 31, 3), false},
		{"A4 2048 bits", 2048, ordinary(t, 65537), true},
		{"A4 8192 bits", 8192, mersenne(65537, 4423, 3217, 521, 31), true},
		{"A4 8193 bits", 8193, mersenne(65537, 4253, 3217, 607, 89, 19, 5, 3), false},
		{"A4 exponent 3", 2048, ordinary(t, 3), true}, // left to the loading of keys
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.bits, tt.key.public.N.BitLen())
			s := signerOf("RS256")
			signed := s.unsigned()
			signature := tt.key.sign(signed)
			hash := digest(crypto.SHA256, signed)
			require.NoError(t, rsa.VerifyPKCS1v15(tt.key.public, crypto.SHA256, hash, signature), "only the size is wrong")
			v, _ := setup(t, func(cfg *set) {
				cfg.Keys = &keyMap{keys: map[string][]crypto.PublicKey{s.kid: {tt.key.public}}}
			})
			_, err := v.Verify(ctx, s.attach(signed, signature))
			if tt.ok {
				require.NoError(t, err)
				return
			}
			assertRefused(t, verifier.ErrSignature, err)
		})
	}
	t.Run("A4 PSS", func(t *testing.T) {
		k := must(rsa.GenerateKey(rand.Reader, 1536))
		s := &signer{alg: "PS256", kid: "small", private: k}
		v, _ := withSigner(t, s)
		_, err := v.Verify(ctx, s.good())
		assertRefused(t, verifier.ErrSignature, err)
	})
	t.Run("A4 exponents that are none", func(t *testing.T) {
		for _, e := range []int{-1, 0, 1, 2, 65536} {
			s := signerOf("RS256")
			v, _ := setup(t, func(cfg *set) {
				key := &rsa.PublicKey{N: s.public().(*rsa.PublicKey).N, E: e}
				cfg.Keys = &keyMap{keys: map[string][]crypto.PublicKey{s.kid: {key}}}
			})
			_, err := v.Verify(ctx, s.good())
			assertRefused(t, verifier.ErrSignature, err)
			assert.Error(t, err, e)
		}
	})
}
