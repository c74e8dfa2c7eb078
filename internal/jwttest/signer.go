package jwttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"strings"
	"sync/atomic"
)

// Asymmetric are the algorithms that sign with a private key.
var Asymmetric = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
}

// Curves are the curves of the ECDSA algorithms (RFC 7518 §3.4).
var Curves = map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}

// A Signer signs tokens with one key.
type Signer struct {
	Alg, KeyID string
	Private    any // a crypto.Signer, or a []byte for HMAC
}

// NewSigner returns a Signer with a new key, whose KeyID is alg. RSA keys are the nine of
// [RSAKey] in turn, because a random one takes long to find.
func NewSigner(alg string) *Signer {
	s := &Signer{Alg: alg, KeyID: alg}
	switch alg[:2] {
	case "RS", "PS":
		s.Private = RSAKey(int(rsaKeys.Add(1)))
	case "ES":
		s.Private = must(ecdsa.GenerateKey(Curves[alg], rand.Reader))
	case "Ed":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		s.Private = must(private, err)
	}
	return s
}

var rsaKeys atomic.Int64 // that NewSigner has returned

// RSAKey returns the nth of nine keys of 2048 bits. Their primes also fit the public
// exponent 3.
func RSAKey(n int) *rsa.PrivateKey {
	return rsaKey(1024, [...]int64{179, 1397, 6083}[n%3], [...]int64{1037, 1697, 1937}[n/3%3])
}

// SmallRSAKey returns a key of 1536 bits, which is too short.
func SmallRSAKey() *rsa.PrivateKey { return rsaKey(768, 1385, 65) }

// rsaKey returns the key of the primes 2^bits - a and 3·2^(bits-2) + b.
func rsaKey(bits uint, a, b int64) *rsa.PrivateKey {
	one := big.NewInt(1)
	p := new(big.Int).Sub(new(big.Int).Lsh(one, bits), big.NewInt(a))
	q := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(3), bits-2), big.NewInt(b))
	k := &rsa.PrivateKey{Primes: []*big.Int{p, q}}
	k.N, k.E = new(big.Int).Mul(p, q), 65537
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	k.D = new(big.Int).ModInverse(big.NewInt(int64(k.E)), phi)
	k.Precompute()
	return k
}

func must[T any](v T, err error) T {
	if err != nil {
		panic("jwttest: " + err.Error())
	}
	return v
}

// As returns a Signer with the key of s and another alg and kid.
func (s *Signer) As(alg, kid string) *Signer {
	return &Signer{Alg: alg, KeyID: kid, Private: s.Private}
}

// Public returns the public key.
func (s *Signer) Public() crypto.PublicKey { return s.Private.(crypto.Signer).Public() }

// Hash returns the hash function that the algorithm's name ends in.
func (s *Signer) Hash() crypto.Hash {
	return map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[s.Alg[2:]]
}

// Digest returns the hash of text.
func Digest(hash crypto.Hash, text string) []byte {
	h := hash.New()
	h.Write([]byte(text))
	return h.Sum(nil)
}

// Signature signs text as RFC 7518 §3 and RFC 8037 §3.1 specify it. It panics if the key
// does not fit the algorithm.
func (s *Signer) Signature(text string) []byte {
	switch k := s.Private.(type) {
	case *rsa.PrivateKey:
		if strings.HasPrefix(s.Alg, "PS") {
			return s.PSS(text, rsa.PSSSaltLengthEqualsHash)
		}
		return must(rsa.SignPKCS1v15(nil, k, s.Hash(), Digest(s.Hash(), text)))
	case *ecdsa.PrivateKey:
		r, sig, err := ecdsa.Sign(rand.Reader, k, Digest(s.Hash(), text))
		return Concat(k.Curve, must(r, err), sig)
	case ed25519.PrivateKey:
		return ed25519.Sign(k, []byte(text))
	case []byte:
		mac := hmac.New(s.Hash().New, k)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
	panic("jwttest: no such key")
}

// PSS signs text with a salt of that length, or one of the constants of crypto/rsa.
func (s *Signer) PSS(text string, salt int) []byte {
	k := s.Private.(*rsa.PrivateKey)
	return must(rsa.SignPSS(rand.Reader, k, s.Hash(), Digest(s.Hash(), text), &rsa.PSSOptions{SaltLength: salt}))
}

// PSSWithoutSalt signs text with an empty salt (RFC 8017 §9.1.1), which crypto/rsa does
// not offer: there a length of 0 means the longest possible.
func (s *Signer) PSSWithoutSalt(text string) []byte {
	k, h := s.Private.(*rsa.PrivateKey), s.Hash()
	size := k.Size()
	inner := Digest(h, string(make([]byte, 8))+string(Digest(h, text)))
	db := make([]byte, size-h.Size()-1)
	db[len(db)-1] = 1
	mask := make([]byte, 0, size)
	for i := byte(0); len(mask) < len(db); i++ {
		mask = append(mask, Digest(h, string(inner)+string([]byte{0, 0, 0, i}))...)
	}
	for i := range db {
		db[i] ^= mask[i]
	}
	db[0] &= 0x7f
	em := append(append(db, inner...), 0xbc)
	return new(big.Int).Exp(new(big.Int).SetBytes(em), k.D, k.N).FillBytes(make([]byte, size))
}

// Concat returns the signature of RFC 7518 §3.4: r and s, each as long as the curve's
// order.
func Concat(curve elliptic.Curve, r, s *big.Int) []byte {
	n := (curve.Params().BitSize + 7) / 8
	return append(r.FillBytes(make([]byte, n)), s.FillBytes(make([]byte, n))...)
}

// Header returns the header of an access token (RFC 9068 §2.1).
func (s *Signer) Header() Members {
	return Members{"typ": `"at+jwt"`, "alg": `"` + s.Alg + `"`, "kid": `"` + s.KeyID + `"`}
}

// Sign returns a token of exactly these texts.
func (s *Signer) Sign(header, payload string) string {
	return s.SignEncoded(Encode(header), Encode(payload))
}

// SignEncoded returns a token whose first two segments are head and body.
func (s *Signer) SignEncoded(head, body string) string {
	return Attach(head+"."+body, s.Signature(head+"."+body))
}

// JWK returns the public key as a JWK, changed by more.
func (s *Signer) JWK(more Members) string {
	m := Members{"kid": `"` + s.KeyID + `"`}
	quoted := func(b []byte) string { return `"` + Encode(b) + `"` }
	switch k := s.Public().(type) {
	case *rsa.PublicKey:
		m["kty"], m["n"], m["e"] = `"RSA"`, quoted(k.N.Bytes()), `"AQAB"`
	case *ecdsa.PublicKey:
		point := must(k.Bytes())[1:]
		m["kty"], m["crv"] = `"EC"`, `"`+k.Curve.Params().Name+`"`
		m["x"], m["y"] = quoted(point[:len(point)/2]), quoted(point[len(point)/2:])
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = `"OKP"`, `"Ed25519"`, quoted(k)
	}
	return more.Over(m).Text()
}
