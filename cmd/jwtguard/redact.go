package main

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// redact removes the secret from what a server sent, in the forms in which it was sent.
func (r *tokenRequest) redact(text string) string {
	if r.secret == "" {
		return text
	}
	for _, form := range r.secretForms() {
		text = strings.ReplaceAll(text, form, "[secret]")
	}
	return text
}

var hexDigits = regexp.MustCompile(`%[0-9A-F]{2}`)

// secretForms returns how the secret was sent, and how a server or an error of package
// net/http may write it, the longest first.
func (r *tokenRequest) secretForms() (forms []string) {
	escaped := url.QueryEscape(r.secret)
	forms = append(forms, r.secret)
	for _, form := range []string{escaped, url.PathEscape(r.secret), (&url.URL{Path: r.secret}).EscapedPath()} {
		forms = append(forms, form, hexDigits.ReplaceAllStringFunc(form, strings.ToLower))
	}
	for _, form := range []string{strconv.Quote(r.secret), strconv.QuoteToASCII(r.secret)} {
		forms = append(forms, form[1:len(form)-1])
	}
	for _, pair := range []string{url.QueryEscape(r.clientID) + ":" + escaped, r.clientID + ":" + r.secret, r.secret} {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, encoding.EncodeToString([]byte(pair)))
		}
	}
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	return forms
}

// redactAll is redact for all of g but the token.
func (r *tokenRequest) redactAll(g *grant) {
	for _, text := range []*string{&g.TokenType, &g.Scope, &g.Error, &g.ErrorDescription, &g.ErrorURI} {
		*text = r.redact(*text)
	}
	if number := string(g.ExpiresIn); r.redact(number) != number {
		g.ExpiresIn = nil
	}
}

// isSecret reports whether token is, or contains, the secret. A short secret may be in
// a token by chance.
func (r *tokenRequest) isSecret(token string) bool {
	return r.secret != "" && (token == r.secret || len(r.secret) >= 8 && r.redact(token) != token)
}

func (r *tokenRequest) safe(text string) string { return printable(r.redact(text)) }

// failure says why there was no response. An address that cannot be read is not
// repeated, because only a part of the secret may be in the error's text.
func (r *tokenRequest) failure(err error) string {
	text := cause(err).Error()
	if strings.HasPrefix(text, "failed to parse Location header") {
		return "it responded with a redirect to what is not a URL"
	}
	return r.safe(text)
}

// target shows where a redirect leads, without a user or a query.
func (r *tokenRequest) target(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "another address"
	}
	u.User, u.RawQuery, u.Fragment, u.RawFragment = nil, "", "", ""
	return address(r.redact(u.String()))
}
