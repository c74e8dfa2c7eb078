package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
)

// The accepted sizes of RSA keys, in bits: smaller ones are weak (RFC 7518 §3.3), larger
// ones cost too much.
const (
	MinRSABits = 2048
	MaxRSABits = 8192
)

// CheckKey returns an error if key must not be used, whoever published it.
func CheckKey(key crypto.PublicKey) error {
	switch k := key.(type) {
	case *rsa.PublicKey:
		switch bits := k.N.BitLen(); {
		case bits < MinRSABits || bits > MaxRSABits:
			return fmt.Errorf("an RSA key of %d bits; %d to %d are accepted", bits, MinRSABits, MaxRSABits)
		case k.N.Bit(0) == 0:
			return errors.New("an even RSA modulus")
		case k.E < 3 || k.E%2 == 0 || k.E > 1<<31-1:
			return errors.New("the RSA exponent is even, too small or too large")
		}
		return nil
	case *ecdsa.PublicKey:
		if _, err := k.ECDH(); err != nil {
			return errors.New("the point is not on its curve")
		}
		return nil
	case ed25519.PublicKey:
		return CheckEd25519(k)
	}
	return errors.New("unknown kind of key")
}

// A Secret is a key for HMAC. It is a distinct type, so that a published key is never
// used as one, and a function, so that printing or dumping a value does not show it.
type Secret func() []byte

// NewSecret returns a Secret of a copy of b.
func NewSecret(b []byte) Secret {
	b = bytes.Clone(b)
	return func() []byte { return b }
}

// Equal reports whether a and b are the same key, like their Equal methods but without
// allocating, since it runs for each remembered token. A broken key equals none.
func Equal(a, b crypto.PublicKey) bool {
	switch a := a.(type) {
	case *rsa.PublicKey:
		b, ok := b.(*rsa.PublicKey)
		return ok && a != nil && b != nil && equalInt(a.N, b.N) && a.E == b.E
	case *ecdsa.PublicKey:
		b, ok := b.(*ecdsa.PublicKey)
		//lint:ignore SA1019 comparing the encoded points would allocate
		return ok && a != nil && b != nil && a.Curve == b.Curve && equalInt(a.X, b.X) && equalInt(a.Y, b.Y)
	case ed25519.PublicKey:
		b, ok := b.(ed25519.PublicKey)
		return ok && bytes.Equal(a, b)
	case Secret:
		b, ok := b.(Secret)
		return ok && a != nil && b != nil && hmac.Equal(a(), b())
	}
	return false
}

func equalInt(a, b *big.Int) bool { return a != nil && b != nil && a.Cmp(b) == 0 }
