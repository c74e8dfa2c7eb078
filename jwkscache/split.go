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

// parseKeySet reads a JWK Set (RFC 7517 §5). A key that cannot be used is
// skipped and reported, one that is odd is reported; a set without a usable one
// is an error.
func parseKeySet(doc []byte, cfg Config) (*keySet, error) {
	members, err := splitKeySet(doc)
	if err != nil {
		return nil, fmt.Errorf("not a JWK Set: %w", err)
	}
	set := newKeySet()
	for i, raw := range members {
		k, err := parseKey(raw, cfg)
		if err != nil {
			set.skip(fmt.Sprintf("key %d (kid %.40q): %v", i, k.kid, err))
			continue
		}
		for _, odd := range k.odd {
			set.skip(fmt.Sprintf("key %d (kid %.40q) is used, though %s", i, k.kid, odd))
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
		if values = append(values, v.Clone()); len(values) > maxKeys {
			return nil, fmt.Errorf("more than %d keys", maxKeys)
		}
	}
	_, err = dec.ReadToken()
	return values, err
}
