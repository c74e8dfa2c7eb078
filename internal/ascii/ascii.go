// Package ascii escapes text that others sent, so that a terminal only shows it: control
// characters begin commands to a terminal, and some of them, such as U+009B, are beyond
// ASCII.
package ascii

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Escape returns text with line breaks, and whatever else is not printable ASCII, escaped
// as in a Go literal.
func Escape(text string) string {
	if strings.IndexFunc(text, isSpecial) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if isSpecial(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isSpecial(r rune) bool { return r < ' ' || r > '~' }

// EscapeJSON returns a JSON text with everything beyond ASCII, and DEL, escaped (RFC 8259
// §7). In a well-formed text, only strings have it.
func EscapeJSON(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range string(text) {
		switch {
		case r <= '~':
			out = append(out, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// MaxQuoted is the longest result of [Quote], in bytes: enough for an issuer that differs
// only at its end.
const MaxQuoted = 200

// Quote makes text that others sent safe to log: escaped, and cut to MaxQuoted bytes with
// its quotation marks.
func Quote(s string) string {
	cut := min(len(s), MaxQuoted-len(`""`))
	q := strconv.QuoteToASCII(s[:cut])
	for len(q) > MaxQuoted {
		cut = cut * 3 / 4
		q = strconv.QuoteToASCII(s[:cut])
	}
	return q
}
