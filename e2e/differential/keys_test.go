package differential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"strings"
)

// A key signs; jwk is its public half.
type key struct {
	private crypto.Signer
	jwk     object // with kid, alg and use
}

func (k *key) kid() string { return strings.Trim(k.jwk.get("kid"), `"`) }

// named is k under another kid and for one algorithm.
func (k *key) named(kid, alg string) *key {
	return &key{k.private, k.jwk.set("kid", quoted(kid)).set("alg", quoted(alg))}
}

func newKey(private crypto.Signer) *key {
	jwk := object{{"kty", ""}, {"kid", `"unnamed"`}, {"use", `"sig"`}}
	switch p := private.Public().(type) {
	case *rsa.PublicKey:
		jwk = jwk.set("kty", `"RSA"`).
			set("n", quoted(encode(p.N.Bytes()))).set("e", quoted(encode(big.NewInt(int64(p.E)).Bytes())))
	case *ecdsa.PublicKey:
		x, y := coordinates(p)
		jwk = jwk.set("kty", `"EC"`).
			set("crv", quoted(p.Curve.Params().Name)).set("x", quoted(encode(x))).set("y", quoted(encode(y)))
	case ed25519.PublicKey:
		jwk = jwk.set("kty", `"OKP"`).set("crv", `"Ed25519"`).set("x", quoted(encode(p)))
	}
	return &key{private, jwk}
}

// coordinates are of full length.
func coordinates(p *ecdsa.PublicKey) (x, y []byte) {
	point, err := p.Bytes()
	if err != nil {
		panic(err)
	}
	half := len(point) / 2
	return point[1 : 1+half], point[1+half:]
}

func der(public crypto.PublicKey) []byte {
	b, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		panic(err)
	}
	return b
}

// A keyring holds the keys that cost too much to make for each case.
type keyring struct {
	rsa      []*key // of 2048 bits
	small    *key   // RSA of 1024 bits
	exponent *key   // RSA with e = 3
	stripped *key   // P-256, a coordinate begins with a zero
	zero     string // an RS256 token of the plain set whose signature begins with a zero
}

func newKeyring() *keyring {
	r := &keyring{small: newRSA(1024), exponent: newSmallExponent(), stripped: newStripped()}
	for range 3 {
		r.rsa = append(r.rsa, newRSA(2048))
	}
	return r
}

func newRSA(bits int) *key {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return newKey(k)
}

// newSmallExponent makes what rsa.GenerateKey does not.
func newSmallExponent() *key {
	one, three := big.NewInt(1), big.NewInt(3)
	prime := func() *big.Int {
		for {
			p, err := rand.Prime(rand.Reader, 1024)
			if err != nil {
				panic(err)
			}
			if new(big.Int).Mod(p, three).Int64() == 2 {
				return p
			}
		}
	}
	p, q := prime(), prime()
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	k := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 3},
		D:         new(big.Int).ModInverse(three, phi),
		Primes:    []*big.Int{p, q},
	}
	k.Precompute()
	if err := k.Validate(); err != nil {
		panic(err)
	}
	return newKey(k)
}

func newEC(curve elliptic.Curve) *key {
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return newKey(k)
}

func newStripped() *key {
	for {
		k := newEC(elliptic.P256())
		if x, y := coordinates(k.private.Public().(*ecdsa.PublicKey)); x[0] == 0 || y[0] == 0 {
			return k
		}
	}
}

func newEd25519() *key {
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return newKey(k)
}

// fresh is a key for alg under this kid, new except for RSA.
func (g *generator) fresh(alg, kid string) *key {
	switch alg {
	case "ES256":
		return newEC(elliptic.P256()).named(kid, alg)
	case "ES384":
		return newEC(elliptic.P384()).named(kid, alg)
	case "ES512":
		return newEC(elliptic.P521()).named(kid, alg)
	case "EdDSA", "Ed25519":
		return newEd25519().named(kid, alg)
	}
	return pick(g, g.ring.rsa[:2]).named(kid, alg) // the third is a stranger's
}

func keySet(jwks ...object) string {
	texts := make([]string, len(jwks))
	for i, k := range jwks {
		texts[i] = k.text()
	}
	return keySetOf(texts...)
}

// keySetOf is a JWK Set of raw members.
func keySetOf(members ...string) string { return `{"keys":[` + strings.Join(members, ",") + `]}` }
