package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha512" // for ES384 and ES512
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"net/url"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/seed-12ed5b1c/jwtguard/internal/dpopkey"
)

// newDPoPKey reads the key from the file, or makes one for ES256 if there is none.
func newDPoPKey(file string) (*dpopkey.Key, error) {
	if file == "" {
		return dpopkey.New()
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	private, err := readPrivateKey(text)
	if err != nil {
		return nil, err
	}
	return dpopkey.Of(private)
}

var errKeyFile = errors.New("it has neither a private key in PEM nor a private JWK")

// readPrivateKey reads PEM (PKCS #8, SEC 1 or PKCS #1) or a JWK.
func readPrivateKey(text []byte) (crypto.Signer, error) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return readPrivateJWK(text)
		}
		var key any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		default: // such as openssl's EC PARAMETERS
			text = rest
			continue
		}
		signer, ok := key.(crypto.Signer)
		if err != nil || !ok {
			return nil, errKeyFile
		}
		return signer, nil
	}
}

// readPrivateJWK reads a private key of RFC 7518 §6 or RFC 8037. Its public members have
// to be those of the private one.
func readPrivateJWK(text []byte) (crypto.Signer, error) {
	var members map[string]jsontext.Value
	if json.Unmarshal(text, &members) != nil {
		return nil, errKeyFile
	}
	part := func(name string) (b []byte) {
		var s string
		if json.Unmarshal(members[name], &s) == nil {
			b, _ = base64.RawURLEncoding.DecodeString(s)
		}
		return b
	}
	word := func(name string) (s string) {
		_ = json.Unmarshal(members[name], &s)
		return s
	}
	number := func(name string) *big.Int { return new(big.Int).SetBytes(part(name)) }
	curves := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}
	var signer crypto.Signer
	switch curve := curves[word("crv")]; {
	case word("kty") == "EC" && curve != nil:
		private, err := ecdsa.ParseRawPrivateKey(curve, part("d"))
		if err != nil {
			return nil, errKeyFile
		}
		signer = private
	case word("kty") == "OKP" && word("crv") == "Ed25519" && len(part("d")) == ed25519.SeedSize:
		signer = ed25519.NewKeyFromSeed(part("d"))
	case word("kty") == "RSA" && number("e").IsInt64():
		private := &rsa.PrivateKey{
			PublicKey: rsa.PublicKey{N: number("n"), E: int(number("e").Int64())},
			D:         number("d"), Primes: []*big.Int{number("p"), number("q")},
		}
		if private.Validate() != nil {
			return nil, errKeyFile
		}
		private.Precompute()
		return private, nil
	default:
		return nil, errKeyFile
	}
	k, err := dpopkey.Of(signer)
	if err != nil {
		return nil, err
	}
	var public struct{ X, Y string }
	if json.Unmarshal([]byte(k.JWK), &public, json.MatchCaseInsensitiveNames(true)) != nil || public.X != word("x") || public.Y != word("y") {
		return nil, errors.New("the public part of the JWK is not that of its private part")
	}
	return signer, nil
}

// proofFor returns a proof of k for one request, with the nonce if there is one.
func proofFor(k *dpopkey.Key, method, target, token, nonce string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	claims := make(map[string]any)
	if nonce != "" {
		claims["nonce"] = nonce
	}
	return k.Proof(method, dpopkey.Target(u), token, claims)
}
