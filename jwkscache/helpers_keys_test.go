package jwkscache_test

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"strings"
	"sync"
)

// A jwk is a JSON Web Key by its members.
type jwk map[string]any

// with returns a copy of j with members, given as name, value, ...; a nil value
// removes the member.
func (j jwk) with(members ...any) jwk {
	c := maps.Clone(j)
	for i := 0; i < len(members); i += 2 {
		c[members[i].(string)] = members[i+1]
		if members[i+1] == nil {
			delete(c, members[i].(string))
		}
	}
	return c
}

func (j jwk) String() string { return toJSON(j) }

// A key is a public key, its JWK, and one alg that it verifies.
type key struct {
	kid, alg string
	public   crypto.PublicKey
	jwk      jwk
}

// named returns k under another kid; "" is none.
func (k key) named(kid string) key {
	k.kid, k.jwk = kid, k.jwk.with("kid", kid)
	if kid == "" {
		k.jwk = k.jwk.with("kid", nil)
	}
	return k
}

func setOf(keys ...key) string {
	members := make([]string, 0, len(keys))
	for _, k := range keys {
		members = append(members, k.jwk.String())
	}
	return rawSet(members...)
}

// rawSet returns a key set of members that are JSON already.
func rawSet(members ...string) string {
	return `{"keys":[` + strings.Join(members, ",") + `]}`
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// newKey returns a fresh P-256 key, which is the cheapest.
func newKey(kid string) key { return ecKey(kid, elliptic.P256()) }

func ecKey(kid string, curve elliptic.Curve) key {
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	point, err := k.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return ecFromPoint(kid, curve, point)
}

// ecFromPoint returns the key of an uncompressed point.
func ecFromPoint(kid string, curve elliptic.Curve, point []byte) key {
	name := curve.Params().Name
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		panic(err)
	}
	n := (len(point) - 1) / 2
	x, y := b64(point[1:1+n]), b64(point[1+n:])
	return key{kid, map[string]string{"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}[name], public,
		jwk{"kty": "EC", "crv": name, "x": x, "y": y, "kid": kid}}
}

// ecLeadingZero returns a key whose x (offset 0) or y (offset 1) begins with a
// zero octet.
func ecLeadingZero(kid string, curve elliptic.Curve, offset int) key {
	ways := map[string]ecdh.Curve{"P-256": ecdh.P256(), "P-384": ecdh.P384(), "P-521": ecdh.P521()}
	size := (curve.Params().BitSize + 7) / 8
	for d := int64(1); ; d++ {
		private, err := ways[curve.Params().Name].NewPrivateKey(big.NewInt(d).FillBytes(make([]byte, size)))
		if err != nil {
			panic(err)
		}
		if point := private.PublicKey().Bytes(); point[1+offset*size] == 0 {
			return ecFromPoint(kid, curve, point)
		}
	}
}

func edKey(kid string) key {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return key{kid, "EdDSA", public, jwk{"kty": "OKP", "crv": "Ed25519", "x": b64(public), "kid": kid}}
}

var rsa2048 = sync.OnceValue(func() *rsa.PublicKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return &k.PublicKey
})

func rsaKey(kid string) key {
	public := rsa2048()
	return key{kid, "RS256", public, rsaJWK(public.N, int64(public.E)).with("kid", kid)}
}

func rsaJWK(n *big.Int, e int64) jwk {
	return jwk{"kty": "RSA", "n": b64(n.Bytes()), "e": b64(big.NewInt(e).Bytes())}
}

// rsaOf returns an RSA key for parsing only: an odd modulus of so many bits, and
// the exponent e.
func rsaOf(bits int, e int64) jwk {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return rsaJWK(n.SetBit(n, 0, 1), e)
}

// shaped returns the key of rsaOf.
func shaped(bits int, e int64) key {
	j := rsaOf(bits, e)
	n, _ := base64.RawURLEncoding.DecodeString(j["n"].(string))
	return key{"k", "RS256", &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(e)}, j.with("kid", "k")}
}
