package jwkscache

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const maxKeys = 256

// parseKeySet reads a JWK Set (RFC 7517 §5). A key that cannot be used is skipped
// with a warning, one that is unusual is used with a warning. A set without usable
// keys is an error.
func parseKeySet(doc []byte, cfg Config) (*keySet, error) {
	set := newKeySet()
	n, err := addKeySet(set, doc, cfg)
	if err != nil {
		return nil, err
	}
	if set.size == 0 {
		return nil, fmt.Errorf("no usable key among %d: %.500s", n, strings.Join(texts(set.warnings, maxKeys), "; "))
	}
	set.clip()
	return set, nil
}

// addKeySet adds the usable keys of a JWK Set, and returns how many keys it has.
func addKeySet(set *keySet, doc []byte, cfg Config) (n int, err error) {
	members, err := splitKeySet(doc)
	if err != nil {
		return 0, fmt.Errorf("not a JWK Set: %w", err)
	}
	for i, raw := range members {
		k, err := parseKey(raw, cfg)
		if err != nil {
			set.warn(KeyWarning{KeyID: k.kid, Encryption: errors.Is(err, errEncryption)}, "key %d (kid %.40q): %v", i, k.kid, err)
			continue
		}
		for _, unusual := range k.unusual {
			set.warn(KeyWarning{KeyID: k.kid, Used: true}, "key %d (kid %.40q) is used, though %s", i, k.kid, unusual)
		}
		set.add(k)
	}
	return len(members), nil
}

// trimBOM removes a byte order mark. Some servers send one, and a parser may ignore
// it (RFC 8259 §8.1).
func trimBOM(doc []byte) []byte { return bytes.TrimPrefix(doc, []byte("\ufeff")) }

// splitKeySet returns the elements of "keys". It is strict about the set and lenient
// inside the elements, so that one broken key does not affect the others.
func splitKeySet(doc []byte) (keys []jsontext.Value, err error) {
	dec := jsontext.NewDecoder(bytes.NewReader(trimBOM(doc)), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return nil, errors.New("not a JSON object")
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
			return nil, errors.New("two members named keys")
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
		return nil, errors.New("no member named keys")
	}
	return keys, nil
}

func readArray(dec *jsontext.Decoder) (values []jsontext.Value, err error) {
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '[' {
		return nil, errors.New("keys is not an array")
	}
	for dec.PeekKind() != ']' {
		v, err := dec.ReadValue()
		if err != nil {
			return nil, errors.New("broken JSON")
		}
		if values = append(values, v.Clone()); len(values) > maxKeys {
			return nil, fmt.Errorf("more than %d keys", maxKeys)
		}
	}
	_, err = dec.ReadToken()
	return values, err
}
