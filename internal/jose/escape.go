package jose

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// shortEscapes are the values of two-character escapes, by their second character (RFC
// 8259 §7).
var shortEscapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// hexDigits are the values of hexadecimal digits; other characters are invalid.
var hexDigits = func() (values [256]int8) {
	for i := range values {
		values[i] = invalid
	}
	for i := range int8(16) {
		values["0123456789abcdef"[i]], values["0123456789ABCDEF"[i]] = i, i
	}
	return values
}()

// readEscape returns the character of the escape at text[i] and the index of its end. The
// index is invalid if there is no escape, or half of a surrogate pair.
func readEscape(text []byte, i int) (rune, int) {
	if i+1 < len(text) && shortEscapes[text[i+1]] != 0 {
		return rune(shortEscapes[text[i+1]]), i + 2
	}
	c := codeUnit(text, i)
	switch {
	case c < 0:
		return 0, invalid
	case !utf16.IsSurrogate(c):
		return c, i + 6
	}
	if c = utf16.DecodeRune(c, codeUnit(text, i+6)); c == utf8.RuneError {
		return 0, invalid
	}
	return c, i + 12
}

// codeUnit returns the UTF-16 code unit of the escape \u at text[i], and a
// negative number if there is no such escape.
func codeUnit(text []byte, i int) rune {
	if i+6 > len(text) || text[i] != '\\' || text[i+1] != 'u' {
		return invalid
	}
	d := text[i+2 : i+6]
	return rune(hexDigits[d[0]])<<12 | rune(hexDigits[d[1]])<<8 | rune(hexDigits[d[2]])<<4 | rune(hexDigits[d[3]])
}

// appendUnescaped appends to b the value of inside, the text between the quotation marks
// of a string that was read before. The value is never longer than inside, so b may share
// its memory.
func appendUnescaped(b, inside []byte) []byte {
	for i := 0; i < len(inside); {
		if inside[i] == '\\' {
			var c rune
			c, i = readEscape(inside, i)
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

// Unquote returns the value of a string of an [Object], which is given with its quotation
// marks. Without escapes the result is a part of quoted.
func Unquote(quoted string) string {
	inside := quoted[1 : len(quoted)-1]
	if strings.IndexByte(inside, '\\') < 0 {
		return inside
	}
	b := []byte(inside)
	return string(appendUnescaped(b[:0], b))
}
