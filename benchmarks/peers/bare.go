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
	"strings"
)

var errSignature = errors.New("the signature does not fit")

// Bare is the cryptography of a token and nothing else: decode the signature,
// hash, and let the standard library verify, with the key at hand. No claim is
// read. It is the measure of everyone else.
func Bare(t Trust) (Verify, error) {
	var fits func(signed string, signature []byte) bool
	switch key := t.Key.(type) {
	case *rsa.PublicKey:
		fits = func(signed string, signature []byte) bool {
			digest := sha256.Sum256([]byte(signed))
			if t.Alg == "PS256" {
				return rsa.VerifyPSS(key, crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
			}
			return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
		}
	case *ecdsa.PublicKey:
		hash := sum256
		if t.Alg == "ES384" {
			hash = sum384
		}
		fits = func(signed string, signature []byte) bool {
			var room [160]byte
			digest, der := hash([]byte(signed)), appendDER(room[:0], signature)
			return ecdsa.VerifyASN1(key, digest, der)
		}
	case ed25519.PublicKey:
		fits = func(signed string, signature []byte) bool { return ed25519.Verify(key, []byte(signed), signature) }
	default:
		return nil, fmt.Errorf("no bare cryptography for %s with %T", t.Alg, t.Key)
	}
	return func(raw string) error {
		dot := strings.LastIndexByte(raw, '.')
		signature, err := base64.RawURLEncoding.DecodeString(raw[dot+1:])
		if err != nil {
			return err
		}
		if !fits(raw[:dot], signature) {
			return errSignature
		}
		return nil
	}, nil
}

func sum256(b []byte) []byte { sum := sha256.Sum256(b); return sum[:] }

func sum384(b []byte) []byte { sum := sha512.Sum384(b); return sum[:] }

// appendDER turns r and s side by side (RFC 7518 section 3.4) into the SEQUENCE
// that the standard library takes. It is for curves up to 384 bits, whose
// lengths fit one byte.
func appendDER(der, signature []byte) []byte {
	half := len(signature) / 2
	der = append(der, 0x30, 0)
	for _, number := range [][]byte{signature[:half], signature[half:]} {
		for len(number) > 1 && number[0] == 0 {
			number = number[1:]
		}
		length := len(number)
		if number[0] >= 0x80 {
			der = append(der, 2, byte(length+1), 0)
		} else {
			der = append(der, 2, byte(length))
		}
		der = append(der, number...)
	}
	der[1] = byte(len(der) - 2)
	return der
}
