package peers

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// Bare is the cryptography of a token and nothing else: decode the signature,
// hash, and let the standard library verify, with the key at hand. No claim is
// read. Everyone else is compared with it.
func Bare(a *Authority) Verify {
	digest := func(text string) []byte { sum := sha256.Sum256([]byte(text)); return sum[:] }
	if a.Alg == "ES384" {
		digest = func(text string) []byte { sum := sha512.Sum384([]byte(text)); return sum[:] }
	}
	var fits func(signed string, signature []byte) bool
	switch key := a.PublicKey().(type) {
	case *rsa.PublicKey:
		fits = func(signed string, signature []byte) bool {
			return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest(signed), signature) == nil
		}
		if a.Alg == "PS256" {
			fits = func(signed string, signature []byte) bool {
				return rsa.VerifyPSS(key, crypto.SHA256, digest(signed), signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
			}
		}
	case *ecdsa.PublicKey: // r and s side by side (RFC 7518 section 3.4)
		fits = func(signed string, signature []byte) bool {
			half := len(signature) / 2
			return ecdsa.Verify(key, digest(signed), new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
		}
	case ed25519.PublicKey:
		fits = func(signed string, signature []byte) bool { return ed25519.Verify(key, []byte(signed), signature) }
	default:
		panic(fmt.Sprintf("no bare cryptography for %s with %T", a.Alg, key))
	}
	return func(raw string) error {
		dot := strings.LastIndexByte(raw, '.')
		signature, err := base64.RawURLEncoding.DecodeString(raw[dot+1:])
		if err == nil && !fits(raw[:dot], signature) {
			err = errors.New("the signature does not fit")
		}
		return err
	}
}
