package statuspage

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the parts of the page
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
)

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"style":   func() template.CSS { return template.CSS(pageCSS) },
	"script":  func() template.JS { return template.JS(pageJS) },
	"title":   capitalized,
	"class":   state.String,
	"badge":   func(s state) badge { return badge{s.String(), capitalized(s.String())} },
	"badgeOf": func(s issuerState) badge { return badge{s.severity().String(), capitalized(string(s))} },
	"number":  number,
	"percent": func(ratio float64) string { return strconv.FormatFloat(100*ratio, 'f', 1, 64) + " %" },
	"from":    from,
	"since":   func(now, t time.Time) string { return period(now.Sub(t)) },
	"machine": func(t time.Time) string { return t.Format(time.RFC3339) },
	"clock":   clock,
}).Parse(pageHTML))

// policy lets the page run its own style and script, and connect to where it is from.
var policy = "default-src 'none'; connect-src 'self'; img-src data:; style-src " + hash(pageCSS) + "; script-src " + hash(pageJS) +
	"; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// hash returns a source of Content-Security-Policy that means an inline element.
func hash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// A badge is a state as the page shows it: by a color, a shape and a word.
type badge struct{ Class, Text string }

func capitalized(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// clock says how far an issuer's clock is from this machine's, if it is.
func clock(difference seconds) string {
	d := time.Duration(difference)
	switch {
	case d.Abs() < 2*time.Second: // as exact as the Date of a response
		return ""
	case d > 0:
		return period(d) + " ahead"
	}
	return period(-d) + " behind"
}

// ServeHTTP responds to GET and HEAD with the page, or with JSON if the request prefers
// it.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", policy)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	h.Add("Vary", "Accept")
	var body bytes.Buffer
	var err error
	if prefersJSON(r.Header) {
		h.Set("Content-Type", "application/json")
		err = json.NewEncoder(&body).Encode(p.read())
	} else {
		h.Set("Content-Type", "text/html; charset=utf-8")
		err = page.Execute(&body, p.read())
	}
	if err != nil { // it cannot fail: what it writes is strings, numbers and times
		panic(fmt.Errorf("statuspage: %w", err))
	}
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	if r.Method == http.MethodGet {
		_, _ = body.WriteTo(w)
	}
}

// prefersJSON reports whether Accept has application/json at no less a weight than HTML
// (RFC 9110 §12.5.1).
func prefersJSON(h http.Header) bool {
	var forHTML, forJSON float64
	for element := range strings.SplitSeq(strings.Join(h.Values("Accept"), ","), ",") {
		mediaType, parameters, _ := strings.Cut(element, ";")
		weight := 1.0
		for parameter := range strings.SplitSeq(parameters, ";") {
			if q, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(parameter)), "q="); ok {
				weight, _ = strconv.ParseFloat(q, 64)
			}
		}
		switch mediaType = strings.TrimSpace(mediaType); {
		case strings.EqualFold(mediaType, "text/html"):
			forHTML = weight
		case strings.EqualFold(mediaType, "application/json"):
			forJSON = weight
		}
	}
	return forJSON > 0 && forJSON >= forHTML
}
