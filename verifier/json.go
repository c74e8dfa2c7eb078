package verifier

import (
	"errors"
	"unicode/utf8"
)

// How deep and how wide an object may be that strangers send.
const (
	maxDepth   = 32
	maxMembers = 256
)

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
	errMembers = errors.New("an object of more than 256 members")
	errVariant = errors.New("a registered name in another spelling")
)

// A span is a part of the text that is read or, if it was escaped, of what its
// escapes mean.
type span struct {
	from, to int32
	escaped  bool
}

// readObject reads text as exactly one JSON object (RFC 8259): valid UTF-8
// without BOM, no name twice at any depth, none of the outermost object in
// another spelling of a registered one, at most 32 deep and 256 members wide,
// nothing after it. It takes linear time, and memory for the result only, which
// is the text and its outermost object.
func readObject(text []byte, registered []string, s *scratch) (string, object, error) {
	if !utf8.Valid(text) {
		return "", nil, errJSON
	}
	r := reader{text: text, registered: registered, scratch: s, err: errJSON}
	s.names, s.members, s.unescaped = s.names[:0], s.members[:0], s.unescaped[:0]
	i := r.space(0)
	if r.at(i) != '{' {
		return "", nil, errJSON
	}
	if i = r.object(i); i < 0 {
		return "", nil, r.err
	}
	if i = r.space(i); i < len(text) {
		return "", nil, errJSON
	}
	kept := string(text)
	o := make(object, len(s.members)/2)
	for i := range o {
		name, value := s.members[2*i], s.members[2*i+1]
		if o[i].value = kept[value.from:value.to]; name.escaped {
			o[i].name = string(r.bytes(name))
		} else {
			o[i].name = kept[name.from:name.to]
		}
	}
	return kept, o, nil
}

// A reader goes over a text once. It is our own, and small, because a token is
// read for every request that brings a new one; a library's strict reader stands
// beside it in the fuzz tests.
//
// Its methods read what begins at i and return where it ends, or bad.
type reader struct {
	text       []byte // valid UTF-8
	registered []string
	depth      int
	err        error // what is wrong with the text
	*scratch
}

func (r *reader) bytes(s span) []byte {
	if s.escaped {
		return r.unescaped[s.from:s.to]
	}
	return r.text[s.from:s.to]
}

const bad = -1

func (r *reader) fail(err error) int {
	r.err = err
	return bad
}

// object reads the object that begins at i.
func (r *reader) object(i int) int {
	if r.depth++; r.depth > maxDepth {
		return r.fail(errDepth)
	}
	outer := len(r.names)
	i = r.space(i + 1)
	for more := r.at(i) != '}'; more; {
		var name span
		if name, i = r.name(i); i < 0 {
			return bad
		}
		if len(r.names)-outer == maxMembers {
			return r.fail(errMembers)
		}
		r.names = append(r.names, name)
		if i = r.space(i); r.at(i) != ':' {
			return bad
		}
		start := r.space(i + 1)
		if i = r.value(start); i < 0 {
			return bad
		}
		if r.depth == 1 {
			if isVariant(r.bytes(name), r.registered) {
				return r.fail(errVariant)
			}
			r.members = append(r.members, name, span{from: int32(start), to: int32(i)})
		}
		if i = r.space(i); r.at(i) == ',' {
			i = r.space(i + 1)
		} else if more = false; r.at(i) != '}' {
			return bad
		}
	}
	r.depth--
	if !r.distinct(outer) {
		return bad
	}
	r.names = r.names[:outer]
	return i + 1
}

func (r *reader) array(i int) int {
	if r.depth++; r.depth > maxDepth {
		return r.fail(errDepth)
	}
	i = r.space(i + 1)
	for more := r.at(i) != ']'; more; {
		if i = r.value(i); i < 0 {
			return bad
		}
		if i = r.space(i); r.at(i) == ',' {
			i = r.space(i + 1)
		} else if more = false; r.at(i) != ']' {
			return bad
		}
	}
	r.depth--
	return i + 1
}

func (r *reader) value(i int) int {
	switch r.at(i) {
	case '"':
		end, _ := r.string(i)
		return end
	case '{':
		return r.object(i)
	case '[':
		return r.array(i)
	case 't':
		return r.literal(i, "true")
	case 'f':
		return r.literal(i, "false")
	case 'n':
		return r.literal(i, "null")
	}
	return r.number(i)
}

func (r *reader) literal(i int, word string) int {
	if end := i + len(word); end <= len(r.text) && string(r.text[i:end]) == word {
		return end
	}
	return bad
}

// number reads what RFC 8259 §6 calls one.
func (r *reader) number(i int) int {
	text := r.text
	if i < len(text) && text[i] == '-' {
		i++
	}
	whole := i
	if i = digits(text, i); i < 0 || text[whole] == '0' && i > whole+1 {
		return bad
	}
	if i < len(text) && text[i] == '.' {
		if i = digits(text, i+1); i < 0 {
			return bad
		}
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		if i++; i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		return digits(text, i)
	}
	return i
}

// digits reads one digit at least.
func digits(text []byte, i int) int {
	start := i
	for i < len(text) && text[i]-'0' < 10 {
		i++
	}
	if i == start {
		return bad
	}
	return i
}

// name reads a name, and returns what it says.
func (r *reader) name(i int) (span, int) {
	if r.at(i) != '"' {
		return span{}, bad
	}
	end, escaped := r.string(i)
	if !escaped || end < 0 {
		return span{from: int32(i + 1), to: int32(end - 1)}, end
	}
	from := len(r.unescaped)
	r.unescaped = unescape(r.unescaped, r.text[i+1:end-1])
	return span{int32(from), int32(len(r.unescaped)), true}, end
}

// plain are the bytes of a string that mean themselves.
var plain = func() (set [256]bool) {
	for c := ' '; c < 256; c++ {
		set[c] = c != '"' && c != '\\'
	}
	return set
}()

// string reads a string with its quotation marks.
func (r *reader) string(i int) (end int, escaped bool) {
	text := r.text
	for i++; ; {
		for i < len(text) && plain[text[i]] {
			i++
		}
		switch r.at(i) {
		case '"':
			return i + 1, escaped
		case '\\':
			if _, i = escape(text, i); i < 0 {
				return bad, false
			}
			escaped = true
		default:
			return bad, false
		}
	}
}

// space goes past white space (RFC 8259 §2).
func (r *reader) space(i int) int {
	for i < len(r.text) && r.text[i] <= ' ' && isSpace(r.text[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// at returns the byte at i, or 0 at the end: no text has that outside of a
// string.
func (r *reader) at(i int) byte {
	if i < len(r.text) {
		return r.text[i]
	}
	return 0
}
