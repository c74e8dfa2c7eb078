// Package jwttest makes tokens for tests, good and bad: raw JSON by member, and
// signatures by any algorithm of the package jose, without any of its code.
package jwttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
)

// Members are the raw JSON values of an object by name; "" leaves one out.
type Members map[string]string

// Text writes m as an object, in the order of the names.
func (m Members) Text() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if m[name] != "" {
			parts = append(parts, `"`+name+`":`+m[name])
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// Over returns base with the members of m in place of its own.
func (m Members) Over(base Members) Members {
	all := maps.Clone(base)
	maps.Copy(all, m)
	return all
}

// With writes m as an object with more text at its end.
func (m Members) With(more string) string {
	return strings.TrimSuffix(m.Text(), "}") + "," + more + "}"
}

// Encode returns text in base64url without padding.
func Encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// Hash returns the hash of an algorithm by the digits of its name.
func Hash(alg string) crypto.Hash {
	return map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
}

// Digest returns the hash of text.
func Digest(hash crypto.Hash, text string) []byte {
	h := hash.New()
	h.Write([]byte(text))
	return h.Sum(nil)
}

// Sign returns the signature of text as RFC 7518 §3 and RFC 8037 §3.1 specify it.
// Key is a private key, or a []byte for HMAC. It panics if it does not fit alg.
func Sign(alg string, key any, text string) []byte {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if strings.HasPrefix(alg, "PS") {
			return SignPSS(alg, k, rsa.PSSSaltLengthEqualsHash, text)
		}
		return must(rsa.SignPKCS1v15(nil, k, Hash(alg), Digest(Hash(alg), text)))
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, Digest(Hash(alg), text))
		n := (k.Curve.Params().BitSize + 7) / 8
		return append(must(r, err).FillBytes(make([]byte, n)), s.FillBytes(make([]byte, n))...)
	case ed25519.PrivateKey:
		return ed25519.Sign(k, []byte(text))
	case []byte:
		mac := hmac.New(Hash(alg).New, k)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
	panic("jwttest: no such key")
}

// SignPSS is Sign with a salt of that length, or one of the rsa package's names
// for one.
func SignPSS(alg string, key *rsa.PrivateKey, salt int, text string) []byte {
	return must(rsa.SignPSS(rand.Reader, key, Hash(alg), Digest(Hash(alg), text), &rsa.PSSOptions{SaltLength: salt}))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic("jwttest: " + err.Error())
	}
	return v
}
