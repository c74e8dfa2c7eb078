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
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lestrrat-go/jwx/v2/jwk"
)

const keysAtMost = 256

// parseKeySet reads a JWK Set (RFC 7517 §5). A key that cannot be used is
// skipped and reported; a set without a usable one is an error.
func parseKeySet(doc []byte, smallExponents bool) (*keySet, error) {
	members, err := splitKeySet(doc)
	if err != nil {
		return nil, fmt.Errorf("not a JWK Set: %w", err)
	}
	set := newKeySet()
	for i, raw := range members {
		k, err := parseKey(raw, smallExponents)
		if err != nil {
			set.skip(fmt.Sprintf("key %d (kid %.40q): %v", i, k.kid, err))
			continue
		}
		set.add(k)
	}
	if set.size == 0 {
		return nil, fmt.Errorf("no usable key among %d: %.500s", len(members), strings.Join(set.skipped, "; "))
	}
	set.clip()
	return set, nil
}

// trimBOM drops a byte order mark, which no JSON text begins with (RFC 8259 §8.1
// lets a parser ignore it), but which servers in the wild send.
func trimBOM(doc []byte) []byte { return bytes.TrimPrefix(doc, []byte("\ufeff")) }

// splitKeySet returns the raw members of "keys". It is strict about the set and
// lenient inside its members, so that one broken key costs only itself.
func splitKeySet(doc []byte) (keys []jsontext.Value, err error) {
	dec := jsontext.NewDecoder(bytes.NewReader(trimBOM(doc)), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return nil, errors.New("no JSON object")
	}
	found := false
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, errors.New("broken JSON")
		}
		if name.String() != "keys" {
			if err := dec.SkipValue(); err != nil {
				return nil, errors.New("broken JSON")
			}
			continue
		}
		if found {
			return nil, errors.New("two keys members")
		}
		found = true
		if keys, err = readArray(dec); err != nil {
			return nil, err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, errors.New("broken JSON")
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return nil, errors.New("something follows the JSON object")
	}
	if !found {
		return nil, errors.New("no keys member")
	}
	return keys, nil
}

func readArray(dec *jsontext.Decoder) (values []jsontext.Value, err error) {
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '[' {
		return nil, errors.New("keys is no array")
	}
	for dec.PeekKind() != ']' {
		v, err := dec.ReadValue()
		if err != nil {
			return nil, errors.New("broken JSON")
		}
		if values = append(values, v.Clone()); len(values) > keysAtMost {
			return nil, fmt.Errorf("more than %d keys", keysAtMost)
		}
	}
	_, err = dec.ReadToken()
	return values, err
}

// A jwkMembers is what this package reads of a JWK; x5c and the rest are left
// alone (RFC 7517 §4).
type jwkMembers struct {
	Kty    string         `json:"kty"`
	Kid    jsontext.Value `json:"kid"`
	Use    *string        `json:"use"`
	KeyOps []string       `json:"key_ops"`
	Alg    string         `json:"alg"`
	Crv    string         `json:"crv"`
	N      string         `json:"n"`
	E      string         `json:"e"`
	X      string         `json:"x"`
	Y      string         `json:"y"`

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

// A key is one usable key of a set.
type key struct {
	kid    string
	algs   []string // that it may verify
	public crypto.PublicKey
}

// parseKey reads one JWK and decides whether it may verify signatures. On error
// the result has the kid, as far as there is one.
func parseKey(raw jsontext.Value, smallExponents bool) (k key, err error) {
	var m jwkMembers
	if err := json.Unmarshal(raw, &m); err != nil {
		return k, errors.New("broken JWK")
	}
	// A kid of another type than string can match no token (RFC 7515 §4.1.4);
	// the key then counts as one without kid.
	_ = json.Unmarshal(m.Kid, &k.kid)
	switch {
	case m.Use != nil && *m.Use != "sig":
		return k, errors.New("use is not sig")
	case m.KeyOps != nil && !slices.Contains(m.KeyOps, "verify"):
		return k, errors.New("key_ops lacks verify")
	case m.private():
		return k, errors.New("a private or symmetric key in public: tell the issuer")
	}
	fits, minimal, err := m.publicPart()
	if err != nil {
		return k, err
	}
	if k.algs, err = restrict(fits, m.Alg); err != nil {
		return k, err
	}
	if k.public, err = parsePublic(minimal); err != nil {
		return k, err
	}
	return k, checkPublic(k.public, smallExponents)
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
// verify, and the members that make the key, decoded strictly and complete.
func (m *jwkMembers) publicPart() (algs []string, minimal map[string]string, err error) {
	switch m.Kty {
	case "RSA":
		if len(m.N) > base64.RawURLEncoding.EncodedLen(rsaBitsMost/8+1) {
			return nil, nil, errors.New("the RSA modulus is too long")
		}
		_, errN := decode(m.N)
		e, errE := decode(m.E)
		if len(bytes.TrimLeft(e, "\x00")) > 4 { // jwx would cut it short
			return nil, nil, errors.New("the RSA exponent is too large")
		}
		return rsaAlgs, map[string]string{"kty": m.Kty, "n": m.N, "e": m.E}, errors.Join(errN, errE)
	case "EC":
		c, ok := curves[m.Crv]
		if !ok {
			return nil, nil, errors.New("unknown crv")
		}
		x, errX := coordinate(m.X, c.size)
		y, errY := coordinate(m.Y, c.size)
		return []string{c.alg}, map[string]string{"kty": m.Kty, "crv": m.Crv, "x": x, "y": y}, errors.Join(errX, errY)
	case "OKP":
		if m.Crv != "Ed25519" {
			return nil, nil, errors.New("unknown crv")
		}
		x, err := decode(m.X)
		if err == nil && len(x) != ed25519.PublicKeySize {
			err = errors.New("the Ed25519 key is not of 32 bytes")
		}
		return edAlgs, map[string]string{"kty": m.Kty, "crv": m.Crv, "x": m.X}, err
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

// coordinate returns s at the curve's full length. RFC 7518 §6.2.1.2 demands
// that length; a server in the wild strips leading zeros, which is unambiguous
// and therefore mended.
func coordinate(s string, size int) (string, error) {
	b, err := decode(s)
	if err != nil {
		return "", err
	}
	if len(b) > size {
		return "", errors.New("a coordinate is too long")
	}
	full := make([]byte, size)
	copy(full[size-len(b):], b)
	return base64.RawURLEncoding.EncodeToString(full), nil
}

// decode reads unpadded base64url (RFC 7515 §2) and nothing else. Go's decoder
// skips CR and LF even when strict, which the length betrays.
func decode(s string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) == 0 || base64.RawURLEncoding.EncodedLen(len(b)) != len(s) {
		return nil, errors.New("a member is missing or is not base64url")
	}
	return b, nil
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

const rsaBitsLeast, rsaBitsMost = 2048, 8192

func checkPublic(public crypto.PublicKey, smallExponents bool) error {
	switch k := public.(type) {
	case *rsa.PublicKey:
		least := 65537
		if smallExponents {
			least = 3
		}
		switch bits := k.N.BitLen(); {
		case bits < rsaBitsLeast || bits > rsaBitsMost:
			return fmt.Errorf("an RSA key of %d bits; %d to %d are accepted", bits, rsaBitsLeast, rsaBitsMost)
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
		return nil
	}
	return errors.New("unknown kind of key")
}
