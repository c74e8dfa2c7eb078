package differential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes of the algorithms
	_ "crypto/sha512"
	"math/big"
	"strings"
)

func hashOf(alg string) crypto.Hash {
	switch {
	case strings.HasSuffix(alg, "384"):
		return crypto.SHA384
	case strings.HasSuffix(alg, "512"):
		return crypto.SHA512
	}
	return crypto.SHA256
}

func digest(h crypto.Hash, text string) []byte {
	w := h.New()
	w.Write([]byte(text))
	return w.Sum(nil)
}

// sign makes the signature of alg over text.
func sign(k *key, alg, text string) []byte {
	switch {
	case strings.HasPrefix(alg, "PS"):
		return signPSS(k, alg, text, rsa.PSSSaltLengthEqualsHash)
	case strings.HasPrefix(alg, "RS"):
		return signPKCS1(k, hashOf(alg), text)
	case strings.HasPrefix(alg, "ES"):
		r, s := signEC(k, alg, text)
		size := sizeOf(k)
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	}
	return ed25519.Sign(k.private.(ed25519.PrivateKey), []byte(text))
}

func signPKCS1(k *key, h crypto.Hash, text string) []byte {
	sig, err := rsa.SignPKCS1v15(rand.Reader, k.private.(*rsa.PrivateKey), h, digest(h, text))
	if err != nil {
		panic(err)
	}
	return sig
}

func signPSS(k *key, alg, text string, salt int) []byte {
	h := hashOf(alg)
	sig, err := rsa.SignPSS(rand.Reader, k.private.(*rsa.PrivateKey), h, digest(h, text), &rsa.PSSOptions{SaltLength: salt})
	if err != nil {
		panic(err)
	}
	return sig
}

func signEC(k *key, alg, text string) (r, s *big.Int) {
	r, s, err := ecdsa.Sign(rand.Reader, k.private.(*ecdsa.PrivateKey), digest(hashOf(alg), text))
	if err != nil {
		panic(err)
	}
	return r, s
}

// sizeOf is the length of a coordinate of k's curve, in bytes.
func sizeOf(k *key) int {
	return (k.private.Public().(*ecdsa.PublicKey).Curve.Params().BitSize + 7) / 8
}
