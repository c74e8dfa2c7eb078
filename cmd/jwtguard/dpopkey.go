package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // for ES384 and ES512
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A dpopKey is a client's key for DPoP proofs (RFC 9449).
type dpopKey struct {
	private crypto.Signer
	alg     string
	hash    crypto.Hash // 0 for Ed25519
	jwk     string      // the public key, with the members and in the order of RFC 7638 §3.2
}

var base64url = base64.RawURLEncoding.EncodeToString

// newDPoPKey reads the key from the file, or makes one for ES256 if there is none.
func newDPoPKey(file string) (*dpopKey, error) {
	if file == "" {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		return dpopKeyOf(private)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	private, err := readPrivateKey(text)
	if err != nil {
		return nil, err
	}
	return dpopKeyOf(private)
}

// dpopKeyOf chooses the algorithm that the key is for.
func dpopKeyOf(private crypto.Signer) (*dpopKey, error) {
	k := &dpopKey{private: private}
	switch public := private.Public().(type) {
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, then both coordinates
		if err != nil {
			return nil, err
		}
		name := public.Curve.Params().Name
		switch name {
		case "P-256":
			k.alg, k.hash = "ES256", crypto.SHA256
		case "P-384":
			k.alg, k.hash = "ES384", crypto.SHA384
		case "P-521":
			k.alg, k.hash = "ES512", crypto.SHA512
		default:
			return nil, fmt.Errorf("keys of the curve %s are not used with JWS", name)
		}
		size := len(point) / 2
		k.jwk = fmt.Sprintf(`{"crv":"%s","kty":"EC","x":"%s","y":"%s"}`, name, base64url(point[1:1+size]), base64url(point[1+size:]))
	case ed25519.PublicKey:
		k.alg = "EdDSA"
		k.jwk = fmt.Sprintf(`{"crv":"Ed25519","kty":"OKP","x":"%s"}`, base64url(public))
	case *rsa.PublicKey:
		if public.N.BitLen() < 2048 {
			return nil, errors.New("an RSA key of less than 2,048 bits")
		}
		k.alg, k.hash = "RS256", crypto.SHA256
		k.jwk = fmt.Sprintf(`{"e":"%s","kty":"RSA","n":"%s"}`, base64url(big.NewInt(int64(public.E)).Bytes()), base64url(public.N.Bytes()))
	default:
		return nil, errors.New("the key is neither EC nor RSA nor Ed25519")
	}
	return k, nil
}

// thumbprint is that of RFC 7638, which tokens have in cnf.jkt.
func (k *dpopKey) thumbprint() string {
	sum := sha256.Sum256([]byte(k.jwk))
	return base64url(sum[:])
}

// proof returns a proof for one request (RFC 9449 §4.2), without ath if there is no
// token and without nonce if there is none.
func (k *dpopKey) proof(method, target, token, nonce string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	u.RawQuery, u.Fragment, u.RawFragment, u.ForceQuery = "", "", "", false
	claims := struct {
		ID       string `json:"jti"`
		Method   string `json:"htm"`
		URI      string `json:"htu"`
		IssuedAt int64  `json:"iat"`
		Hash     string `json:"ath,omitempty"`
		Nonce    string `json:"nonce,omitempty"`
	}{ID: rand.Text(), Method: method, URI: u.String(), IssuedAt: time.Now().Unix(), Nonce: nonce}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims.Hash = base64url(sum[:])
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := base64url([]byte(`{"typ":"dpop+jwt","alg":"`+k.alg+`","jwk":`+k.jwk+`}`)) + "." + base64url(payload)
	signature, err := k.sign([]byte(signed))
	return signed + "." + base64url(signature), err
}

func (k *dpopKey) sign(signed []byte) ([]byte, error) {
	digest := signed
	if k.hash != 0 {
		h := k.hash.New()
		h.Write(signed)
		digest = h.Sum(nil)
	}
	ec, ok := k.private.(*ecdsa.PrivateKey)
	if !ok {
		return k.private.Sign(rand.Reader, digest, k.hash)
	}
	r, s, err := ecdsa.Sign(rand.Reader, ec, digest)
	if err != nil {
		return nil, err
	}
	size := (ec.Params().BitSize + 7) / 8
	return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), nil
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
	k, err := dpopKeyOf(signer)
	if err != nil {
		return nil, err
	}
	var public struct{ X, Y string }
	if json.Unmarshal([]byte(k.jwk), &public, json.MatchCaseInsensitiveNames(true)) != nil || public.X != word("x") || public.Y != word("y") {
		return nil, errors.New("the public part of the JWK is not that of its private part")
	}
	return signer, nil
}
