package jwkscache

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// ErrUnavailable is wrapped by every error that means "cannot tell": the key
// may exist, but there are no keys, or they are too old or cannot be refreshed.
var ErrUnavailable = errors.New("jwkscache: keys unavailable")

// unavailable returns an error that wraps ErrUnavailable and cause.
func unavailable(cause error) error {
	if cause == nil {
		return fmt.Errorf("%w: no fetch has ended yet", ErrUnavailable)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, cause)
}

// maxErrorText is how much of one error's text is kept, in bytes.
const maxErrorText = 500

// A shortError replaces an error whose text a server has filled, for example with
// the names in a certificate or the address in a redirect.
type shortError struct {
	text string
	of   []error // what it wrapped, shortened
}

func (e *shortError) Error() string   { return e.text }
func (e *shortError) Unwrap() []error { return e.of }

// shorten returns err with a text that fits into one line of a log. The errors that
// it wraps are kept if their own text fits, for errors.Is and errors.As.
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

// cut returns what an error quotes of unverified text: its first 200 bytes.
func cut(s string) string { return s[:min(len(s), 200)] }

// printable replaces what could end a line, or change what a terminal shows.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
