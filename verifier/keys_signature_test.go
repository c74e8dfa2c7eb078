package verifier_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// flip returns a copy of b with one bit changed.
func flip(b []byte, i int) []byte {
	c := append([]byte{}, b...)
	c[i] ^= 1
	return c
}

func TestDefaultAlgorithms(t *testing.T) {
	v, keys := setup(t)
	strange := newSigner("RS256")
	strangers := map[string]signer{"RS": strange, "PS": strange, "Ed": newSigner("EdDSA")}
	for _, alg := range jwttest.Asymmetric {
		if jwttest.Curves[alg] != nil {
			strangers["ES"] = newSigner(alg)
		}
		t.Run("A1 "+alg, func(t *testing.T) {
			s := signerOf(alg)
			tok := verified(t, v, s.good())
			assert.Equal(t, "billing", tok.ClientID())

			signed := s.unsigned()
			sig := s.Signature(signed)
			verified(t, v, jwttest.Attach(signed, sig))
			other := encode(s.Header().Text()) + "." + encode(members{"sub": `"root"`}.Over(goodClaims()).Text())
			for name, raw := range map[string]string{
				"its first bit":      jwttest.Attach(signed, flip(sig, 0)),
				"its last bit":       jwttest.Attach(signed, flip(sig, len(sig)-1)),
				"its middle":         jwttest.Attach(signed, flip(sig, len(sig)/2)),
				"a byte less":        jwttest.Attach(signed, sig[:len(sig)-1]),
				"a byte more":        jwttest.Attach(signed, append(sig[:len(sig):len(sig)], 0)),
				"twice":              jwttest.Attach(signed, append(sig[:len(sig):len(sig)], sig...)),
				"another payload's":  jwttest.Attach(other, sig),
				"another key's":      strangers[alg[:2]].as(alg, alg).good(),
				"of zeros":           jwttest.Attach(signed, make([]byte, len(sig))),
				"over the claims":    jwttest.Attach(signed, s.Signature(signed[strings.Index(signed, ".")+1:])),
				"over decoded texts": jwttest.Attach(signed, s.Signature(s.Header().Text()+"."+goodClaims().Text())),
			} {
				_, err := v.Verify(ctx, raw)
				assertRefused(t, verifier.ErrSignature, err)
				assert.Error(t, err, name)
			}
		})
	}
	for _, alg := range []string{"HS256", "HS384", "HS512", "none", "None", "rs256", "eddsa", "ed25519", "ES256K", "Ed448", "PS1"} {
		t.Run("A1 "+alg+" is not among them", func(t *testing.T) {
			keys.lookups.Store(0)
			s := signerOf("RS256")
			_, err := v.Verify(ctx, s.token(members{"alg": `"` + alg + `"`}, nil))
			assertRefused(t, verifier.ErrAlgorithm, err)
			assert.Zero(t, keys.lookups.Load())
		})
	}
}

func TestTwoNamesOfEd25519(t *testing.T) {
	s := signerOf("EdDSA")
	for _, published := range []string{"EdDSA", "Ed25519", ""} {
		for _, used := range []string{"EdDSA", "Ed25519"} {
			t.Run("A1 published as "+published+" used as "+used, func(t *testing.T) {
				alg := ""
				if published != "" {
					alg = `"` + published + `"`
				}
				v, _ := setup(t, func(cfg *set) {
					cfg.Keys = staticKeys(t, s.JWK(members{"alg": alg}))
				})
				verified(t, v, s.as(used, s.KeyID).good())
			})
		}
	}
}

func TestAlgorithmsPerIssuer(t *testing.T) {
	t.Run("A1 the list is exact", func(t *testing.T) {
		v, keys := setup(t, func(cfg *set) { cfg.Algorithms = []string{"PS256", "Ed25519"} })
		verified(t, v, signerOf("PS256").good())
		verified(t, v, signerOf("Ed25519").good())
		keys.lookups.Store(0)
		for _, alg := range []string{"RS256", "PS384", "ES256", "EdDSA"} {
			_, err := v.Verify(ctx, signerOf(alg).good())
			assertRefused(t, verifier.ErrAlgorithm, err)
		}
		assert.Zero(t, keys.lookups.Load())
	})
	t.Run("A1 the list is the issuer's own", func(t *testing.T) {
		a, b := config(), config()
		b.Issuer = "b"
		a.Algorithms, b.Algorithms = []string{"ES256"}, []string{"RS256"}
		v := newVerifier(t, a, b)
		ofB := members{"iss": `"b"`}
		verified(t, v, signerOf("ES256").good())
		verified(t, v, signerOf("RS256").token(nil, ofB))
		_, err := v.Verify(ctx, signerOf("RS256").good())
		assertRefused(t, verifier.ErrAlgorithm, err)
		_, err = v.Verify(ctx, signerOf("ES256").token(nil, ofB))
		assertRefused(t, verifier.ErrAlgorithm, err)
	})
}

func TestSaltLength(t *testing.T) {
	v, _ := setup(t)
	for alg, hash := range map[string]int{"PS256": 32, "PS384": 48, "PS512": 64} {
		s := signerOf(alg)
		for name, salt := range map[string]int{
			"none": 0, "of SHA-1": 20, "a byte short": hash - 1, "a byte long": hash + 1, "of another hash": 96 - hash/2,
			"as long as fits": rsa.PSSSaltLengthAuto, "of the hash": hash,
		} {
			if salt == 0 {
				salt = -2 // rsa.SignPSS takes zero for as long as fits
			}
			t.Run("A3 "+alg+" salt "+name, func(t *testing.T) {
				signed := s.unsigned()
				var raw string
				if salt == -2 {
					raw = jwttest.Attach(signed, s.PSSWithoutSalt(signed))
				} else {
					raw = jwttest.Attach(signed, s.PSS(signed, salt))
				}
				_, err := v.Verify(ctx, raw)
				if salt == hash {
					require.NoError(t, err)
					return
				}
				assertRefused(t, verifier.ErrSignature, err)
			})
		}
	}
}

func TestECDSA(t *testing.T) {
	v, _ := setup(t)
	for alg, curve := range jwttest.Curves {
		s := signerOf(alg)
		n := curve.Params().N
		size := (curve.Params().BitSize + 7) / 8
		zero := new(big.Int)
		signed := s.unsigned()
		sig := s.Signature(signed)
		r, rest := new(big.Int).SetBytes(sig[:size]), new(big.Int).SetBytes(sig[size:])
		der := must(ecdsa.SignASN1(rand.Reader, s.Private.(*ecdsa.PrivateKey), jwttest.Digest(s.Hash(), signed)))
		tests := []struct {
			name      string
			signature []byte
		}{
			{"r and s zero", make([]byte, 2*size)},
			{"r zero", jwttest.Concat(curve, zero, rest)},
			{"s zero", jwttest.Concat(curve, r, zero)},
			{"r the order", jwttest.Concat(curve, n, rest)},
			{"s the order", jwttest.Concat(curve, r, n)},
			{"r and s the order", jwttest.Concat(curve, n, n)},
			{"r and s all ones", []byte(strings.Repeat("\xff", 2*size))},
			{"r and s one", jwttest.Concat(curve, big.NewInt(1), big.NewInt(1))},
			{"r and s exchanged", jwttest.Concat(curve, rest, r)},
			{"DER", der},
			{"empty but for a byte", []byte{0}},
			{"a byte short", sig[:2*size-1]},
			{"a byte long", append(sig[:2*size:2*size], 0)},
			{"a zero before it", append([]byte{0}, sig...)},
			{"a zero before s", append(append(sig[:size:size], 0), sig[size:]...)},
			{"a zero before each half", append(append([]byte{0}, sig[:size]...), append([]byte{0}, sig[size:]...)...)},
			{"r alone", sig[:size]},
		}
		if beyond := new(big.Int).Add(r, n); beyond.BitLen() <= 8*size {
			tests = append(tests, struct {
				name      string
				signature []byte
			}{"r plus the order", jwttest.Concat(curve, beyond, rest)})
		} else {
			require.NotEqual(t, "ES512", alg)
		}
		t.Run("A3 "+alg+" as it should be", func(t *testing.T) { verified(t, v, jwttest.Attach(signed, sig)) })
		for _, tt := range tests {
			t.Run("A3 "+alg+" "+tt.name, func(t *testing.T) {
				_, err := v.Verify(ctx, jwttest.Attach(signed, tt.signature))
				assertRefused(t, verifier.ErrSignature, err)
			})
		}
	}
}

// TestShortHalves finds signatures whose halves begin with zeros, which a
// signer that strips them would write shorter.
func TestShortHalves(t *testing.T) {
	t.Run("A3 leading zeros are not stripped", func(t *testing.T) {
		v, _ := setup(t)
		s := signerOf("ES256")
		signed := s.unsigned()
		for range 10_000 {
			sig := s.Signature(signed)
			if sig[0] == 0 {
				verified(t, v, jwttest.Attach(signed, sig))
				_, err := v.Verify(ctx, jwttest.Attach(signed, sig[1:]))
				assertRefused(t, verifier.ErrSignature, err)
				return
			}
		}
		require.Fail(t, "A3 no such signature")
	})
}

func TestEd25519Malleability(t *testing.T) {
	t.Run("A1 Ed25519 with s beyond the order", func(t *testing.T) {
		v, _ := setup(t)
		s := signerOf("Ed25519")
		signed := s.unsigned()
		sig := s.Signature(signed)
		order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
		little := func(b []byte) []byte {
			c := append([]byte{}, b...)
			for i := range len(c) / 2 {
				c[i], c[len(c)-1-i] = c[len(c)-1-i], c[i]
			}
			return c
		}
		beyond := new(big.Int).Add(new(big.Int).SetBytes(little(sig[32:])), order)
		_, err := v.Verify(ctx, jwttest.Attach(signed, append(sig[:32:32], little(beyond.FillBytes(make([]byte, 32)))...)))
		assertRefused(t, verifier.ErrSignature, err)
	})
}

func TestOtherCurves(t *testing.T) {
	t.Run("A2 keys of another curve or length", func(t *testing.T) {
		v, _ := setup(t, func(cfg *set) {
			k := keysOf(signerOf("ES256"))
			p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
			k.keys["P-224"] = append(k.keys["P-224"], p224.Public())
			k.keys["long"] = append(k.keys["long"], make(ed25519.PublicKey, 33))
			k.keys["short"] = append(k.keys["short"], make(ed25519.PublicKey, 31))
			k.keys["none"] = append(k.keys["none"], ed25519.PublicKey(nil))
			cfg.Keys = k
		})
		for _, kid := range []string{"long", "short", "none"} {
			_, err := v.Verify(ctx, signerOf("Ed25519").as("Ed25519", kid).good())
			assertRefused(t, verifier.ErrSignature, err)
		}
		_, err := v.Verify(ctx, signerOf("ES256").as("ES256", "P-224").good())
		assertRefused(t, verifier.ErrSignature, err)
	})
}

// A rawRSA signs with PKCS #1 v1.5 by arithmetic alone, because crypto/rsa refuses keys
// of unusual sizes.
type rawRSA struct {
	public *rsa.PublicKey
	primes []*big.Int
}

// newRawRSA returns the key with the public exponent e and these primes.
func newRawRSA(e int, primes ...*big.Int) rawRSA {
	n := big.NewInt(1)
	for _, p := range primes {
		n.Mul(n, p)
	}
	return rawRSA{&rsa.PublicKey{N: n, E: e}, primes}
}

// mersenne returns the Mersenne primes with these exponents. Their product has as many
// bits as the exponents have together.
func mersenne(exponents ...uint) (primes []*big.Int) {
	one := big.NewInt(1)
	for _, x := range exponents {
		primes = append(primes, new(big.Int).Sub(new(big.Int).Lsh(one, x), one))
	}
	return primes
}

func (k rawRSA) sign(signed string) []byte {
	size := k.public.Size()
	prefix := []byte("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20") // RFC 8017 §9.2
	tail := append(prefix, jwttest.Digest(crypto.SHA256, signed)...)
	em := []byte{0, 1}
	for len(em) < size-len(tail)-1 {
		em = append(em, 0xff)
	}
	message := new(big.Int).SetBytes(append(append(em, 0), tail...))
	// The power is computed for each prime alone, and put together as RFC 8017 §5.1.2
	// does: that is much faster.
	x, n := new(big.Int), big.NewInt(1)
	for _, p := range k.primes {
		d := new(big.Int).ModInverse(big.NewInt(int64(k.public.E)), new(big.Int).Sub(p, big.NewInt(1)))
		h := new(big.Int).Exp(message, d, p)
		h.Sub(h, x).Mul(h, new(big.Int).ModInverse(n, p)).Mod(h, p)
		x.Add(x, h.Mul(h, n))
		n.Mul(n, p)
	}
	return x.FillBytes(make([]byte, size))
}

func TestRSAKeySizes(t *testing.T) {
	tests := []struct {
		name string
		bits int
		key  rawRSA
		ok   bool
	}{
		{"A4 1024 bits", 1024, newRawRSA(65537, mersenne(607, 127, 107, 89, 61, 31, 2)...), false},
		{"A4 2047 bits", 2047, newRawRSA(65537, mersenne(1279, 607, 127, 31, 3)...), false},
		{"A4 2048 bits", 2048, newRawRSA(65537, mersenne(1279, 607, 127, 19, 13, 3)...), true},
		{"A4 8192 bits", 8192, newRawRSA(65537, mersenne(4423, 3217, 521, 31)...), true},
		{"A4 8193 bits", 8193, newRawRSA(65537, mersenne(4253, 3217, 607, 89, 19, 5, 3)...), false},
		{"A4 exponent 3", 2048, newRawRSA(3, jwttest.RSAKey(0).Primes...), true}, // left to the loading of keys
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.bits, tt.key.public.N.BitLen())
			s := signerOf("RS256")
			signed := s.unsigned()
			signature := tt.key.sign(signed)
			hash := jwttest.Digest(crypto.SHA256, signed)
			require.NoError(t, rsa.VerifyPKCS1v15(tt.key.public, crypto.SHA256, hash, signature), "only the size is wrong")
			v, _ := setup(t, func(cfg *set) {
				cfg.Keys = &keyMap{keys: map[string][]crypto.PublicKey{s.KeyID: {tt.key.public}}}
			})
			_, err := v.Verify(ctx, jwttest.Attach(signed, signature))
			if tt.ok {
				require.NoError(t, err)
				return
			}
			assertRefused(t, verifier.ErrSignature, err)
		})
	}
	t.Run("A4 PSS", func(t *testing.T) {
		s := signer{&jwttest.Signer{Alg: "PS256", KeyID: "small", Private: jwttest.SmallRSAKey()}}
		v, _ := withSigner(t, s)
		_, err := v.Verify(ctx, s.good())
		assertRefused(t, verifier.ErrSignature, err)
	})
	t.Run("A4 exponents that are none", func(t *testing.T) {
		for _, e := range []int{-1, 0, 1, 2, 65536} {
			s := signerOf("RS256")
			v, _ := setup(t, func(cfg *set) {
				key := &rsa.PublicKey{N: s.Public().(*rsa.PublicKey).N, E: e}
				cfg.Keys = &keyMap{keys: map[string][]crypto.PublicKey{s.KeyID: {key}}}
			})
			_, err := v.Verify(ctx, s.good())
			assertRefused(t, verifier.ErrSignature, err)
			assert.Error(t, err, e)
		}
	})
}
