package jose

import (
	"errors"
	"slices"
	"unicode/utf8"
)

// The limits of an object, at every depth.
const (
	maxDepth   = 32
	maxMembers = 256
)

var (
	ErrJSON    = errors.New("not one strict JSON object")
	ErrDepth   = errors.New("JSON nested more than 32 deep")
	ErrMembers = errors.New("a JSON object with more than 256 members")
	ErrVariant = errors.New("a registered name in another spelling")
)

// A span is a part of the text or, for a name with escapes, of Buffer.unescaped.
type span struct {
	from, to int32
	escaped  bool
}

// ReadObject reads text as exactly one JSON object (RFC 8259) with nothing after it:
// valid UTF-8 without BOM, no name twice in an object, no other spelling of a registered
// name in the outermost object, nested at most 32 deep, and with at most 256 members in
// each object. It takes linear time. It allocates a copy of the text, which it returns,
// and the members of the outermost object.
func ReadObject(text []byte, registered []string, b *Buffer) (string, Object, error) {
	kept := string(text)
	o, err := readObject(text, kept, registered, b, nil)
	return kept, o, err
}

// readObject returns the object in text, of which kept is a copy, in the memory
// of o if that has room.
func readObject(text []byte, kept string, registered []string, b *Buffer, o Object) (Object, error) {
	if !utf8.Valid(text) {
		return nil, ErrJSON
	}
	r := reader{text: text, registered: registered, Buffer: b, err: ErrJSON}
	b.names, b.members, b.unescaped = b.names[:0], b.members[:0], b.unescaped[:0]
	i := r.space(0)
	if r.at(i) != '{' {
		return nil, ErrJSON
	}
	if i = r.object(i); i < 0 {
		return nil, r.err
	}
	if i = r.space(i); i < len(text) {
		return nil, ErrJSON
	}
	o = slices.Grow(o, len(b.members)/2)[:len(b.members)/2]
	for i := range o {
		name, value := b.members[2*i], b.members[2*i+1]
		if o[i].Value = kept[value.from:value.to]; name.escaped {
			o[i].Name = string(r.bytes(name))
		} else {
			o[i].Name = kept[name.from:name.to]
		}
	}
	return o, nil
}

// A reader reads a text once, from its beginning to its end. docs/decisions.md explains
// why it is not a library's; fuzz tests compare it with one.
//
// Its methods read what begins at index i and return the index of its end, or invalid.
type reader struct {
	text       []byte // valid UTF-8
	registered []string
	depth      int
	err        error // why the text is not accepted
	*Buffer
}

func (r *reader) bytes(s span) []byte {
	if s.escaped {
		return r.unescaped[s.from:s.to]
	}
	return r.text[s.from:s.to]
}

const invalid = -1

func (r *reader) fail(err error) int {
	r.err = err
	return invalid
}

// object reads the object that begins at i.
func (r *reader) object(i int) int {
	if r.depth++; r.depth > maxDepth {
		return r.fail(ErrDepth)
	}
	outer := len(r.names)
	i = r.space(i + 1)
	for more := r.at(i) != '}'; more; {
		var name span
		if name, i = r.name(i); i < 0 {
			return invalid
		}
		if len(r.names)-outer == maxMembers {
			return r.fail(ErrMembers)
		}
		r.names = append(r.names, name)
		if i = r.space(i); r.at(i) != ':' {
			return invalid
		}
		start := r.space(i + 1)
		if i = r.value(start); i < 0 {
			return invalid
		}
		if r.depth == 1 {
			if isVariant(r.bytes(name), r.registered) {
				return r.fail(ErrVariant)
			}
			r.members = append(r.members, name, span{from: int32(start), to: int32(i)})
		}
		if i = r.space(i); r.at(i) == ',' {
			i = r.space(i + 1)
		} else if more = false; r.at(i) != '}' {
			return invalid
		}
	}
	r.depth--
	if !r.distinct(outer) {
		return invalid
	}
	r.names = r.names[:outer]
	return i + 1
}

func (r *reader) array(i int) int {
	if r.depth++; r.depth > maxDepth {
		return r.fail(ErrDepth)
	}
	i = r.space(i + 1)
	for more := r.at(i) != ']'; more; {
		if i = r.value(i); i < 0 {
			return invalid
		}
		if i = r.space(i); r.at(i) == ',' {
			i = r.space(i + 1)
		} else if more = false; r.at(i) != ']' {
			return invalid
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
	return invalid
}

// number reads a number (RFC 8259 §6).
func (r *reader) number(i int) int {
	text := r.text
	if i < len(text) && text[i] == '-' {
		i++
	}
	whole := i
	if i = digits(text, i); i < 0 || text[whole] == '0' && i > whole+1 {
		return invalid
	}
	if i < len(text) && text[i] == '.' {
		if i = digits(text, i+1); i < 0 {
			return invalid
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

// digits reads one or more digits.
func digits(text []byte, i int) int {
	start := i
	for i < len(text) && text[i]-'0' < 10 {
		i++
	}
	if i == start {
		return invalid
	}
	return i
}

// name reads a name and returns it, unescaped.
func (r *reader) name(i int) (span, int) {
	if r.at(i) != '"' {
		return span{}, invalid
	}
	end, escaped := r.string(i)
	if !escaped { // or invalid
		return span{from: int32(i + 1), to: int32(end - 1)}, end
	}
	from := len(r.unescaped)
	r.unescaped = appendUnescaped(r.unescaped, r.text[i+1:end-1])
	return span{int32(from), int32(len(r.unescaped)), true}, end
}

// plain are the bytes of a string that are not part of an escape and do not end it.
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
			if _, i = readEscape(text, i); i < 0 {
				return invalid, false
			}
			escaped = true
		default:
			return invalid, false
		}
	}
}

// space skips white space (RFC 8259 §2).
func (r *reader) space(i int) int {
	for i < len(r.text) && r.text[i] <= ' ' && isSpace(r.text[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// at returns the byte at i, or 0 at the end of the text, which is not valid anywhere in
// JSON.
func (r *reader) at(i int) byte {
	if i < len(r.text) {
		return r.text[i]
	}
	return 0
}
