package jwkscache

import (
	"strings"
	"unicode"
)

// maxErrorText is how much of one error's text is kept, in bytes.
const maxErrorText = 500

// A shortError stands for an error with a text that a server has filled: with a
// certificate's names, a header's line, or a redirect's address.
type shortError struct {
	text string
	of   []error // what it wrapped, as short
}

func (e *shortError) Error() string   { return e.text }
func (e *shortError) Unwrap() []error { return e.of }

// shorten returns err with a text that fits into one line of a log. Of what it
// wraps, the errors whose own text fits are kept, for errors.Is and errors.As.
func shorten(err error) error {
	text := err.Error()
	if len(text) <= maxErrorText && printable(text) == text {
		return err
	}
	var of []error
	switch u := err.(type) {
	case interface{ Unwrap() error }:
		if inner := u.Unwrap(); inner != nil {
			of = append(of, shorten(inner))
		}
	case interface{ Unwrap() []error }:
		for _, inner := range u.Unwrap() {
			of = append(of, shorten(inner))
		}
	}
	return &shortError{printable(text[:min(len(text), maxErrorText)]), of}
}

// printable replaces what could end a line, or change what a terminal shows.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
