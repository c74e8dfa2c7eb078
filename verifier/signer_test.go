package verifier_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"strings"
	"sync"
)

var (
	asymmetric = []string{
		"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
	}
	curveOf = map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}
)

// A signer makes tokens, honest or not.
type signer struct {
	alg, kid string
	private  any // a crypto.Signer, or []byte for HMAC
}

// newSigner returns one with a key of its own, whose kid is alg.
func newSigner(alg string) *signer {
	s := &signer{alg: alg, kid: alg}
	switch alg[:2] {
	case "RS", "PS":
		s.private = must(rsa.GenerateKey(rand.Reader, 2048))
	case "ES":
		s.private = must(ecdsa.GenerateKey(curveOf[alg], rand.Reader))
	case "Ed":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		s.private = must(private, err)
	}
	return s
}

var (
	rsaSigner     = sync.OnceValue(func() *signer { return newSigner("RS256") })
	ed25519Signer = sync.OnceValue(func() *signer { return newSigner("EdDSA") })
	ecdsaSigners  = map[string]func() *signer{
		"ES256": sync.OnceValue(func() *signer { return newSigner("ES256") }),
		"ES384": sync.OnceValue(func() *signer { return newSigner("ES384") }),
		"ES512": sync.OnceValue(func() *signer { return newSigner("ES512") }),
	}
)

// signerOf returns the signer for alg whose key is trusted by config. There is
// one key for each kind and curve.
func signerOf(alg string) *signer {
	s := &signer{alg: alg, kid: alg}
	switch alg[:2] {
	case "RS", "PS":
		s.private = rsaSigner().private
	case "ES":
		s.private = ecdsaSigners[alg]().private
	case "Ed":
		s.private = ed25519Signer().private
	}
	return s
}

func hmacSigner(alg string, secret []byte) *signer {
	return &signer{alg: alg, kid: alg, private: secret}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (s *signer) public() crypto.PublicKey { return s.private.(crypto.Signer).Public() }

// as returns s with other words in the header.
func (s *signer) as(alg, kid string) *signer { return &signer{alg: alg, kid: kid, private: s.private} }

func (s *signer) hash() crypto.Hash {
	return map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[s.alg[2:]]
}

func digest(hash crypto.Hash, signed string) []byte {
	h := hash.New()
	h.Write([]byte(signed))
	return h.Sum(nil)
}

// signature signs as the specification of s.alg has it.
func (s *signer) signature(signed string) []byte {
	switch k := s.private.(type) {
	case *rsa.PrivateKey:
		if strings.HasPrefix(s.alg, "PS") {
			return s.pss(signed, rsa.PSSSaltLengthEqualsHash)
		}
		return must(rsa.SignPKCS1v15(nil, k, s.hash(), digest(s.hash(), signed)))
	case *ecdsa.PrivateKey:
		r, sig, err := ecdsa.Sign(rand.Reader, k, digest(s.hash(), signed))
		return concat(k.Curve, must(r, err), sig)
	case ed25519.PrivateKey:
		return ed25519.Sign(k, []byte(signed))
	case []byte:
		mac := hmac.New(s.hash().New, k)
		mac.Write([]byte(signed))
		return mac.Sum(nil)
	}
	panic("no such key")
}

func (s *signer) pss(signed string, salt int) []byte {
	k := s.private.(*rsa.PrivateKey)
	return must(rsa.SignPSS(rand.Reader, k, s.hash(), digest(s.hash(), signed), &rsa.PSSOptions{SaltLength: salt}))
}

// concat is the signature of RFC 7518 §3.4: r and s at the curve's full length.
func concat(curve elliptic.Curve, r, s *big.Int) []byte {
	n := (curve.Params().BitSize + 7) / 8
	return append(r.FillBytes(make([]byte, n)), s.FillBytes(make([]byte, n))...)
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// header is the usual one of s.
func (s *signer) header() members {
	return members{"typ": `"at+jwt"`, "alg": `"` + s.alg + `"`, "kid": `"` + s.kid + `"`}
}

// token returns a good token, changed by header and claims.
func (s *signer) token(header, claims members) string {
	return s.sign(header.over(s.header()).text(), claims.over(goodClaims()).text())
}

// good returns a token that config accepts.
func (s *signer) good() string { return s.token(nil, nil) }

// sign returns a token of exactly these texts.
func (s *signer) sign(header, payload string) string {
	return s.signEncoded(encode(header), encode(payload))
}

// signEncoded returns a token of exactly these segments.
func (s *signer) signEncoded(head, body string) string {
	return s.attach(head+"."+body, s.signature(head+"."+body))
}

// attach completes signed with any signature.
func (s *signer) attach(signed string, signature []byte) string {
	return signed + "." + encode(string(signature))
}

// unsigned are the first two segments of a good token.
func (s *signer) unsigned() string {
	return encode(s.header().text()) + "." + encode(goodClaims().text())
}

// jwk returns the public half of s as a JWK, changed by more.
func jwk(s *signer, more members) string {
	m := members{"kid": `"` + s.kid + `"`}
	quoted := func(b []byte) string { return `"` + encode(string(b)) + `"` }
	switch k := s.public().(type) {
	case *rsa.PublicKey:
		m["kty"], m["n"], m["e"] = `"RSA"`, quoted(k.N.Bytes()), `"AQAB"`
	case *ecdsa.PublicKey:
		point := must(k.Bytes())[1:]
		m["kty"], m["crv"] = `"EC"`, `"`+k.Curve.Params().Name+`"`
		m["x"], m["y"] = quoted(point[:len(point)/2]), quoted(point[len(point)/2:])
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = `"OKP"`, `"Ed25519"`, quoted(k)
	}
	return more.over(m).text()
}

// jwks returns a JWK Set.
func jwks(keys ...string) []byte { return []byte(`{"keys":[` + strings.Join(keys, ",") + `]}`) }
