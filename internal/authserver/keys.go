package authserver

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// A signingKey signs tokens with one algorithm, and is published under its kid.
type signingKey struct {
	kid, alg string
	private  crypto.Signer
	signer   jws.Signer
}

func newKey(alg string) (*signingKey, error) {
	k := &signingKey{kid: rand.Text(), alg: alg}
	var err error
	switch alg {
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512":
		k.private, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		k.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		k.private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES512":
		k.private, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "EdDSA", "Ed25519":
		_, k.private, err = ed25519.GenerateKey(rand.Reader)
	default:
		return nil, fmt.Errorf("authserver: unknown algorithm %q", alg)
	}
	if err != nil {
		return nil, err
	}
	family := jwa.SignatureAlgorithm(alg)
	if alg == "Ed25519" { // RFC 9864's name of EdDSA with this curve
		family = jwa.EdDSA
	}
	k.signer, err = jws.NewSigner(family)
	return k, err
}

// sign returns the compact serialization (RFC 7515 §7.1) of exactly these
// bytes.
func (k *signingKey) sign(header, payload []byte) (string, error) {
	enc := base64.RawURLEncoding
	signed := enc.EncodeToString(header) + "." + enc.EncodeToString(payload)
	signature, err := k.signer.Sign([]byte(signed), k.private)
	if err != nil {
		return "", err
	}
	return signed + "." + enc.EncodeToString(signature), nil
}

// jwkSet returns the public halves of keys as a JWK Set (RFC 7517 §5).
func jwkSet(keys []*signingKey) ([]byte, error) {
	set := jwk.NewSet()
	for _, k := range keys {
		public, err := jwk.FromRaw(k.private.Public())
		if err != nil {
			return nil, err
		}
		for name, value := range map[string]any{"kid": k.kid, "alg": k.alg, "use": "sig"} {
			if err := public.Set(name, value); err != nil {
				return nil, err
			}
		}
		if err := set.AddKey(public); err != nil {
			return nil, err
		}
	}
	return json.Marshal(set)
}
