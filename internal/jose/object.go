package jose

import (
	"errors"
	"strings"
)

// An Object is a JSON object (RFC 8259 §4) whose members are in the order in
// which they were written. Names and values are parts of one text.
type Object []Member

// A Member is a name, unescaped, and a value as it was written.
type Member struct {
	Name  string
	Value string
}

// ErrKind is the error for a value of another kind than the one asked for.
var ErrKind = errors.New("of the wrong kind")

// Has reports whether there is a member with that name, even if it is null.
func (o Object) Has(name string) bool { return o.raw(name) != "" }

// Value returns the value of the member with that name as it was written. It is
// "" where there is none: null counts as none.
func (o Object) Value(name string) string { return notNull(o.raw(name)) }

func notNull(value string) string {
	if value == "null" {
		return ""
	}
	return value
}

func (o Object) raw(name string) string {
	for i := range o {
		// Most claims have names of three letters, which the first tells apart.
		if n := o[i].Name; len(n) == len(name) && (n == "" || n[0] == name[0] && n == name) {
			return o[i].Value
		}
	}
	return ""
}

// String returns the string with that name, "" where there is none, and ErrKind
// for another value.
func (o Object) String(name string) (string, error) { return StringValue(o.Value(name)) }

// StringValue is [Object.String] for a value.
func StringValue(value string) (string, error) {
	switch {
	case value == "":
		return "", nil
	case value[0] != '"':
		return "", ErrKind
	}
	return Unquote(value), nil
}

// EachString calls f with each string of value as it was written, with its
// quotation marks. A value is an array of strings, one string or "", for no value;
// any other is ErrKind, which may come after some calls.
func EachString(value string, f func(quoted string)) error {
	switch {
	case value == "":
		return nil
	case value[0] == '"':
		f(value)
		return nil
	case value[0] != '[':
		return ErrKind
	}
	for i := 1; value[i] != ']'; {
		switch value[i] {
		case '"':
			end := stringEnd(value, i)
			f(value[i:end])
			i = end
		case ',', ' ', '\t', '\n', '\r':
			i++
		default:
			return ErrKind
		}
	}
	return nil
}

// stringEnd returns where the string that begins at text[i] ends. The text was
// read before, so it does.
func stringEnd(text string, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++ // the next character is part of the escape
		}
	}
	return i + 1
}

// A Path names a value in an object: the name of a member, then of a member of
// that one's value, and so on.
type Path []string

// ParsePath reads a name or, if it begins with a slash, a JSON Pointer (RFC 6901)
// whose every part is the name of a member.
func ParsePath(s string) (Path, error) {
	if !strings.HasPrefix(s, "/") {
		return Path{s}, nil
	}
	parts := strings.Split(s[1:], "/")
	for i, part := range parts {
		for at := range len(part) {
			if part[at] == '~' && (at+1 == len(part) || part[at+1] != '0' && part[at+1] != '1') {
				return nil, errors.New("not a JSON Pointer: ~ stands only in ~0 and ~1")
			}
		}
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
	}
	return parts, nil
}

// At returns the value at p as it was written, "" where there is none: null, and
// anything within an array or a string, count as none.
func (o Object) At(p Path) string {
	value := o.Value(p[0])
	for _, name := range p[1:] {
		value = memberOf(value, name)
	}
	return value
}

// memberOf returns the member with that name of value, "" if value is not an
// object with one. Value was read before, so it is well-formed.
func memberOf(value, name string) string {
	if value == "" || value[0] != '{' {
		return ""
	}
	for i := skipSpace(value, 1); value[i] != '}'; {
		end := stringEnd(value, i)
		quoted := value[i:end]
		start := skipSpace(value, skipSpace(value, end)+1) // past the colon
		end = valueEnd(value, start)
		if Unquote(quoted) == name {
			return notNull(value[start:end])
		}
		if i = skipSpace(value, end); value[i] == ',' {
			i = skipSpace(value, i+1)
		}
	}
	return ""
}

func skipSpace(text string, i int) int {
	for isSpace(text[i]) {
		i++
	}
	return i
}

// valueEnd returns where the value that begins at text[i] ends.
func valueEnd(text string, i int) int {
	depth := 0
	for {
		switch text[i] {
		case '"':
			i = stringEnd(text, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if i++; depth <= 0 && strings.IndexByte(",]} \t\n\r", text[i]) >= 0 {
			return i
		}
	}
}
