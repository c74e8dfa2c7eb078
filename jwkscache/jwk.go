package jwkscache

import (
	"bytes"
	"crypto"
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

// jwkMembers are the members of a JWK that this package reads; it ignores x5c and
// the rest (RFC 7517 §4).
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

var errEncryption = errors.New(`use is "enc", not sig`)

// parseKey reads one JWK and decides whether it may verify signatures. On error
// the result has the kid, if there is one.
func parseKey(raw jsontext.Value, cfg Config) (k key, err error) {
	var m jwkMembers
	if err := json.Unmarshal(raw, &m); err != nil {
		return k, brokenJWK(err)
	}
	// A kid that is not a string matches no token (RFC 7515 §4.1.4), and a key
	// without kid would match many.
	if m.Kid != nil && json.Unmarshal(m.Kid, &k.kid) != nil {
		return k, errors.New("kid is not a string")
	}
	k.x5t, k.x5tS256 = thumbprint(m.X5T), thumbprint(m.X5TS256)
	switch {
	case m.Use != nil && *m.Use != "sig" && !slices.Contains(cfg.Uses, *m.Use):
		if *m.Use == "enc" {
			return k, errEncryption
		}
		return k, fmt.Errorf("use is %.40q, not sig", *m.Use)
	case m.KeyOps != nil && !slices.Contains(m.KeyOps, "verify"):
		return k, errors.New("key_ops lacks verify")
	case m.private():
		return k, errors.New("a private or symmetric key in public: tell the issuer")
	}
	if m.Use != nil {
		k.use = *m.Use
	}
	fitting, minimal, err := m.publicPart(&k)
	if err != nil {
		return k, err
	}
	if k.algs, err = restrict(fitting, m.Alg); err != nil {
		return k, err
	}
	if k.public, err = parsePublic(minimal); err != nil {
		return k, err
	}
	return k, checkUsable(k.public, cfg)
}

// checkUsable reports why a key must not verify signatures.
func checkUsable(public crypto.PublicKey, cfg Config) error {
	if k, ok := public.(*rsa.PublicKey); ok && k.E < 65537 && !cfg.AllowSmallExponents {
		return errors.New("the RSA exponent is below 65537")
	}
	return jose.CheckKey(public)
}

// brokenJWK names the member that err is about, if it is about one.
func brokenJWK(err error) error {
	var other *json.SemanticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return errors.New("broken JWK: two members have the same name")
	case errors.As(err, &other) && other.JSONPointer != "":
		return fmt.Errorf("broken JWK: %.40q has the wrong type", strings.TrimPrefix(string(other.JSONPointer), "/"))
	}
	return errors.New("broken JWK")
}

// thumbprint reads x5t or x5t#S256. One that is not a string is ignored: it matches
// no token, and does not name the key.
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

// publicPart returns the algorithms of a key with this kty and crv, and the members
// that make the key, decoded and at full length. It adds to k what is unusual in
// their encoding.
func (m *jwkMembers) publicPart(k *key) (fitting []*jose.Algorithm, minimal map[string]string, err error) {
	minimal = map[string]string{"kty": m.Kty}
	// member decodes one of them, into what check makes of it.
	member := func(name, value string, check func([]byte) ([]byte, error)) {
		b, unusual, err1 := decode(value)
		if err1 == nil {
			b, err1 = check(b)
		}
		if err1 != nil && err == nil {
			err = fmt.Errorf("%s %w", name, err1)
		}
		if unusual != "" {
			k.unusual = append(k.unusual, name+" "+unusual)
		}
		minimal[name] = base64.RawURLEncoding.EncodeToString(b)
	}
	switch m.Kty {
	case "RSA":
		member("n", m.N, func(b []byte) ([]byte, error) {
			if len(b) > jose.MaxRSABits/8+1 {
				return nil, errors.New("is too long for an RSA modulus")
			}
			return b, nil
		})
		member("e", m.E, func(b []byte) ([]byte, error) {
			if len(bytes.TrimLeft(b, "\x00")) > 4 { // jwx would truncate it
				return nil, errors.New("is too large for an RSA exponent")
			}
			return b, nil
		})
		return jose.ForKey("RSA", ""), minimal, err
	case "EC", "OKP":
		fitting = jose.ForKey(m.Kty, m.Crv)
		if len(fitting) == 0 {
			return nil, nil, errors.New("unknown crv")
		}
		minimal["crv"] = m.Crv
		size := fitting[0].KeySize
		if m.Kty == "OKP" {
			member("x", m.X, exactly(size))
		} else {
			member("x", m.X, atFullLength(size))
			member("y", m.Y, atFullLength(size))
		}
		return fitting, minimal, err
	}
	return nil, nil, errors.New("unknown kty")
}

func exactly(size int) func([]byte) ([]byte, error) {
	return func(b []byte) ([]byte, error) {
		if len(b) != size {
			return nil, fmt.Errorf("has %d bytes, not %d", len(b), size)
		}
		return b, nil
	}
}

// atFullLength adds the leading zeros that RFC 7518 §6.2.1.2 demands of a
// coordinate, and that some servers strip.
func atFullLength(size int) func([]byte) ([]byte, error) {
	return func(b []byte) ([]byte, error) {
		if len(b) > size {
			return nil, errors.New("is too long for a coordinate")
		}
		full := make([]byte, size)
		copy(full[size-len(b):], b)
		return full, nil
	}
}

// restrict returns the names of the algorithms, or only the JWK's own alg, if it
// has one. For an OKP key all names mean the same (RFC 9864 §2.2: EdDSA and the
// curve's own).
func restrict(fitting []*jose.Algorithm, alg string) (names []string, err error) {
	known := false
	for _, a := range fitting {
		names = append(names, a.Name)
		known = known || a.Name == alg
	}
	switch {
	case alg != "" && !known:
		return nil, errors.New("alg is unknown or does not fit kty and crv")
	case alg == "" || fitting[0].KeyType == "OKP":
		return names, nil
	}
	return []string{alg}, nil
}

// decode reads base64url (RFC 7515 §2). It also reads padding and the standard
// alphabet, which some servers send and which are unambiguous; the result then
// says what is unusual.
func decode(s string) (b []byte, unusual string, err error) {
	text := base64URL.Replace(s)
	if text != s {
		unusual = "is in standard base64, not base64url"
	}
	if bare := strings.TrimRight(text, "="); bare != text {
		if len(text)%4 != 0 || len(text)-len(bare) > 2 {
			return nil, "", errors.New("is not base64url: its padding is wrong")
		}
		text, unusual = bare, "has padding, which base64url does not have"
	}
	if text == "" {
		return nil, "", errors.New("is missing")
	}
	b, ok := jose.AppendDecode(nil, []byte(text))
	if !ok {
		return nil, "", errors.New("is not base64url")
	}
	return b, unusual, nil
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
