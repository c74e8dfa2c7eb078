package verifier

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const depthAtMost = 32

// An object is a JSON object in its order, read strictly. The values are parts
// of the text they were read from.
type object []member

type member struct {
	name  string
	value jsontext.Value
}

// exactNames are those that no other spelling may stand beside: a reader that
// folds case would take Exp, or expires with U+017F in it, for the claim.
var exactNames = map[string]bool{
	"alg": true, "kid": true, "typ": true, "crit": true,
	"iss": true, "sub": true, "aud": true, "exp": true, "nbf": true, "iat": true, "cnf": true,
}

// variantAtMost is how long another spelling of these can be, in bytes.
const variantAtMost = 4 * 3

var errJSON = errors.New("not one strict JSON object")

// readObject reads text as exactly one JSON object: valid UTF-8 without BOM, no
// name twice at any depth, at most 32 deep, nothing after it.
func readObject(text []byte) (object, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(text))
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return nil, errJSON
	}
	var o object
	for dec.PeekKind() != '}' {
		tok, err := dec.ReadToken()
		if err != nil {
			return nil, errJSON
		}
		m := member{name: tok.String()}
		if isVariant(m.name) {
			return nil, errors.New("a registered name in another spelling")
		}
		if m.value, err = readValue(dec, text); err != nil {
			return nil, err
		}
		o = append(o, m)
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, errJSON
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return nil, errJSON
	}
	return o, nil
}

// readValue reads the next value token by token, which shows its depth, and
// returns its part of text.
func readValue(dec *jsontext.Decoder, text []byte) (jsontext.Value, error) {
	start := int(dec.InputOffset())
	for outer := dec.StackDepth(); ; {
		if _, err := dec.ReadToken(); err != nil {
			return nil, errJSON
		}
		switch depth := dec.StackDepth(); {
		case depth > depthAtMost:
			return nil, errors.New("nested too deep")
		case depth == outer:
			return bytes.TrimLeft(text[start:dec.InputOffset()], ": \t\r\n"), nil
		}
	}
}

func isVariant(name string) bool {
	if len(name) > variantAtMost || exactNames[name] {
		return false
	}
	// Both ways, since U+017F is S only in capitals and U+212A k only in small.
	return exactNames[strings.ToLower(strings.ToUpper(name))]
}

// get returns the value of name, nil if there is none.
func (o object) get(name string) jsontext.Value {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

func (o object) has(name string) bool { return o.get(name) != nil }

var errKind = errors.New("of the wrong kind")

// str returns the string name, and "" where there is none.
func (o object) str(name string) (string, error) {
	v := o.get(name)
	if v == nil {
		return "", nil
	}
	if v.Kind() != '"' {
		return "", errKind
	}
	var s string
	err := json.Unmarshal(v, &s)
	return s, err
}

// strOrNull is str with null as absent.
func (o object) strOrNull(name string) (string, error) {
	if v := o.get(name); v != nil && v.Kind() == 'n' {
		return "", nil
	}
	return o.str(name)
}

// stringList returns name as a list: an array of strings, or one string alone.
func (o object) stringList(name string) ([]string, error) {
	v := o.get(name)
	if v == nil {
		return nil, nil
	}
	if v.Kind() != '[' {
		s, err := o.str(name)
		return []string{s}, err
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(v))
	_, _ = dec.ReadToken() // the bracket
	list := []string{}
	for dec.PeekKind() == '"' {
		tok, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		list = append(list, tok.String())
	}
	if dec.PeekKind() != ']' {
		return nil, errKind
	}
	return list, nil
}

// lastDate is the end of the year 9999, in seconds.
const lastDate = 253402300799

// date returns the NumericDate name (RFC 7519 §2) in UTC, and the zero time
// where there is none. Years past 9999 are no dates.
func (o object) date(name string) (time.Time, error) {
	v := o.get(name)
	if v == nil {
		return time.Time{}, nil
	}
	if v.Kind() != '0' {
		return time.Time{}, errKind
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || !(f >= 0 && f <= lastDate) || math.Signbit(f) {
		return time.Time{}, errors.New("out of range")
	}
	whole, part := math.Modf(f)
	return time.Unix(int64(whole), int64(part*1e9)).UTC(), nil
}
