package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/peer"
)

// An issuerView is an inspection for programs. What the server sent is cut, and escaped
// by the JSON encoding.
type issuerView struct {
	Given       string         `json:"given"`
	Issuer      string         `json:"issuer,omitempty"`
	Exact       bool           `json:"exact"` // the issuer is the one given, byte for byte
	MetadataURL string         `json:"metadata_url,omitempty"`
	Error       string         `json:"error,omitempty"`
	Hints       []string       `json:"hints,omitempty"`
	Responses   []responseView `json:"responses"`
	Keys        []keyView      `json:"keys,omitempty"`
	Period      float64        `json:"refresh_period_seconds,omitempty"`
	ClockAhead  float64        `json:"server_clock_ahead_seconds"`
	Config      string         `json:"config,omitempty"` // Go code
}

type responseView struct {
	URL          string `json:"url"`
	Status       int    `json:"status,omitempty"`
	CacheControl string `json:"cache_control,omitempty"`
	Age          string `json:"age,omitempty"`
	Location     string `json:"location,omitempty"`
	Error        string `json:"error,omitempty"`
}

func (in *inspection) view() issuerView {
	d := issuerView{
		Given: in.given, Issuer: cut(in.issuer), Exact: in.exact(), MetadataURL: cut(in.needsURL),
		Hints: in.hints(), Keys: viewKeys(in.keySet()), Config: in.config(),
		Period: in.stats.Period.Seconds(), ClockAhead: in.stats.ClockDifference.Seconds(),
	}
	if in.err != nil {
		d.Error = printable(in.err.Error())
	}
	for _, e := range in.recorder.exchanges() {
		v := responseView{URL: cut(e.url), Status: e.status}
		if e.err != nil {
			v.Error = printable(e.err.Error())
		}
		if e.header != nil {
			v.CacheControl, v.Age = cut(e.header.Get("Cache-Control")), cut(e.header.Get("Age"))
			v.Location = cut(e.header.Get("Location"))
		}
		d.Responses = append(d.Responses, v)
	}
	return d
}

// keySet returns the last response that has keys.
func (in *inspection) keySet() []byte {
	for _, e := range slices.Backward(in.recorder.exchanges()) {
		if e.status == http.StatusOK && readMetadata(e.body).Keys != nil {
			return e.body
		}
	}
	return nil
}

func (in *inspection) print(out *output) {
	out.print("issuer\n")
	if in.exact() && in.err == nil {
		out.fold(address(in.issuer), "  ", "  ")
		out.fold("as the metadata has it, byte for byte", "  "+out.tinted(green, "ok")+" ", "  ")
	} else {
		out.fold(address(in.given), "  given   ", "")
		if in.issuer != "" && in.issuer != in.given {
			out.fold(address(in.issuer), "  issuer  ", "")
		}
		if in.err != nil {
			out.fold(printable(in.err.Error()), "  "+out.tinted(red, "failed:")+" ", "  ")
		}
	}
	for _, hint := range in.hints() {
		out.fold(hint, "  "+out.tinted(yellow, "!")+" ", "    ")
	}
	in.printResponses(out)
	in.printKeys(out)
	if code := in.config(); code != "" {
		out.print("\nwrite into your program\n")
		for line := range strings.Lines(code) {
			out.print("  " + line)
		}
	}
}

func (in *inspection) printResponses(out *output) {
	out.print("\nrequests\n")
	printed := make(map[string]bool)
	for _, e := range in.recorder.exchanges() {
		text := fold(address(e.url), "  ", "  ")
		for _, fact := range e.facts() {
			text += fold(fact, "      ", "      ")
		}
		if !printed[text] { // nothing new the second time
			out.print(text)
		}
		printed[text] = true
	}
	if len(in.recorder.exchanges()) == 0 {
		out.print("  none\n")
	}
	if in.stats.Period > 0 {
		out.fold("the keys are refreshed about every "+short(in.stats.Period*8/10), "  ", "  ")
	}
	if d := in.stats.ClockDifference; d.Abs() > time.Second { // a Date has whole seconds
		out.fold("the server's clock is "+clock(d)+" this machine's", "  ", "  ")
	}
}

// facts are what matters of an exchange.
func (e *exchange) facts() (facts []string) {
	if e.status != 0 {
		facts = append(facts, strings.TrimSpace(strconv.Itoa(e.status)+" "+http.StatusText(e.status)))
	}
	for _, name := range []string{"Cache-Control", "Age", "Location"} {
		if value := e.header.Get(name); value != "" {
			facts = append(facts, name+" "+quoted(value))
		}
	}
	if e.err != nil {
		facts = append(facts, printable(e.err.Error()))
	}
	return facts
}

func clock(d time.Duration) string {
	if d < 0 {
		return short(-d) + " behind"
	}
	return short(d) + " ahead of"
}

// short writes a duration without the units that are zero at its end.
func short(d time.Duration) string {
	text := d.Round(time.Second).String()
	if minutes, ok := strings.CutSuffix(text, "m0s"); ok {
		text = minutes + "m"
	}
	if hours, ok := strings.CutSuffix(text, "h0m"); ok {
		text = hours + "h"
	}
	return text
}

func (in *inspection) printKeys(out *output) {
	views := viewKeys(in.keySet())
	if views == nil {
		return
	}
	used := 0
	for _, v := range views {
		if v.Used {
			used++
		}
	}
	out.printf("\nkeys: %d used, %d skipped\n", used, len(views)-used)
	for _, v := range views {
		mark := out.tinted(green, "used") + "    "
		if !v.Used {
			mark = out.tinted(red, "skipped") + " "
		}
		facts := []string{"without kid"}
		if v.KeyID != "" {
			facts = []string{"kid " + quoted(v.KeyID)}
		}
		switch {
		case v.Kind != "":
			facts = append(facts, v.Kind)
		case v.Type != "":
			facts = append(facts, "kty "+quoted(v.Type))
		}
		if v.Used {
			facts = append(facts, "for "+strings.Join(v.Algorithms, ", "))
		} else if v.Alg != "" {
			facts = append(facts, "alg "+quoted(v.Alg))
		}
		const hang = "          "
		out.fold(strings.Join(facts, ", "), "  "+mark, hang)
		for _, note := range v.Notes {
			out.fold(printable(note), hang, hang)
		}
	}
}

// hints are the usual mistakes that the inspection shows.
func (in *inspection) hints() (hints []string) {
	add := func(format string, args ...any) { hints = append(hints, fmt.Sprintf(format, args...)) }
	switch {
	case in.what != "" && in.issuer != "":
		add("The URL given is %s. Config.Issuer is the issuer.", in.what)
	case in.what != "":
		add("The URL given is %s. The issuer is the value of iss in the tokens: give that, and --jwks-url with this URL if it has no metadata.", in.what)
	case in.issuer != "" && in.issuer != in.given:
		like := difference(in.issuer, in.given)
		if like == "" {
			add("The metadata names another issuer. Use it only if it is yours: who runs it can sign tokens.")
		} else {
			add("Config.Issuer is compared byte for byte%s.", like)
		}
	case in.issuer == "" && in.unreachable():
		add("The server cannot be asked from this machine, or not now.")
	case in.issuer == "":
		add("Nothing here is an issuer's metadata. The issuer is the value of iss in the tokens.")
	}
	if slices.ContainsFunc(in.recorder.exchanges(), func(e *exchange) bool {
		return errors.As(e.err, new(x509.UnknownAuthorityError))
	}) {
		add("For a certificate authority of your own, set SSL_CERT_FILE to its certificate here and in your service, or JWKS.HTTPClient there.")
	}
	if strings.Contains(in.issuer, "{") {
		add("The issuer is a template: give the issuer of one tenant.")
	}
	if u, err := url.Parse(in.given); err == nil && u.Scheme == "http" && !peer.IsLoopback(u.Hostname()) {
		add("Plain http: whoever can change the traffic can sign tokens.")
	}
	if in.unconfirmed {
		add("Without metadata nothing confirms that these are the issuer's keys.")
	}
	if d := in.stats.ClockDifference.Abs(); d > 30*time.Second {
		add("The clocks differ by %s; Config.Leeway is 60s unless you set it. Synchronize them.", short(d))
	}
	return hints
}

// config is the Go code that makes a Config of what was found, or "".
func (in *inspection) config() string {
	if in.issuer == "" || len(in.issuer) > maxShown || in.err != nil {
		return ""
	}
	quote := strconv.QuoteToASCII
	code, known := suggestPreset(in.issuer)
	if !known {
		code = fmt.Sprintf("verifier.Config{\n\tIssuer:    %s,\n\tAudiences: []string{%q},\n}", quote(in.issuer), exampleAudience)
	}
	code = "cfg := " + code + "\n"
	if in.jwksURL != "" {
		allow := ""
		if in.allowHTTP {
			allow = "AllowHTTP: true"
		}
		return code + fmt.Sprintf("cfg.Keys, err = jwkscache.ForURL(\n\t%s,\n\tjwkscache.Config{%s},\n)\n", quote(in.jwksURL), allow)
	}
	if in.needsURL != "" && !strings.Contains(code, "EntraV1") { // which has it
		code += fmt.Sprintf("cfg.JWKS.MetadataURL =\n\t%s\n", quote(in.needsURL))
	}
	if in.allowHTTP {
		code += "cfg.JWKS.AllowHTTP = true\n"
	}
	return code
}
