package statuspage

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxName  = 200 // bytes of a kid or an issuer
	maxError = 500 // bytes of an error
)

// printable returns at most maxBytes bytes of text that others chose. What is not
// printable, such as characters that reverse the direction of writing, is escaped as in a
// Go literal.
func printable(text string, maxBytes int) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		piece := text[:size]
		switch {
		case r == utf8.RuneError && size == 1:
			piece = fmt.Sprintf(`\x%02x`, text[0])
		case !unicode.IsPrint(r):
			piece = strings.Trim(strconv.QuoteRuneToASCII(r), "'")
		}
		if b.Len()+len(piece) > maxBytes-len("…") && len(text) > size || b.Len()+len(piece) > maxBytes {
			return b.String() + "…"
		}
		b.WriteString(piece)
		text = text[size:]
	}
	return b.String()
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return printable(err.Error(), maxError)
}

// number writes n with a comma before each three digits.
func number(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// period writes a duration by its two largest units.
func period(d time.Duration) string {
	units := []struct {
		name string
		time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}}
	if d < 0 {
		return "−" + period(-d)
	}
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	for i, u := range units {
		if d < u.Duration {
			continue
		}
		text := fmt.Sprintf("%d %s", d/u.Duration, u.name)
		if i+1 < len(units) {
			if rest := d % u.Duration / units[i+1].Duration; rest > 0 {
				text += fmt.Sprintf(" %d %s", rest, units[i+1].name)
			}
		}
		return text
	}
	return ""
}

// A distance is a time as the page shows it: for machines, and for people.
type distance struct{ Machine, Text string }

// from returns how far t is from now: "3 min ago", or "in 3 min".
func from(now, t time.Time) distance {
	d := now.Sub(t)
	text := period(d) + " ago"
	switch {
	case d.Abs() < time.Second:
		text = "now"
	case d < 0:
		text = "in " + period(-d)
	}
	return distance{t.UTC().Format(time.RFC3339), text}
}

// seconds is a duration that is a number of seconds in JSON.
type seconds time.Duration

// MarshalJSON implements json.Marshaler.
func (s seconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, time.Duration(s).Seconds(), 'f', -1, 64), nil
}

func (s seconds) String() string { return period(time.Duration(s)) }
