package vectors

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	bits   = map[string]string{"SHA-256": "256", "SHA-384": "384", "SHA-512": "512"}
	salts  = map[string]int{"SHA-256": 32, "SHA-384": 48, "SHA-512": 64}
	curves = map[string]elliptic.Curve{
		"secp224r1": elliptic.P224(), "secp256r1": elliptic.P256(),
		"secp384r1": elliptic.P384(), "secp521r1": elliptic.P521(),
	}
	ecdsaAlgs = map[[2]string]string{
		{"secp256r1", "SHA-256"}: "ES256", {"secp384r1", "SHA-384"}: "ES384", {"secp521r1", "SHA-512"}: "ES512",
	}
	hmacAlgs = map[string]string{"HMACSHA256": "HS256", "HMACSHA384": "HS384", "HMACSHA512": "HS512"}
	hmacTags = map[string]int{"HMACSHA256": 256, "HMACSHA384": 384, "HMACSHA512": 512}
)

// joseAlgorithm returns the JWS algorithm that g's parameters are those of (RFC
// 7518 §3.1, RFC 8037 §3.1), or "" for none.
func (f *file) joseAlgorithm(g *group) string {
	switch g.Type {
	case "EcdsaP1363Verify":
		return ecdsaAlgs[[2]string{g.PublicKey.Curve, g.SHA}]
	case "EddsaVerify":
		if g.PublicKey.Curve == "edwards25519" {
			return "EdDSA"
		}
	case "RsassaPkcs1Verify", "RsassaPkcs1Generate":
		if n := bits[g.SHA]; n != "" && g.rsaBits() >= 2048 {
			return "RS" + n
		}
	case "RsassaPssVerify", "RsassaPssWithParametersVerify":
		n := bits[g.SHA]
		if n != "" && g.MGF == "MGF1" && g.MGFSHA == g.SHA && g.SLen == salts[g.SHA] && g.rsaBits() >= 2048 {
			return "PS" + n
		}
	case "MacTest":
		if g.TagSize == hmacTags[f.Algorithm] {
			return hmacAlgs[f.Algorithm]
		}
	}
	return ""
}

// meantFor returns the JWS algorithm that an invalid vector's signature is a
// good one of, as its comment says: it is invalid for its own only.
func (g *group) meantFor(v *vector) string {
	if v.Result != "invalid" || g.rsaBits() < 2048 {
		return ""
	}
	var hash string
	var salt int
	for _, form := range []string{"The message is hashed with %s instead", "PKCS #1 v1.5 signature with %s"} {
		if n, _ := fmt.Sscanf(v.Comment, form, &hash); n == 1 && bits[hash] != "" {
			return "RS" + bits[hash]
		}
	}
	if v.ID == g.longestSalt() && bits[g.SHA] != "" {
		return "PS" + bits[g.SHA]
	}
	if n, _ := fmt.Sscanf(v.Comment, "s_len changed to %d", &salt); n == 1 && salt == salts[g.SHA] && g.MGFSHA == g.SHA {
		return "PS" + bits[g.SHA]
	}
	return ""
}

// longestSalt returns the vector of a PKCS #1 v1.5 file that is an RSA-PSS
// signature with a salt as long as the hash: the last of a few, of growing salts.
func (g *group) longestSalt() (id int) {
	for _, v := range g.Tests {
		if v.Comment == "RSASSA-PSS signature" {
			id = v.ID
		}
	}
	return id
}

func (g *group) rsaBits() int {
	n, _ := g.rsaNumbers()
	return n.BitLen()
}

func (g *group) rsaNumbers() (n, e *big.Int) {
	k := g.PublicKey
	if k.Modulus == nil {
		k = g.PrivateKey
	}
	return new(big.Int).SetBytes(k.Modulus), new(big.Int).SetBytes(k.PublicExponent)
}

// key returns g's public key; an HMAC vector has its own.
func (g *group) key(t *testing.T) crypto.PublicKey {
	t.Helper()
	switch g.Type {
	case "EcdsaVerify", "EcdsaP1363Verify":
		require.Contains(t, curves, g.PublicKey.Curve)
		k, err := ecdsa.ParseUncompressedPublicKey(curves[g.PublicKey.Curve], g.PublicKey.Uncompressed)
		require.NoError(t, err)
		return k
	case "EddsaVerify":
		return ed25519.PublicKey(g.PublicKey.PK)
	case "MacTest":
		return nil
	}
	n, e := g.rsaNumbers()
	require.NotZero(t, n.BitLen(), g.Type)
	return &rsa.PublicKey{N: n, E: int(e.Int64())}
}

// signature is what the library is to accept or to refuse.
func (v *vector) signature() []byte {
	if v.Tag != nil {
		return v.Tag
	}
	return v.Sig
}
