package verifier_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"sync"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
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

// signature signs as the specification of s.alg has it.
func (s *signer) signature(signed string) []byte { return jwttest.Sign(s.alg, s.private, signed) }

func encode(text string) string { return jwttest.Encode(text) }

// header is the usual one of s.
func (s *signer) header() members {
	return members{"typ": `"at+jwt"`, "alg": `"` + s.alg + `"`, "kid": `"` + s.kid + `"`}
}

// token returns a good token, changed by header and claims.
func (s *signer) token(header, claims members) string {
	return s.sign(header.Over(s.header()).Text(), claims.Over(goodClaims()).Text())
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
	return encode(s.header().Text()) + "." + encode(goodClaims().Text())
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
	return more.Over(m).Text()
}

// jwks returns a JWK Set.
func jwks(keys ...string) []byte { return []byte(`{"keys":[` + strings.Join(keys, ",") + `]}`) }
