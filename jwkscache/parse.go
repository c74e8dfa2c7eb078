package jwkscache

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lestrrat-go/jwx/v2/jwk"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// A jwkMembers is what this package reads of a JWK; x5c and the rest are left
// alone (RFC 7517 §4).
type jwkMembers struct {
	Kty     string         `json:"kty"`
	Kid     jsontext.Value `json:"kid"`
	X5T     jsontext.Value `json:"x5t"`
	X5TS256 jsontext.Value `json:"x5t#S256"`
	Use     *string        `json:"use"`
	KeyOps  []string       `json:"key_ops"`
	Alg     string         `json:"alg"`
	Crv     string         `json:"crv"`
	N       string         `json:"n"`
	E       string         `json:"e"`
	X       string         `json:"x"`
	Y       string         `json:"y"`

	// Members of private and of symmetric keys (RFC 7518 §6.2.2, §6.3.2, §6.4).
	D   jsontext.Value `json:"d"`
	P   jsontext.Value `json:"p"`
	Q   jsontext.Value `json:"q"`
	DP  jsontext.Value `json:"dp"`
	DQ  jsontext.Value `json:"dq"`
	QI  jsontext.Value `json:"qi"`
	Oth jsontext.Value `json:"oth"`
	K   jsontext.Value `json:"k"`
}

// parseKey reads one JWK and decides whether it may verify signatures. On error
// the result has the kid, as far as there is one.
func parseKey(raw jsontext.Value, cfg Config) (k key, err error) {
	var m jwkMembers
	if err := json.Unmarshal(raw, &m); err != nil {
		return k, brokenJWK(err)
	}
	// A kid of another type than string can match no token (RFC 7515 §4.1.4), and
	// a key without kid may be meant by many.
	if m.Kid != nil && json.Unmarshal(m.Kid, &k.kid) != nil {
		return k, errors.New("kid is no string")
	}
	k.x5t, k.x5tS256 = thumbprint(m.X5T), thumbprint(m.X5TS256)
	switch {
	case m.Use != nil && *m.Use != "sig" && !slices.Contains(cfg.Uses, *m.Use):
		return k, fmt.Errorf("use is %.40q, not sig", *m.Use)
	case m.KeyOps != nil && !slices.Contains(m.KeyOps, "verify"):
		return k, errors.New("key_ops lacks verify")
	case m.private():
		return k, errors.New("a private or symmetric key in public: tell the issuer")
	}
	fits, minimal, err := m.publicPart(&k)
	if err != nil {
		return k, err
	}
	if k.algs, err = restrict(fits, m.Alg); err != nil {
		return k, err
	}
	if k.public, err = parsePublic(minimal); err != nil {
		return k, err
	}
	return k, checkPublic(k.public, cfg.AllowSmallExponents)
}

// brokenJWK names the member that err is about, where it is about one.
func brokenJWK(err error) error {
	var other *json.SemanticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return errors.New("broken JWK: a member stands twice")
	case errors.As(err, &other) && other.JSONPointer != "":
		return fmt.Errorf("broken JWK: %.40q is not of the type that it should be", strings.TrimPrefix(string(other.JSONPointer), "/"))
	}
	return errors.New("broken JWK")
}

// thumbprint reads x5t or x5t#S256. One that is no string can match no token,
// but does not name the key either: it is as if it were not there.
func thumbprint(v jsontext.Value) (s string) {
	_ = json.Unmarshal(v, &s)
	return canonical(s)
}

func (m *jwkMembers) private() bool {
	for _, v := range []jsontext.Value{m.D, m.P, m.Q, m.DP, m.DQ, m.QI, m.Oth, m.K} {
		if v != nil && v.Kind() != 'n' {
			return true
		}
	}
	return false
}

// publicPart returns the algorithms that a key of this type and curve may
// verify, and the members that make the key, decoded and complete. What is odd
// about their spelling goes into k.
func (m *jwkMembers) publicPart(k *key) (algs []string, minimal map[string]string, err error) {
	minimal = map[string]string{"kty": m.Kty}
	// member decodes one, into what check makes of it.
	member := func(name, value string, check func([]byte) ([]byte, error)) {
		b, odd, err1 := decode(value)
		if err1 == nil {
			b, err1 = check(b)
		}
		if err1 != nil && err == nil {
			err = fmt.Errorf("%s %w", name, err1)
		}
		if odd != "" {
			k.odd = append(k.odd, name+" "+odd)
		}
		minimal[name] = base64.RawURLEncoding.EncodeToString(b)
	}
	switch m.Kty {
	case "RSA":
		member("n", m.N, func(b []byte) ([]byte, error) {
			if len(b) > maxRSABits/8+1 {
				return nil, errors.New("is too long for an RSA modulus")
			}
			return b, nil
		})
		member("e", m.E, func(b []byte) ([]byte, error) {
			if len(bytes.TrimLeft(b, "\x00")) > 4 { // jwx would cut it short
				return nil, errors.New("is too large for an RSA exponent")
			}
			return b, nil
		})
		return rsaAlgs, minimal, err
	case "EC":
		c, ok := curves[m.Crv]
		if !ok {
			return nil, nil, errors.New("unknown crv")
		}
		minimal["crv"] = m.Crv
		member("x", m.X, c.coordinate)
		member("y", m.Y, c.coordinate)
		return []string{c.alg}, minimal, err
	case "OKP":
		if m.Crv != "Ed25519" {
			return nil, nil, errors.New("unknown crv")
		}
		minimal["crv"] = m.Crv
		member("x", m.X, func(b []byte) ([]byte, error) {
			if len(b) != ed25519.PublicKeySize {
				return nil, errors.New("is not of 32 bytes, as Ed25519 keys are")
			}
			return b, nil
		})
		return edAlgs, minimal, err
	}
	return nil, nil, errors.New("unknown kty")
}

// restrict narrows algs to the JWK's own alg, where it has one. EdDSA and
// Ed25519 are two names of one thing (RFC 9864 §2.2).
func restrict(algs []string, alg string) ([]string, error) {
	switch {
	case alg == "":
		return algs, nil
	case !slices.Contains(algs, alg):
		return nil, errors.New("alg is unknown or does not fit kty and crv")
	case slices.Contains(edAlgs, alg):
		return edAlgs, nil
	}
	return []string{alg}, nil
}

// coordinate returns b at the curve's full length. RFC 7518 §6.2.1.2 demands
// that length; a server in the wild strips leading zeros, which is unambiguous
// and therefore mended.
func (c curve) coordinate(b []byte) ([]byte, error) {
	if len(b) > c.size {
		return nil, errors.New("is too long for a coordinate")
	}
	full := make([]byte, c.size)
	copy(full[c.size-len(b):], b)
	return full, nil
}

// decode reads base64url (RFC 7515 §2). Padding and the standard alphabet, which
// servers in the wild send, can mean nothing else and are read, too; what is odd
// is returned. All else is an error: Go's decoder skips CR and LF even when
// strict, which the length betrays.
func decode(s string) (b []byte, odd string, err error) {
	text := base64URL.Replace(s)
	if text != s {
		odd = "is in standard base64, not base64url"
	}
	if bare := strings.TrimRight(text, "="); bare != text {
		if len(text)%4 != 0 || len(text)-len(bare) > 2 {
			return nil, "", errors.New("is not base64url: its padding is wrong")
		}
		text, odd = bare, "has padding, which base64url has not"
	}
	b, err = base64.RawURLEncoding.Strict().DecodeString(text)
	switch {
	case text == "":
		return nil, "", errors.New("is missing")
	case err != nil || base64.RawURLEncoding.EncodedLen(len(b)) != len(text):
		return nil, "", errors.New("is not base64url")
	}
	return b, odd, nil
}

func parsePublic(minimal map[string]string) (crypto.PublicKey, error) {
	doc, err := json.Marshal(minimal)
	if err != nil {
		return nil, err
	}
	k, err := jwk.ParseKey(doc)
	if err != nil {
		return nil, errors.New("broken JWK")
	}
	var public any
	if err := k.Raw(&public); err != nil {
		return nil, errors.New("broken JWK")
	}
	return public, nil
}

const minRSABits, maxRSABits = 2048, 8192

func checkPublic(public crypto.PublicKey, smallExponents bool) error {
	switch k := public.(type) {
	case *rsa.PublicKey:
		least := 65537
		if smallExponents {
			least = 3
		}
		switch bits := k.N.BitLen(); {
		case bits < minRSABits || bits > maxRSABits:
			return fmt.Errorf("an RSA key of %d bits; %d to %d are accepted", bits, minRSABits, maxRSABits)
		case k.N.Bit(0) == 0:
			return errors.New("an even RSA modulus")
		case k.E < least || k.E%2 == 0 || k.E > 1<<31-1:
			return errors.New("the RSA exponent is even, too small or too large")
		}
		return nil
	case *ecdsa.PublicKey:
		if _, err := k.ECDH(); err != nil {
			return errors.New("the point is not on its curve")
		}
		return nil
	case ed25519.PublicKey:
		return jose.CheckEd25519(k)
	}
	return errors.New("unknown kind of key")
}
