package verifier

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

const depthAtMost = 32

// An object is a JSON object in its order, read strictly. Names and values are
// parts of the text they were read from.
type object []member

type member struct {
	name  string // unescaped
	value string // as it was written
}

var (
	errJSON    = errors.New("not one strict JSON object")
	errDepth   = errors.New("nested too deep")
	errVariant = errors.New("a registered name in another spelling")
)

// readObject reads text as exactly one JSON object (RFC 8259): valid UTF-8
// without BOM, no name twice at any depth, none of the outermost object in
// another spelling of a registered one, at most 32 deep, nothing after it.
func readObject(text string, registered func(name string) bool, s *scratch) (object, error) {
	if !utf8.ValidString(text) {
		return nil, errJSON
	}
	r := reader{text: text, registered: registered, names: s.names[:0], members: s.members[:0]}
	err := errJSON
	if r.space() == '{' {
		err = r.object()
	}
	s.names, s.members = r.names, r.members
	if err != nil {
		return nil, err
	}
	if r.space(); r.pos < len(text) {
		return nil, errJSON
	}
	return append(make(object, 0, len(r.members)), r.members...), nil
}

// A reader goes over a text once. It is our own, and small, because a token is
// read for every request that brings a new one; a library's strict reader stands
// beside it in the fuzz tests.
type reader struct {
	text       string // valid UTF-8
	registered func(name string) bool
	pos        int
	depth      int
	names      []string // of all objects that are open
	members    []member // of the outermost
}

// object reads the object that begins here.
func (r *reader) object() error {
	if r.depth++; r.depth > depthAtMost {
		return errDepth
	}
	r.pos++
	outer := len(r.names)
	for more := r.space() != '}'; more; {
		name, err := r.name()
		if err != nil {
			return err
		}
		if r.depth == 1 && isVariant(name, r.registered) {
			return errVariant
		}
		r.names = append(r.names, name)
		if r.space() != ':' {
			return errJSON
		}
		r.pos++
		r.space()
		start := r.pos
		if err := r.value(); err != nil {
			return err
		}
		if r.depth == 1 {
			r.members = append(r.members, member{name, r.text[start:r.pos]})
		}
		if more, err = r.comma('}'); err != nil {
			return err
		}
	}
	r.pos++
	r.depth--
	if !distinct(r.names[outer:]) {
		return errJSON
	}
	r.names = r.names[:outer]
	return nil
}

func (r *reader) array() error {
	if r.depth++; r.depth > depthAtMost {
		return errDepth
	}
	r.pos++
	for more := r.space() != ']'; more; {
		err := r.value()
		if err != nil {
			return err
		}
		if more, err = r.comma(']'); err != nil {
			return err
		}
	}
	r.pos++
	r.depth--
	return nil
}

// comma goes to the next element where there is a comma, and stays where end is.
func (r *reader) comma(end byte) (more bool, err error) {
	switch r.space() {
	case end:
		return false, nil
	case ',':
		r.pos++
		r.space()
		return true, nil
	}
	return false, errJSON
}

func (r *reader) value() error {
	switch c := r.peek(); c {
	case '{':
		return r.object()
	case '[':
		return r.array()
	case '"':
		_, err := r.string()
		return err
	case 't':
		return r.literal("true")
	case 'f':
		return r.literal("false")
	case 'n':
		return r.literal("null")
	default:
		return r.number()
	}
}

func (r *reader) literal(word string) error {
	if !strings.HasPrefix(r.text[r.pos:], word) {
		return errJSON
	}
	r.pos += len(word)
	return nil
}

// number reads what RFC 8259 §6 calls one.
func (r *reader) number() error {
	if r.peek() == '-' {
		r.pos++
	}
	switch c := r.peek(); {
	case c == '0':
		r.pos++
	case !r.digits():
		return errJSON
	}
	if r.peek() == '.' {
		r.pos++
		if !r.digits() {
			return errJSON
		}
	}
	if r.peek()|0x20 == 'e' {
		r.pos++
		if c := r.peek(); c == '+' || c == '-' {
			r.pos++
		}
		if !r.digits() {
			return errJSON
		}
	}
	return nil
}

func (r *reader) digits() bool {
	start := r.pos
	for c := r.peek(); '0' <= c && c <= '9'; c = r.peek() {
		r.pos++
	}
	return r.pos > start
}

func (r *reader) name() (string, error) {
	if r.peek() != '"' {
		return "", errJSON
	}
	quoted, err := r.string()
	if err != nil {
		return "", err
	}
	return unquote(quoted)
}

// notPlain are the bytes of a string that mean more than themselves, or nothing.
var notPlain = func() (set [256]bool) {
	for c := range ' ' {
		set[c] = true
	}
	set['"'], set['\\'] = true, true
	return set
}()

// string reads the string that begins here, and returns it with its quotation
// marks and escapes.
func (r *reader) string() (quoted string, err error) {
	text, i, escaped := r.text, r.pos+1, false
	for {
		for i < len(text) && !notPlain[text[i]] {
			i++
		}
		switch {
		case i < len(text) && text[i] == '\\':
			escaped = true
			i += 2 // whatever follows does not end the string
			continue
		case i >= len(text) || text[i] != '"':
			return "", errJSON
		}
		quoted = text[r.pos : i+1]
		r.pos = i + 1
		if escaped {
			_, err = unquote(quoted)
		}
		return quoted, err
	}
}

// unquote returns what a string says, of which only the escapes are yet to be
// checked.
func unquote(quoted string) (string, error) {
	inside := quoted[1 : len(quoted)-1]
	if strings.IndexByte(inside, '\\') < 0 {
		return inside, nil
	}
	s, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return "", errJSON
	}
	return string(s), nil
}

// space skips white space (RFC 8259 §2) and returns the byte that follows it, or
// 0 at the end.
func (r *reader) space() byte {
	for {
		switch c := r.peek(); c {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return c
		}
	}
}

// peek returns the next byte, or 0 at the end: no text has that outside of a
// string.
func (r *reader) peek() byte {
	if r.pos < len(r.text) {
		return r.text[r.pos]
	}
	return 0
}

// distinct reports whether no two names are equal. It may change their order.
func distinct(names []string) bool {
	if len(names) > 32 { // not to take quadratic time
		slices.Sort(names)
		return len(slices.Compact(names)) == len(names)
	}
	for i, n := range names {
		for _, m := range names[:i] {
			if m == n {
				return false
			}
		}
	}
	return true
}

// variantAtMost is how long another spelling of a registered name can be, in
// bytes.
const variantAtMost = 4 * 3

// isVariant reports whether name reads like a registered one without being it: a
// reader that folds case would take Exp, or expires with U+017F in it, for the
// claim.
func isVariant(name string, registered func(name string) bool) bool {
	if len(name) > variantAtMost || registered(name) {
		return false
	}
	if isASCII(name) {
		return registered(strings.ToLower(name))
	}
	// Both ways, since U+017F is S only in capitals and U+212A k only in small.
	return registered(strings.ToLower(strings.ToUpper(name)))
}

// isHeaderName reports whether no other spelling may stand for name in a header.
func isHeaderName(name string) bool {
	switch name {
	case "alg", "kid", "typ", "crit":
		return true
	}
	return false
}

// isClaimName reports whether no other spelling may stand for name in claims.
func isClaimName(name string) bool {
	switch name {
	case "iss", "sub", "aud", "exp", "nbf", "iat", "cnf":
		return true
	}
	return false
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
