package jose

import (
	"crypto"
	"crypto/elliptic"
	"slices"
)

// An Algorithm is one row of the table of signature algorithms.
type Algorithm struct {
	Name    string // the header's alg
	KeyType string // the JWK's kty: RSA, EC, OKP or oct
	Curve   string // the JWK's crv, for EC and OKP

	// MinSecret is the minimum length of an HMAC key, in bytes (RFC 7518 §3.2).
	MinSecret int

	// KeySize is the length of a coordinate of an EC key and of an OKP key's x,
	// in bytes (RFC 7518 §6.2.1.2, RFC 8037 §2).
	KeySize int

	scheme scheme
	hash   crypto.Hash
	curve  elliptic.Curve // EC only
}

// A scheme is a kind of signature. [Algorithm.Verify] has a switch over schemes, instead
// of functions in the table, so that digests stay on the stack.
type scheme int

const (
	pkcs1v15 scheme = iota
	pss
	ecdsaRaw // r and s one after the other
	eddsa
	hmacSHA
)

// algorithms is the one table (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2).
// EdDSA and Ed25519 are two names of the same algorithm.
var algorithms = []*Algorithm{
	{Name: "RS256", KeyType: "RSA", scheme: pkcs1v15, hash: crypto.SHA256},
	{Name: "RS384", KeyType: "RSA", scheme: pkcs1v15, hash: crypto.SHA384},
	{Name: "RS512", KeyType: "RSA", scheme: pkcs1v15, hash: crypto.SHA512},
	{Name: "PS256", KeyType: "RSA", scheme: pss, hash: crypto.SHA256},
	{Name: "PS384", KeyType: "RSA", scheme: pss, hash: crypto.SHA384},
	{Name: "PS512", KeyType: "RSA", scheme: pss, hash: crypto.SHA512},
	{Name: "ES256", KeyType: "EC", Curve: "P-256", KeySize: 32, scheme: ecdsaRaw, hash: crypto.SHA256, curve: elliptic.P256()},
	{Name: "ES384", KeyType: "EC", Curve: "P-384", KeySize: 48, scheme: ecdsaRaw, hash: crypto.SHA384, curve: elliptic.P384()},
	{Name: "ES512", KeyType: "EC", Curve: "P-521", KeySize: 66, scheme: ecdsaRaw, hash: crypto.SHA512, curve: elliptic.P521()},
	{Name: "EdDSA", KeyType: "OKP", Curve: "Ed25519", KeySize: 32, scheme: eddsa},
	{Name: "Ed25519", KeyType: "OKP", Curve: "Ed25519", KeySize: 32, scheme: eddsa},
	{Name: "HS256", KeyType: "oct", MinSecret: 32, scheme: hmacSHA, hash: crypto.SHA256},
	{Name: "HS384", KeyType: "oct", MinSecret: 48, scheme: hmacSHA, hash: crypto.SHA384},
	{Name: "HS512", KeyType: "oct", MinSecret: 64, scheme: hmacSHA, hash: crypto.SHA512},
}

// Algorithms returns all algorithms.
func Algorithms() []*Algorithm { return slices.Clone(algorithms) }

// ByName returns the algorithm with that name, compared exactly, or nil.
func ByName(name string) *Algorithm {
	for _, a := range algorithms {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// ForKey returns the algorithms of keys with that kty and crv (RFC 7517 §4.1, RFC 7518
// §6), none if the kind of key is unknown. Key types without curves have the crv "".
func ForKey(keyType, curve string) (fitting []*Algorithm) {
	for _, a := range algorithms {
		if a.KeyType == keyType && a.Curve == curve {
			fitting = append(fitting, a)
		}
	}
	return fitting
}
