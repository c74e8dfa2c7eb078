// Package signature checks JWS signatures with the standard library's crypto, by
// exactly the algorithm asked for. It is internal: what a key may be used for is
// decided by its callers.
//
// Beside what the standard library allocates nothing reaches the heap: digests
// and encodings are built on the stack, which is why the families are told apart
// by a switch and not by functions in the table.
package signature

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"math/big"
)

// An Algorithm is one row of the JSON Web Signature algorithms (RFC 7518 §3.1,
// RFC 8037 §3.1, RFC 9864 §2.2).
type Algorithm struct {
	Name   string
	Secret int // HMAC: how long its key, a [Secret], is at least (RFC 7518 §3.2), in bytes
	family family
	hash   crypto.Hash
	curve  elliptic.Curve // ECDSA only
}

type family int

const (
	pkcs1 family = iota
	pss
	ec
	ed
	mac
)

// Algorithms has them by name. It is not to be modified.
var Algorithms = byName(
	Algorithm{Name: "RS256", family: pkcs1, hash: crypto.SHA256},
	Algorithm{Name: "RS384", family: pkcs1, hash: crypto.SHA384},
	Algorithm{Name: "RS512", family: pkcs1, hash: crypto.SHA512},
	Algorithm{Name: "PS256", family: pss, hash: crypto.SHA256},
	Algorithm{Name: "PS384", family: pss, hash: crypto.SHA384},
	Algorithm{Name: "PS512", family: pss, hash: crypto.SHA512},
	Algorithm{Name: "ES256", family: ec, hash: crypto.SHA256, curve: elliptic.P256()},
	Algorithm{Name: "ES384", family: ec, hash: crypto.SHA384, curve: elliptic.P384()},
	Algorithm{Name: "ES512", family: ec, hash: crypto.SHA512, curve: elliptic.P521()},
	Algorithm{Name: "EdDSA", family: ed},
	Algorithm{Name: "Ed25519", family: ed},
	Algorithm{Name: "HS256", Secret: 32, family: mac, hash: crypto.SHA256},
	Algorithm{Name: "HS384", Secret: 48, family: mac, hash: crypto.SHA384},
	Algorithm{Name: "HS512", Secret: 64, family: mac, hash: crypto.SHA512},
)

func byName(rows ...Algorithm) map[string]*Algorithm {
	m := make(map[string]*Algorithm, len(rows))
	for _, a := range rows {
		m[a.Name] = &a
	}
	return m
}

// A Secret is a key for HMAC: a type of its own, so that none but the owner of
// the secret can bring one, and a function, so that nothing that prints or dumps
// what holds one shows it.
type Secret func() []byte

// NewSecret returns a Secret of a copy of b.
func NewSecret(b []byte) Secret {
	b = bytes.Clone(b)
	return func() []byte { return b }
}

// Verify reports whether signature is one of key over signed. A key of another
// type, size or curve than the algorithm's never fits. Neither slice is kept or
// changed.
func (a *Algorithm) Verify(key crypto.PublicKey, signed, signature []byte) bool {
	switch a.family {
	case pkcs1:
		k, ok := key.(*rsa.PublicKey)
		return ok && usableRSA(k) && len(signature) == k.Size() && rsa.VerifyPKCS1v15(k, a.hash, a.digest(signed, new(room)), signature) == nil
	case pss:
		k, ok := key.(*rsa.PublicKey)
		return ok && usableRSA(k) && len(signature) == k.Size() && rsa.VerifyPSS(k, a.hash, a.digest(signed, new(room)), signature, saltLikeHash) == nil
	case ec:
		k, ok := key.(*ecdsa.PublicKey)
		return ok && a.verifyECDSA(k, signed, signature)
	case ed:
		k, ok := key.(ed25519.PublicKey)
		return ok && len(k) == ed25519.PublicKeySize && !hasSmallOrder(k) && ed25519.Verify(k, signed, signature)
	case mac:
		k, ok := key.(Secret)
		return ok && k != nil && a.verifyHMAC(k(), signed, signature)
	}
	return false
}

// saltLikeHash demands a salt as long as the hash (RFC 7518 §3.5).
var saltLikeHash = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}

// room is where a digest of any length fits.
type room [sha512.Size]byte

func (a *Algorithm) digest(signed []byte, r *room) []byte {
	switch a.hash {
	case crypto.SHA256:
		d := sha256.Sum256(signed)
		return r[:copy(r[:], d[:])]
	case crypto.SHA384:
		d := sha512.Sum384(signed)
		return r[:copy(r[:], d[:])]
	default:
		*r = sha512.Sum512(signed)
		return r[:]
	}
}

// usableRSA bounds the key: below it is weak (RFC 7518 §3.3), above it costs
// too much.
func usableRSA(k *rsa.PublicKey) bool {
	if k == nil || k.N == nil {
		return false
	}
	bits := k.N.BitLen()
	return bits >= 2048 && bits <= 8192 && k.E >= 3 && k.E%2 == 1
}

// verifyECDSA demands r and s at the curve's full length, one after the other
// (RFC 7518 §3.4); ecdsa.VerifyASN1 refuses both outside 0 < x < n.
func (a *Algorithm) verifyECDSA(k *ecdsa.PublicKey, signed, signature []byte) bool {
	//lint:ignore SA1019 a key without coordinates would panic below, and only they tell
	if k == nil || k.Curve != a.curve || k.X == nil || k.Y == nil {
		return false
	}
	n := (a.curve.Params().BitSize + 7) / 8
	if len(signature) != 2*n {
		return false
	}
	var r [3 + 2*(2+1+66)]byte
	return ecdsa.VerifyASN1(k, a.digest(signed, new(room)), derSignature(r[:0], signature[:n], signature[n:]))
}

// derSignature appends the DER encoding of a signature's two numbers, of at most
// 66 bytes each, to b: Ecdsa-Sig-Value of RFC 3279 §2.2.3.
func derSignature(b, r, s []byte) []byte {
	const sequence, integer, longLength = 0x30, 0x02, 0x81
	r, s = minimal(r), minimal(s)
	length := 2 + len(r) + signByte(r) + 2 + len(s) + signByte(s)
	b = append(b, sequence)
	if length > 127 {
		b = append(b, longLength)
	}
	b = append(b, byte(length))
	for _, x := range [][]byte{r, s} {
		b = append(b, integer, byte(len(x)+signByte(x)))
		if signByte(x) == 1 {
			b = append(b, 0)
		}
		b = append(b, x...)
	}
	return b
}

// minimal drops leading zeros, but not the last digit.
func minimal(x []byte) []byte {
	for len(x) > 1 && x[0] == 0 {
		x = x[1:]
	}
	return x
}

// signByte is 1 where x needs a zero before it, not to be negative in DER.
func signByte(x []byte) int { return int(x[0] >> 7) }

func (a *Algorithm) verifyHMAC(k, signed, signature []byte) bool {
	m := hmac.New(a.hash.New, k)
	m.Write(signed)
	return hmac.Equal(m.Sum(nil), signature)
}

// Same reports whether a and b are the same key, however often it was parsed, as
// their Equal does but without allocating. It runs at every hit of a cache.
func Same(a, b crypto.PublicKey) bool {
	switch a := a.(type) {
	case *rsa.PublicKey:
		b, ok := b.(*rsa.PublicKey)
		return ok && a != nil && b != nil && sameInt(a.N, b.N) && a.E == b.E
	case *ecdsa.PublicKey:
		b, ok := b.(*ecdsa.PublicKey)
		//lint:ignore SA1019 a point's bytes would be an allocation
		return ok && a != nil && b != nil && a.Curve == b.Curve && sameInt(a.X, b.X) && sameInt(a.Y, b.Y)
	case ed25519.PublicKey:
		b, ok := b.(ed25519.PublicKey)
		return ok && bytes.Equal(a, b)
	case Secret:
		b, ok := b.(Secret)
		return ok && a != nil && b != nil && hmac.Equal(a(), b())
	}
	return false
}

func sameInt(a, b *big.Int) bool { return a != nil && b != nil && a.Cmp(b) == 0 }
