package jose

import (
	"crypto/ed25519"
	"errors"
	"math/big"
	"slices"
)

// The curve of Ed25519 is -x² + y² = 1 + dx²y² modulo p (RFC 8032 §5.1).
var (
	edP    = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	edD, _ = new(big.Int).SetString("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3", 16)
)

// CheckEd25519 returns an error if key is not a public key. It must encode a point of the
// curve in the one way of RFC 8032 §5.1.3, and not one of the eight points of small
// order, for which there are signatures that fit any message.
func CheckEd25519(key ed25519.PublicKey) error {
	if len(key) != ed25519.PublicKeySize {
		return errors.New("an Ed25519 key has 32 bytes")
	}
	if hasSmallOrder(key) {
		return errors.New("an Ed25519 point of small order, with which anybody can sign")
	}
	encoded := slices.Clone(key)
	encoded[31] &= 0x7f // the sign of x, which is 0 in two points of small order only
	slices.Reverse(encoded)
	y := new(big.Int).SetBytes(encoded)
	if y.Cmp(edP) >= 0 {
		return errors.New("an Ed25519 coordinate beyond the field")
	}
	one := big.NewInt(1)
	y2 := new(big.Int).Mul(y, y)
	u := new(big.Int).Sub(y2, one)
	v := y2.Mul(y2, edD)
	v.Add(v, one)
	x := u.Mul(u, v.ModInverse(v, edP)) // v is never 0, since -1 is a square and d is not
	if x.ModSqrt(x, edP) == nil {
		return errors.New("not a point of the curve of Ed25519")
	}
	return nil
}

// hasSmallOrder reports whether key encodes one of the eight points of small order. Their
// y is 0, 1, -1 or one of two others; the standard library also accepts y + p. It runs
// for each signature and allocates nothing.
func hasSmallOrder(key ed25519.PublicKey) bool {
	y := [32]byte(key)
	y[31] &= 0x7f // the sign of x
	return slices.Contains(smallOrder[:], y)
}

// smallOrder are the y of the points of small order, in little-endian order.
var smallOrder = [...][32]byte{
	{0},
	{1},
	nearP(0xec), // -1
	nearP(0xed), // 0 + p
	nearP(0xee), // 1 + p
	{ // of order 8
		0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
	},
	{ // of order 8, the negative of the other
		0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
	},
}

// nearP returns 2^255 - 256 + last.
func nearP(last byte) (y [32]byte) {
	for i := range y {
		y[i] = 0xff
	}
	y[0], y[31] = last, 0x7f
	return y
}
