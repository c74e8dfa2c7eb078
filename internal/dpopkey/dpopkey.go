// Package dpopkey makes DPoP proofs (RFC 9449), for the command and for tests: the client's
// part, which package verifier/dpop checks.
package dpopkey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // for ES384 and ES512
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/url"
	"time"
)

// A Key is a client's key. It is safe for concurrent use.
type Key struct {
	Alg string // of the signatures
	JWK string // the public key, with the members and in the order of RFC 7638 §3.2

	private crypto.Signer

	hash crypto.Hash // 0 for Ed25519
}

var base64url = base64.RawURLEncoding.EncodeToString

// New returns a new key for ES256.
func New() (*Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return Of(private)
}

// Of returns a key with the algorithm that private is for.
func Of(private crypto.Signer) (*Key, error) {
	k := &Key{private: private}
	switch public := private.Public().(type) {
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, then both coordinates
		if err != nil {
			return nil, err
		}
		name := public.Curve.Params().Name
		switch name {
		case "P-256":
			k.Alg, k.hash = "ES256", crypto.SHA256
		case "P-384":
			k.Alg, k.hash = "ES384", crypto.SHA384
		case "P-521":
			k.Alg, k.hash = "ES512", crypto.SHA512
		default:
			return nil, fmt.Errorf("keys of the curve %s are not used with JWS", name)
		}
		size := len(point) / 2
		k.JWK = fmt.Sprintf(`{"crv":"%s","kty":"EC","x":"%s","y":"%s"}`, name, base64url(point[1:1+size]), base64url(point[1+size:]))
	case ed25519.PublicKey:
		k.Alg = "EdDSA"
		k.JWK = fmt.Sprintf(`{"crv":"Ed25519","kty":"OKP","x":"%s"}`, base64url(public))
	case *rsa.PublicKey:
		if public.N.BitLen() < 2048 {
			return nil, errors.New("an RSA key of less than 2,048 bits")
		}
		k.Alg, k.hash = "RS256", crypto.SHA256
		k.JWK = fmt.Sprintf(`{"e":"%s","kty":"RSA","n":"%s"}`, base64url(big.NewInt(int64(public.E)).Bytes()), base64url(public.N.Bytes()))
	default:
		return nil, errors.New("the key is neither EC nor RSA nor Ed25519")
	}
	return k, nil
}

// Thumbprint returns that of RFC 7638, which tokens have in cnf.jkt.
func (k *Key) Thumbprint() string { return hash(k.JWK) }

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64url(sum[:])
}

// Target returns the htu of a request to u: u without query and fragment (RFC 9449 §4.2).
func Target(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// Proof returns a proof for one request (RFC 9449 §4.2), without ath if there is no token.
// Claims are added to those of the proof or replace them; one that is nil is left out.
func (k *Key) Proof(method, htu, token string, claims map[string]any) (string, error) {
	all := map[string]any{"jti": rand.Text(), "htm": method, "htu": htu, "iat": time.Now().Unix()}
	if token != "" {
		all["ath"] = hash(token)
	}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	payload, err := json.Marshal(all)
	if err != nil {
		return "", err
	}
	return k.Sign(`{"typ":"dpop+jwt","alg":"`+k.Alg+`","jwk":`+k.JWK+`}`, string(payload))
}

// Sign returns a compact JWS of exactly these texts.
func (k *Key) Sign(header, payload string) (string, error) {
	signed := base64url([]byte(header)) + "." + base64url([]byte(payload))
	signature, err := k.signature([]byte(signed))
	return signed + "." + base64url(signature), err
}

func (k *Key) signature(signed []byte) ([]byte, error) {
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
