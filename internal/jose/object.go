package jose

import (
	"errors"
	"strings"
)

// An Object is a JSON object (RFC 8259 §4) whose members are in the order in
// which they were written. Names and values are parts of one text.
type Object []Member

// A Member is an unescaped name and the text of its value.
type Member struct {
	Name  string
	Value string
}

// ErrKind is the error for a value of another type than the expected one.
var ErrKind = errors.New("of the wrong kind")

// Has reports whether there is a member with that name, even if it is null.
func (o Object) Has(name string) bool { return o.raw(name) != "" }

// Value returns the text of the value with that name, or "" if there is none or it is
// null.
func (o Object) Value(name string) string { return notNull(o.raw(name)) }

func notNull(value string) string {
	if value == "null" {
		return ""
	}
	return value
}

func (o Object) raw(name string) string {
	for i := range o {
		// Most names have three letters and differ in the first.
		if n := o[i].Name; len(n) == len(name) && (n == "" || n[0] == name[0] && n == name) {
			return o[i].Value
		}
	}
	return ""
}

// String returns the string with that name, "" if there is none, and ErrKind for another
// type of value.
func (o Object) String(name string) (string, error) { return StringValue(o.Value(name)) }

// StringValue is [Object.String] for the text of a value.
func StringValue(value string) (string, error) {
	switch {
	case value == "":
		return "", nil
	case value[0] != '"':
		return "", ErrKind
	}
	return Unquote(value), nil
}

// EachString calls f with the text of each string in value, with its quotation marks. A
// value is an array of strings, a single string or "" for none. Any other is ErrKind,
// possibly after some calls.
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

// Strings returns the strings in value, which [EachString] reads, in list if that has room.
// They are counted before memory is allocated for them; more than maxStrings are ErrLong.
func Strings(value string, maxStrings int, list []string) ([]string, error) {
	n := 0
	if err := EachString(value, func(string) { n++ }); err != nil {
		return nil, err
	}
	if n > maxStrings {
		return nil, ErrLong
	}
	if n > cap(list) {
		list = make([]string, 0, n)
	}
	_ = EachString(value, func(quoted string) { list = append(list, Unquote(quoted)) })
	return list, nil
}

// EachElement calls f with each element of an array as it was written, or with
// value itself if it is no array.
func EachElement(value string, f func(element string)) {
	switch {
	case value == "":
		return
	case value[0] != '[':
		f(value)
		return
	}
	for i := skipSpace(value, 1); value[i] != ']'; {
		end := valueEnd(value, i)
		f(value[i:end])
		if i = skipSpace(value, end); value[i] == ',' {
			i = skipSpace(value, i+1)
		}
	}
}

// stringEnd returns the index of the end of the string that begins at text[i]. The text
// was read before, so there is one.
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
				return nil, errors.New("not a JSON Pointer: ~ is allowed only in ~0 and ~1")
			}
		}
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
	}
	return parts, nil
}

// At returns the text of the value at p, or "" if there is none or it is null. Paths do
// not lead into arrays.
func (o Object) At(p Path) string {
	value := o.Value(p[0])
	for _, name := range p[1:] {
		value = MemberOf(value, name)
	}
	return value
}

// MemberOf returns the member with that name of value, or "" if value is not an object
// with one or if it is null. Value is part of an [Object], so it is well-formed.
func MemberOf(value, name string) (member string) {
	EachMember(value, func(n, text string) bool {
		if n != name {
			return true
		}
		member = notNull(text)
		return false
	})
	return member
}

// EachMember calls f with the unescaped name and the text of each member of value, until
// f returns false, or not at all if value is not an object. Value is part of an [Object].
func EachMember(value string, f func(name, text string) bool) {
	if value == "" || value[0] != '{' {
		return
	}
	for i := skipSpace(value, 1); value[i] != '}'; {
		end := stringEnd(value, i)
		name := Unquote(value[i:end])
		start := skipSpace(value, skipSpace(value, end)+1) // past the colon
		end = valueEnd(value, start)
		if !f(name, value[start:end]) {
			return
		}
		if i = skipSpace(value, end); value[i] == ',' {
			i = skipSpace(value, i+1)
		}
	}
}

func skipSpace(text string, i int) int {
	for isSpace(text[i]) {
		i++
	}
	return i
}

// valueEnd returns the index of the end of the value that begins at text[i].
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
