package verifier

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/ascii"
	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

const (
	textWidth  = 60
	labelWidth = 11 // of the names of most checks
	markWidth  = 6
)

// String returns a text in lines of at most 60 columns: the result, the likely mistake,
// each check with what it found, and the token. All of it is printable ASCII.
func (r Report) String() string {
	var w reportWriter
	if r.Admitted {
		w.line("ADMITTED")
	} else {
		w.line("REFUSED at " + r.StoppedAt + ": " + r.answer())
		w.line("")
		w.wrap(2, r.Mistake.Code)
		w.wrap(2, r.Mistake.Text)
	}
	w.line("")
	stopped := false
	for i, c := range r.Checks {
		w.check(c, c.Mistake != r.Mistake)
		if c.Result == CheckFailed && !stopped && i < len(r.Checks)-1 {
			stopped = true
			w.line("")
			w.line("What the later checks say:")
		}
	}
	if t := r.reported(); t != nil {
		w.members("Header", t.header, shownHeader, false, r.now)
		w.members("Claims", t.claims, shownClaims, r.showsAllClaims, r.now)
	}
	return w.text.String()
}

// answer is what the client gets.
func (r Report) answer() string {
	if code := r.Refusal.Code(); code != "" {
		return fmt.Sprint(r.Refusal.Status(), " ", code)
	}
	return fmt.Sprint(r.Refusal.Status(), " ", http.StatusText(r.Refusal.Status()))
}

type reportWriter struct{ text strings.Builder }

func (w *reportWriter) line(s string) { w.text.WriteString(ascii.Escape(s) + "\n") }

// wrap writes s in lines that are indented by that many spaces.
func (w *reportWriter) wrap(indent int, s string) {
	for _, line := range wrapped(ascii.Escape(s), textWidth-indent) {
		w.line(strings.Repeat(" ", indent) + line)
	}
}

// labeled writes s after a mark and a label, and further lines of s below its first.
func (w *reportWriter) labeled(mark, label, s string) {
	prefix := fmt.Sprintf("%-*s%-*s", markWidth, mark, labelWidth, label)
	if len(label) >= labelWidth {
		w.line(fmt.Sprintf("%-*s%s", markWidth, mark, label))
		prefix = strings.Repeat(" ", markWidth+labelWidth)
	}
	for _, line := range wrapped(ascii.Escape(s), textWidth-markWidth-labelWidth) {
		w.line(strings.TrimRight(prefix+line, " "))
		prefix = strings.Repeat(" ", markWidth+labelWidth)
	}
}

func (w *reportWriter) check(c CheckReport, likely bool) {
	switch c.Result {
	case CheckPassed:
		w.labeled("ok", c.Check, c.Found)
	case CheckSkipped:
		w.labeled("-", c.Check, "not checked: "+c.Cause)
	default:
		found := c.Found
		if found == "" {
			found = c.Cause
		}
		w.labeled("FAIL", c.Check, found)
		w.labeled("", "demanded", c.Demanded)
		if likely {
			w.labeled("", "likely", c.Mistake.Code+": "+c.Mistake.Text)
		}
		if c.Cause != found && strings.Contains(c.Mistake.Text, "see the cause") {
			w.labeled("", "cause", c.Cause)
		}
	}
}

// members writes what is shown of a header or of claims.
func (w *reportWriter) members(title string, o jose.Object, shown []string, all bool, now time.Time) {
	members, others := parts(o, shown, all)
	w.line("")
	w.line(title)
	for _, m := range members {
		w.labeled("", plainName(m.Name), readable(m, now))
	}
	if len(others) > 0 {
		const most = 20
		names := make([]string, 0, most)
		for _, name := range others[:min(len(others), most)] {
			names = append(names, plainName(name))
		}
		text := strings.Join(names, ", ")
		if more := len(others) - most; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		w.labeled("", "not shown", text)
	}
}

// plainName returns a name, quoted if it is not plain.
func plainName(name string) string {
	plain := func(r rune) bool { return r < 0x80 && (isTchar(byte(r)) || r == '/' || r == ':') }
	if name != "" && len(name) < 40 && strings.IndexFunc(name, func(r rune) bool { return !plain(r) }) < 0 {
		return name
	}
	return quote(name)
}

// readable returns the text of a member's value, and of a date also the time that it is.
func readable(m jose.Member, now time.Time) string {
	text := m.Value
	if len(text) > maxQuoted {
		text = cutTo(text, maxQuoted) + " (and so on)"
	}
	switch m.Name {
	case "exp", "nbf", "iat", "auth_time":
		if t, err := dateOf(jose.Object{m}, m.Name); err == nil && !t.IsZero() {
			text += fmt.Sprintf(" (%s, %s)", t.Format(time.RFC3339), distance(t.Sub(now)))
		}
	}
	return text
}

// wrapped divides s into lines of at most width columns, between words where it can.
func wrapped(s string, width int) (lines []string) {
	for len(s) > width {
		end := strings.LastIndexByte(s[:width+1], ' ')
		if end <= 0 {
			end = width
		}
		lines = append(lines, strings.TrimRight(s[:end], " "))
		s = strings.TrimLeft(s[end:], " ")
	}
	return append(lines, s)
}
