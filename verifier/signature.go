package verifier

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

// An algorithm is one row of the JSON Web Signature algorithms (RFC 7518 §3.1,
// RFC 8037 §3.1, RFC 9864 §2.2).
type algorithm struct {
	name   string
	hash   crypto.Hash
	curve  elliptic.Curve // ECDSA only
	verify func(a *algorithm, key crypto.PublicKey, signed string, signature []byte) bool
	secret bool // HMAC: only with Config.SharedSecret
}

var algorithms = byName(
	algorithm{name: "RS256", hash: crypto.SHA256, verify: verifyPKCS1},
	algorithm{name: "RS384", hash: crypto.SHA384, verify: verifyPKCS1},
	algorithm{name: "RS512", hash: crypto.SHA512, verify: verifyPKCS1},
	algorithm{name: "PS256", hash: crypto.SHA256, verify: verifyPSS},
	algorithm{name: "PS384", hash: crypto.SHA384, verify: verifyPSS},
	algorithm{name: "PS512", hash: crypto.SHA512, verify: verifyPSS},
	algorithm{name: "ES256", hash: crypto.SHA256, curve: elliptic.P256(), verify: verifyECDSA},
	algorithm{name: "ES384", hash: crypto.SHA384, curve: elliptic.P384(), verify: verifyECDSA},
	algorithm{name: "ES512", hash: crypto.SHA512, curve: elliptic.P521(), verify: verifyECDSA},
	algorithm{name: "EdDSA", verify: verifyEd25519},
	algorithm{name: "Ed25519", verify: verifyEd25519},
	algorithm{name: "HS256", hash: crypto.SHA256, verify: verifyHMAC, secret: true},
	algorithm{name: "HS384", hash: crypto.SHA384, verify: verifyHMAC, secret: true},
	algorithm{name: "HS512", hash: crypto.SHA512, verify: verifyHMAC, secret: true},
)

func byName(rows ...algorithm) map[string]*algorithm {
	m := make(map[string]*algorithm, len(rows))
	for _, a := range rows {
		m[a.name] = &a
	}
	return m
}

// A secret is a key for HMAC. No [KeySource] can bring one.
type secret []byte

func (a *algorithm) digest(signed string) []byte {
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

func verifyPKCS1(a *algorithm, key crypto.PublicKey, signed string, signature []byte) bool {
	k, ok := key.(*rsa.PublicKey)
	return ok && usableRSA(k) && rsa.VerifyPKCS1v15(k, a.hash, a.digest(signed), signature) == nil
}

// verifyPSS demands a salt as long as the hash (RFC 7518 §3.5).
func verifyPSS(a *algorithm, key crypto.PublicKey, signed string, signature []byte) bool {
	k, ok := key.(*rsa.PublicKey)
	salt := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
	return ok && usableRSA(k) && rsa.VerifyPSS(k, a.hash, a.digest(signed), signature, salt) == nil
}

// verifyECDSA demands r and s at the curve's full length, one after the other
// (RFC 7518 §3.4); ecdsa.Verify refuses both outside 0 < x < n.
func verifyECDSA(a *algorithm, key crypto.PublicKey, signed string, signature []byte) bool {
	k, ok := key.(*ecdsa.PublicKey)
	if !ok || k == nil || k.Curve != a.curve {
		return false
	}
	n := (a.curve.Params().BitSize + 7) / 8
	if len(signature) != 2*n {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:n]), new(big.Int).SetBytes(signature[n:])
	return ecdsa.Verify(k, a.digest(signed), r, s)
}

func verifyEd25519(_ *algorithm, key crypto.PublicKey, signed string, signature []byte) bool {
	k, ok := key.(ed25519.PublicKey)
	return ok && len(k) == ed25519.PublicKeySize && ed25519.Verify(k, []byte(signed), signature)
}

func verifyHMAC(a *algorithm, key crypto.PublicKey, signed string, signature []byte) bool {
	k, ok := key.(secret)
	if !ok {
		return false
	}
	mac := hmac.New(a.hash.New, k)
	mac.Write([]byte(signed))
	return hmac.Equal(mac.Sum(nil), signature)
}
