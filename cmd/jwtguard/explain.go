package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const explainHelp = `usage: jwtguard explain [flags] < TOKEN

Why a token is admitted or refused: each check of the
library, what it found and what it demands, and the likely
mistake. The token comes from standard input, alone or in
the token endpoint's JSON. It is not printed.

The issuer's keys are fetched, or come from a file. An
issuer or an audience that is not configured here is taken
from the token: then the exit code is not 0. The keys of an
issuer that only the token names are not fetched.

  --issuer URL        Config.Issuer
  --audience NAME     Config.Audiences; may be repeated
  --provider P        a preset of verifier/providers instead
                      of --issuer, in one of the forms below
  --jwks FILE         the keys: a JWK Set, PEM public keys
                      or certificates; nothing is fetched
  --metadata-url URL  JWKS.MetadataURL
  --allow-http        JWKS.AllowHTTP
  --algorithm NAME    Config.Algorithms; may be repeated
  --type TYP          Config.Types; may be repeated; none
                      stands for a token without typ
  --rfc9068           Config.RFC9068
  --leeway 60s        Config.Leeway
  --max-lifetime 24h  Config.MaxLifetime
  --scope SCOPE       the rule Scope; may be repeated, or
                      several with spaces
  --role ROLE         the rule Role; may be repeated
  --client ID         the rule Client, any of those given
  --client-credentials
                      the rule ClientCredentials
  --claims            show all claims; they may be personal
  --json              print JSON

Exit codes: 0 admitted; 1 refused; 2 wrong usage or
configuration; 3 could not be checked (keys unavailable, or
not all of it configured here).

A terminal cuts a line at 4,095 bytes: give a longer token
by a pipe or a file.

Forms of --provider; with --audience, AUDIENCE is left out:
`

type explainOptions struct {
	issuer, provider, jwks, metadataURL string
	audiences, algorithms, types        list
	scopes                              scopes
	roles, clients                      list
	leeway, maxLifetime                 time.Duration
	allowHTTP, rfc9068, json            bool
	clientCredentials, allClaims        bool
}

func newExplain(s *session) (*flag.FlagSet, action) {
	var o explainOptions
	f := newFlags("explain")
	f.StringVar(&o.issuer, "issuer", "", "")
	f.Var(&o.audiences, "audience", "")
	f.StringVar(&o.provider, "provider", "", "")
	f.StringVar(&o.jwks, "jwks", "", "")
	f.StringVar(&o.metadataURL, "metadata-url", "", "")
	f.BoolVar(&o.allowHTTP, "allow-http", false, "")
	f.Var(&o.algorithms, "algorithm", "")
	f.Var(&o.types, "type", "")
	f.BoolVar(&o.rfc9068, "rfc9068", false, "")
	f.DurationVar(&o.leeway, "leeway", 0, "")
	f.DurationVar(&o.maxLifetime, "max-lifetime", 0, "")
	f.Var(&o.scopes, "scope", "")
	f.Var(&o.roles, "role", "")
	f.Var(&o.clients, "client", "")
	f.BoolVar(&o.clientCredentials, "client-credentials", false, "")
	f.BoolVar(&o.allClaims, "claims", false, "")
	f.BoolVar(&o.json, "json", false, "")
	return f, func(ctx context.Context, args []string) error { return s.explain(ctx, &o, args) }
}

// explainUsage is the help with the presets.
func explainUsage() string {
	var b strings.Builder
	b.WriteString(explainHelp)
	for _, p := range presets {
		b.WriteString("  " + p.usage() + "\n")
	}
	return b.String()
}

func (s *session) explain(ctx context.Context, o *explainOptions, args []string) error {
	switch {
	case len(args) > 0:
		return misuse("explain has flags only; the token is read from standard input")
	case o.issuer != "" && o.provider != "":
		return misuse("--issuer and --provider exclude each other")
	case o.jwks != "" && o.metadataURL != "":
		return misuse("with --jwks nothing is fetched: --metadata-url has no meaning")
	}
	raw, err := s.readToken()
	if err != nil {
		return err
	}
	c, err := o.configure(ctx, raw)
	if err != nil {
		return err
	}
	defer c.close()
	v, err := verifier.Settings{Logger: slog.New(slog.DiscardHandler), TokenCache: -1}.New(c.cfg)
	if err != nil {
		return fail(exitUsage, "%s", printable(strings.TrimPrefix(err.Error(), "verifier: ")))
	}
	defer v.Close()

	report := v.Explain(ctx, raw, o.rules()...)
	if o.allClaims {
		report = report.WithClaims()
	}
	if err := s.printReport(report, c.fromToken, o.json); err != nil {
		return err
	}
	return c.verdict(report)
}

func (o *explainOptions) rules() (rules []verifier.Rule) {
	if len(o.scopes.list) > 0 {
		rules = append(rules, verifier.Scope(o.scopes.list...))
	}
	if len(o.roles) > 0 {
		rules = append(rules, verifier.Role(o.roles...))
	}
	if len(o.clients) > 0 {
		rules = append(rules, verifier.Client(o.clients...))
	}
	if o.clientCredentials {
		rules = append(rules, verifier.ClientCredentials())
	}
	return rules
}

// readToken reads standard input. One line break at its end is the shell's.
func (s *session) readToken() (string, error) {
	if s.isTerminal(s.stdin) {
		s.log.fold("Paste the token, press Enter, then Ctrl-D.", "", "")
	}
	const most = 1 << 20
	text, err := io.ReadAll(io.LimitReader(s.stdin, most+1))
	switch {
	case err != nil:
		return "", fail(exitUsage, "reading standard input: %s", printable(err.Error()))
	case len(text) > most:
		return "", fail(exitUsage, "standard input is over %d bytes: that is no token", most)
	}
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	if len(text) == 0 {
		return "", misuse("there is no token on standard input")
	}
	var response grant
	if text[0] == '{' && json.Unmarshal(text, &response) == nil && response.AccessToken != "" {
		return response.AccessToken, nil
	}
	return string(text), nil
}

// printReport prints a report. fromToken is what was not configured.
func (s *session) printReport(r verifier.Report, fromToken []string, asJSON bool) error {
	if asJSON {
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		missing, err := json.Marshal(append([]string{}, fromToken...))
		if err != nil {
			return err
		}
		var doc bytes.Buffer
		members := append([]byte(`{"not_configured":`+string(missing)+`,`), text[1:]...)
		if err := json.Indent(&doc, members, "", "  "); err != nil {
			return err
		}
		s.out.print(doc.String() + "\n")
		return nil
	}
	if len(fromToken) > 0 {
		s.out.fold("Not configured: "+strings.Join(fromToken, " and ")+
			". What the token itself says is taken instead, which says nothing of your API.", s.out.tinted(yellow, "!")+" ", "  ")
		s.out.print("\n")
	}
	s.out.print(s.out.tintedReport(r.String()))
	return nil
}

var reportMark = regexp.MustCompile(`(?m)^(?:ADMITTED|REFUSED|ok|FAIL)\b`)

// tintedReport colours the words at the beginning of lines.
func (o *output) tintedReport(text string) string {
	return reportMark.ReplaceAllStringFunc(text, func(mark string) string {
		if mark == "ok" || mark == "ADMITTED" {
			return o.tinted(green, mark)
		}
		return o.tinted(red, mark)
	})
}

// verdict returns the exit code of a report.
func (c *explainConfig) verdict(r verifier.Report) error {
	switch {
	case r.Admitted && len(c.fromToken) == 0:
		return nil
	case r.Admitted:
		return &exitError{code: exitUnavailable}
	case r.Refusal.Status() == http.StatusServiceUnavailable && c.err != nil:
		return fail(exitUsage, "%s", printable(strings.TrimPrefix(c.err.Error(), "jwkscache: ")))
	case r.Refusal.Status() == http.StatusServiceUnavailable:
		return &exitError{code: exitUnavailable}
	case r.Refusal.Status() == http.StatusInternalServerError:
		return &exitError{code: exitUsage}
	}
	return &exitError{code: exitRefused}
}
