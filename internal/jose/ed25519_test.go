package jose_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// The curve of Ed25519, by the formulas of RFC 8032 §5.1.4 in affine
// coordinates and nothing else, slowly.
var (
	fieldP = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	curveD = mod(new(big.Int).Mul(big.NewInt(-121665), new(big.Int).ModInverse(big.NewInt(121666), fieldP)))
)

func mod(x *big.Int) *big.Int { return x.Mod(x, fieldP) }

type point struct{ x, y *big.Int }

func (p point) plus(q point) point {
	mul := func(a, b *big.Int) *big.Int { return mod(new(big.Int).Mul(a, b)) }
	one := big.NewInt(1)
	t := mul(curveD, mul(mul(p.x, q.x), mul(p.y, q.y)))
	over := func(n, d *big.Int) *big.Int { return mul(n, new(big.Int).ModInverse(mod(d), fieldP)) }
	return point{
		over(new(big.Int).Add(mul(p.x, q.y), mul(p.y, q.x)), new(big.Int).Add(one, t)),
		over(new(big.Int).Add(mul(p.y, q.y), mul(p.x, q.x)), new(big.Int).Sub(one, t)),
	}
}

// encoded is RFC 8032 §5.1.2, for y as it is, even beyond the field.
func encoded(x, y *big.Int) ed25519.PublicKey {
	b := y.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	b[31] |= byte(x.Bit(0) << 7)
	return b
}

// torsion returns the eight points whose order divides 8, from one of order 8.
func torsion(t *testing.T) (points []point) {
	text, err := hex.DecodeString("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
	require.NoError(t, err)
	slices.Reverse(text)
	y := new(big.Int).SetBytes(text)
	y2 := mod(new(big.Int).Mul(y, y))
	u, v := new(big.Int).Sub(y2, big.NewInt(1)), mod(new(big.Int).Add(new(big.Int).Mul(curveD, y2), big.NewInt(1)))
	x := new(big.Int).ModSqrt(mod(u.Mul(u, new(big.Int).ModInverse(v, fieldP))), fieldP)
	require.NotNil(t, x, "a point of the curve")
	p := point{x, y}
	for q, i := p, 0; i < 8; q, i = q.plus(p), i+1 {
		points = append(points, q)
	}
	last := points[7]
	require.Zero(t, last.x.Sign())
	require.Zero(t, last.y.Cmp(big.NewInt(1)), "eight times p is the identity")
	return points
}

func TestSmallOrder(t *testing.T) {
	points := torsion(t)
	keys := map[string]ed25519.PublicKey{}
	for _, p := range points {
		keys[hex.EncodeToString(encoded(p.x, p.y))] = encoded(p.x, p.y)
	}
	require.Len(t, keys, 8, "all different")
	// What is not canonical: y + p, where it fits, and the sign of an x that is 0.
	for _, p := range points {
		for _, y := range []*big.Int{p.y, new(big.Int).Add(p.y, fieldP)} {
			if y.BitLen() > 255 {
				continue
			}
			for _, sign := range []int64{0, 1} {
				k := encoded(big.NewInt(sign), y)
				keys[hex.EncodeToString(k)] = k
			}
		}
	}
	require.Len(t, keys, 14)

	for name, k := range keys {
		t.Run("A4 small order "+name, func(t *testing.T) {
			assert.ErrorContains(t, jose.CheckEd25519(k), "small order")
			forged := 0
			for _, r := range keys { // R is a guess, S is 0: it fits one message in eight, or all
				for i := range 64 {
					sig := append(slices.Clone(r), make([]byte, 32)...)
					text := []byte{byte(i)}
					if ed25519.Verify(k, text, sig) {
						forged++
					}
					assert.False(t, verify("EdDSA", k, string(text), sig))
				}
			}
			assert.Positive(t, forged, "the standard library takes it")
		})
	}
}

func TestEd25519Points(t *testing.T) {
	t.Run("A4 every key that was generated is one", func(t *testing.T) {
		for range 200 {
			k, private, err := ed25519.GenerateKey(rand.Reader)
			require.NoError(t, err)
			require.NoError(t, jose.CheckEd25519(k))
			require.True(t, verify("EdDSA", k, "text", ed25519.Sign(private, []byte("text"))))
		}
	})

	t.Run("A4 a y whose x would be no number is no point, and every other is", func(t *testing.T) {
		points := 0
		for i := range int64(256) {
			y := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 250), big.NewInt(i))
			y2 := mod(new(big.Int).Mul(y, y))
			u, v := new(big.Int).Sub(y2, big.NewInt(1)), new(big.Int).Add(new(big.Int).Mul(curveD, y2), big.NewInt(1))
			want := big.Jacobi(mod(u.Mul(u, v)), fieldP) == 1 // u/v is a square if uv is one
			err := jose.CheckEd25519(encoded(big.NewInt(i), y))
			assert.Equal(t, want, err == nil, "%d: %v", i, err)
			if want {
				points++
			}
		}
		assert.InDelta(t, 128, points, 60, "about half of them")
	})

	for name, k := range map[string]ed25519.PublicKey{
		"A4 2, which is no point": append([]byte{2}, make([]byte, 31)...),
		"A4 y beyond the field":   encoded(big.NewInt(0), new(big.Int).Add(fieldP, big.NewInt(3))),
		"A4 all ones":             bytes.Repeat([]byte{0xff}, 32),
		"A4 nothing":              nil,
		"A4 31 bytes":             make([]byte, 31),
		"A4 33 bytes":             make([]byte, 33),
	} {
		t.Run(name, func(t *testing.T) { assert.Error(t, jose.CheckEd25519(k)) })
	}
}
