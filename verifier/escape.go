package verifier

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// short are the escapes of two characters, by the second (RFC 8259 §7).
var short = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// hex are the digits of the others, and bad what is none.
var hex = func() (values [256]int8) {
	for i := range values {
		values[i] = bad
	}
	for i := range int8(16) {
		values["0123456789abcdef"[i]], values["0123456789ABCDEF"[i]] = i, i
	}
	return values
}()

// escape returns what the escape at text[i] means and where it ends, which is bad
// if it means nothing: half of a surrogate pair does not.
func escape(text []byte, i int) (rune, int) {
	if i+1 < len(text) && short[text[i+1]] != 0 {
		return rune(short[text[i+1]]), i + 2
	}
	c := unit(text, i)
	switch {
	case c < 0:
		return 0, bad
	case !utf16.IsSurrogate(c):
		return c, i + 6
	}
	if c = utf16.DecodeRune(c, unit(text, i+6)); c == utf8.RuneError {
		return 0, bad
	}
	return c, i + 12
}

// unit returns the code unit of the escape \u at text[i], negative if there
// is no such escape.
func unit(text []byte, i int) rune {
	if i+6 > len(text) || text[i] != '\\' || text[i+1] != 'u' {
		return bad
	}
	d := text[i+2 : i+6]
	return rune(hex[d[0]])<<12 | rune(hex[d[1]])<<8 | rune(hex[d[2]])<<4 | rune(hex[d[3]])
}

// unescape appends what the inside of a string says that was read already: never
// more bytes than there are in it, so that b may be the beginning of inside.
func unescape(b, inside []byte) []byte {
	for i := 0; i < len(inside); {
		var c rune
		if inside[i] == '\\' {
			c, i = escape(inside, i)
			b = utf8.AppendRune(b, c)
			continue
		}
		start := i
		for i < len(inside) && inside[i] != '\\' {
			i++
		}
		b = append(b, inside[start:i]...)
	}
	return b
}

// unquote returns what a string says that was read already, with its quotation
// marks. It keeps no more memory than it has to.
func unquote(quoted string) string {
	inside := quoted[1 : len(quoted)-1]
	if strings.IndexByte(inside, '\\') < 0 {
		return inside
	}
	b := []byte(inside)
	return string(unescape(b[:0], b))
}
