// Package signature checks JWS signatures with the standard library's crypto, by
// exactly the algorithm asked for. It is internal: what a key may be used for is
// decided by its callers.
package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	_ "crypto/sha256" // registers the hashes of the table
	_ "crypto/sha512"
	"math/big"
)

// An Algorithm is one row of the JSON Web Signature algorithms (RFC 7518 §3.1,
// RFC 8037 §3.1, RFC 9864 §2.2).
type Algorithm struct {
	Name   string
	Secret int // HMAC: how long its key, a [Secret], is at least (RFC 7518 §3.2), in bytes
	hash   crypto.Hash
	curve  elliptic.Curve // ECDSA only
	verify func(a *Algorithm, key crypto.PublicKey, signed string, signature []byte) bool
}

// Algorithms has them by name. It is not to be modified.
var Algorithms = byName(
	Algorithm{Name: "RS256", hash: crypto.SHA256, verify: verifyPKCS1},
	Algorithm{Name: "RS384", hash: crypto.SHA384, verify: verifyPKCS1},
	Algorithm{Name: "RS512", hash: crypto.SHA512, verify: verifyPKCS1},
	Algorithm{Name: "PS256", hash: crypto.SHA256, verify: verifyPSS},
	Algorithm{Name: "PS384", hash: crypto.SHA384, verify: verifyPSS},
	Algorithm{Name: "PS512", hash: crypto.SHA512, verify: verifyPSS},
	Algorithm{Name: "ES256", hash: crypto.SHA256, curve: elliptic.P256(), verify: verifyECDSA},
	Algorithm{Name: "ES384", hash: crypto.SHA384, curve: elliptic.P384(), verify: verifyECDSA},
	Algorithm{Name: "ES512", hash: crypto.SHA512, curve: elliptic.P521(), verify: verifyECDSA},
	Algorithm{Name: "EdDSA", verify: verifyEd25519},
	Algorithm{Name: "Ed25519", verify: verifyEd25519},
	Algorithm{Name: "HS256", Secret: 32, hash: crypto.SHA256, verify: verifyHMAC},
	Algorithm{Name: "HS384", Secret: 48, hash: crypto.SHA384, verify: verifyHMAC},
	Algorithm{Name: "HS512", Secret: 64, hash: crypto.SHA512, verify: verifyHMAC},
)

func byName(rows ...Algorithm) map[string]*Algorithm {
	m := make(map[string]*Algorithm, len(rows))
	for _, a := range rows {
		m[a.Name] = &a
	}
	return m
}

// A Secret is a key for HMAC: a type of its own, so that none but the owner of
// the secret can bring one.
type Secret []byte

// Verify tells whether signature is one of key over signed. A key of another
// type, size or curve than the algorithm's never fits.
func (a *Algorithm) Verify(key crypto.PublicKey, signed string, signature []byte) bool {
	return a.verify(a, key, signed, signature)
}

func (a *Algorithm) digest(signed string) []byte {
	h := a.hash.New()
	h.Write([]byte(signed))
	return h.Sum(nil)
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

func verifyPKCS1(a *Algorithm, key crypto.PublicKey, signed string, signature []byte) bool {
	k, ok := key.(*rsa.PublicKey)
	return ok && usableRSA(k) && rsa.VerifyPKCS1v15(k, a.hash, a.digest(signed), signature) == nil
}

// verifyPSS demands a salt as long as the hash (RFC 7518 §3.5).
func verifyPSS(a *Algorithm, key crypto.PublicKey, signed string, signature []byte) bool {
	k, ok := key.(*rsa.PublicKey)
	salt := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
	return ok && usableRSA(k) && rsa.VerifyPSS(k, a.hash, a.digest(signed), signature, salt) == nil
}

// verifyECDSA demands r and s at the curve's full length, one after the other
// (RFC 7518 §3.4); ecdsa.Verify refuses both outside 0 < x < n.
func verifyECDSA(a *Algorithm, key crypto.PublicKey, signed string, signature []byte) bool {
	k, ok := key.(*ecdsa.PublicKey)
	//lint:ignore SA1019 a key without coordinates would panic below, and only they tell
	if !ok || k == nil || k.Curve != a.curve || k.X == nil || k.Y == nil {
		return false
	}
	n := (a.curve.Params().BitSize + 7) / 8
	if len(signature) != 2*n {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:n]), new(big.Int).SetBytes(signature[n:])
	return ecdsa.Verify(k, a.digest(signed), r, s)
}

func verifyEd25519(_ *Algorithm, key crypto.PublicKey, signed string, signature []byte) bool {
	k, ok := key.(ed25519.PublicKey)
	return ok && len(k) == ed25519.PublicKeySize && ed25519.Verify(k, []byte(signed), signature)
}

func verifyHMAC(a *Algorithm, key crypto.PublicKey, signed string, signature []byte) bool {
	k, ok := key.(Secret)
	if !ok {
		return false
	}
	mac := hmac.New(a.hash.New, k)
	mac.Write([]byte(signed))
	return hmac.Equal(mac.Sum(nil), signature)
}
