package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed-12ed5b1c/jwtguard/internal/ascii"
)

// columns is the width of all output, so that it fits beside other windows and into
// reports. Only a word that is longer by itself, such as a URL, goes beyond it.
const columns = 60

// An output is stdout or stderr. It keeps the first error of writing.
type output struct {
	w      io.Writer
	colour bool
	err    error
}

func (o *output) print(text string) {
	if o.err == nil {
		_, o.err = io.WriteString(o.w, text)
	}
}

func (o *output) printf(format string, args ...any) { o.print(fmt.Sprintf(format, args...)) }

// fold prints text in lines of at most 60 columns, the first of which begins with
// first and the others with rest.
func (o *output) fold(text, first, rest string) { o.print(fold(text, first, rest)) }

func fold(text, first, rest string) string {
	var b strings.Builder
	line, empty := first, true
	for word := range strings.SplitSeq(text, " ") {
		switch {
		case empty:
			line += word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= columns:
			line += " " + word
		default:
			b.WriteString(line + "\n")
			line = rest + word
		}
		empty = false
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
	return b.String()
}

// A tint is a colour of a terminal (ECMA-48, SGR).
type tint string

const (
	red    tint = "31"
	green  tint = "32"
	yellow tint = "33"
)

func (o *output) tinted(t tint, text string) string {
	if !o.colour {
		return text
	}
	return "\x1b[" + string(t) + "m" + text + "\x1b[0m"
}

const maxShown = 200 // bytes of unverified text

// quoted shows text that a server sent: quoted, cut, and in ASCII, so that it can
// neither end a line nor change what a terminal shows.
func quoted(text string) string {
	if len(text) > maxShown {
		return strconv.QuoteToASCII(text[:maxShown]) + "..."
	}
	return strconv.QuoteToASCII(text)
}

// address shows a URL as it is, or quoted if it has anything but visible ASCII.
func address(text string) string {
	visible := len(text) > 0 && len(text) <= maxShown
	for i := range len(text) {
		visible = visible && text[i] > ' ' && text[i] < 0x7f && text[i] != '"'
	}
	if visible {
		return text
	}
	return quoted(text)
}

// printable escapes what is not ASCII or could end a line or change what a terminal
// shows, in the text of an error.
func printable(text string) string {
	const most = 600
	if len(text) > most {
		return ascii.Escape(text[:most]) + "..."
	}
	return ascii.Escape(text)
}

// shortArgument quotes an argument, unless it is long: then it may be a secret that
// is in the wrong place.
func shortArgument(arg string) string {
	if len(arg) > 20 {
		return "of that name"
	}
	return strconv.QuoteToASCII(arg)
}

// json prints v for programs.
func (o *output) json(v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	o.print(string(ascii.EscapeJSON(text)) + "\n")
	return nil
}
