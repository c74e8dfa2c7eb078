package dpop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// privateMembers are those of private and symmetric keys (RFC 7518 §6, RFC 8037 §2, RFC
// 9964 §4), which a proof must not have (RFC 9449 §4.2).
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}

// A jwk has the members of a public key, as they are written.
type jwk struct{ alg, kty, crv, n, e, x, y string }

var (
	errJWK     = errors.New("jwk is not a public key in the form of RFC 7517 and RFC 7518")
	errPrivate = errors.New("jwk has a member of a private or symmetric key")
)

// readJWK reads the JWK in text, which is well-formed JSON without duplicate names.
func readJWK(text string) (k jwk, err error) {
	if text == "" || text[0] != '{' {
		return k, errJWK
	}
	fields := map[string]*string{"alg": &k.alg, "kty": &k.kty, "crv": &k.crv, "n": &k.n, "e": &k.e, "x": &k.x, "y": &k.y}
	jose.EachMember(text, func(name, value string) bool {
		for _, private := range privateMembers {
			if strings.EqualFold(name, private) {
				err = errPrivate
				return false
			}
		}
		if field := fields[name]; field != nil && value != "null" {
			if *field, err = jose.StringValue(value); err != nil {
				err = errJWK
				return false
			}
		}
		return true
	})
	return k, err
}

// thumbprint returns that of RFC 7638 §3, of the members as they are written. They are
// canonical if public has accepted them.
func (k *jwk) thumbprint() string {
	b := make([]byte, 0, 1024)
	add := func(parts ...string) {
		for _, p := range parts {
			b = append(b, p...)
		}
	}
	switch k.kty {
	case "RSA":
		add(`{"e":"`, k.e, `","kty":"RSA","n":"`, k.n, `"}`)
	case "EC":
		add(`{"crv":"`, k.crv, `","kty":"EC","x":"`, k.x, `","y":"`, k.y, `"}`)
	case "OKP":
		add(`{"crv":"`, k.crv, `","kty":"OKP","x":"`, k.x, `"}`)
	}
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// public returns the key, if it fits the algorithm. Each number has its only encoding:
// base64url without padding, a coordinate at full length (RFC 7518 §6.2.1.2), an RSA
// number without leading zeros (§2).
func (k *jwk) public(a *jose.Algorithm) (key crypto.PublicKey, err error) {
	if k.kty != a.KeyType || k.crv != a.Curve || k.alg != "" && k.alg != a.Name {
		return nil, errJWK
	}
	switch k.kty {
	case "RSA":
		n, e := decode(k.n), decode(k.e)
		if len(n) == 0 || len(n) > jose.MaxRSABits/8 || n[0] == 0 || len(e) == 0 || len(e) > 4 || e[0] == 0 {
			return nil, errJWK
		}
		exponent := new(big.Int).SetBytes(e).Int64()
		if exponent < 65537 {
			return nil, errJWK
		}
		key = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent)}
		if jose.CheckKey(key) != nil {
			return nil, errJWK
		}
	case "EC":
		x, y := decode(k.x), decode(k.y)
		if len(x) != a.KeySize || len(y) != a.KeySize {
			return nil, errJWK
		}
		point := append(append([]byte{4}, x...), y...)
		if key, err = ecdsa.ParseUncompressedPublicKey(curves[k.crv], point); err != nil {
			return nil, errJWK
		}
	case "OKP":
		x := decode(k.x)
		if len(x) != a.KeySize {
			return nil, errJWK
		}
		key = ed25519.PublicKey(x) // Algorithm.Verify refuses those of small order
	default:
		return nil, errJWK
	}
	return key, nil
}

var curves = map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}

func decode(s string) []byte {
	b, ok := jose.AppendDecode(nil, []byte(s))
	if !ok {
		return nil
	}
	return b
}
