package providers

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/tokenclaims"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Tenants returns what preset returns for each of the tenants:
//
//	verifier.New(providers.Tenants(providers.Entra, audience, tenants...)...)
//
// It fits every function here whose parameters are a tenant and an audience. Mind the
// order: here the audience comes first. A
// client id is unique within its tenant only: a [verifier.Client] rule on a route
// needs an [verifier.Issuer] rule beside it.
func Tenants(preset func(tenant, audience string) verifier.Config, audience string, tenants ...string) []verifier.Config {
	list := make([]verifier.Config, len(tenants))
	for i, tenant := range tenants {
		list[i] = preset(tenant, audience)
	}
	return list
}

// admitting returns cfg with a demand that nothing assigned to its fields removes.
// ClientCredentials asks the same rule.
func admitting(cfg verifier.Config, who verifier.Rule) verifier.Config {
	cfg.Claims.ClientCredentials = who
	return cfg.With(who)
}

// checked returns the Config of a preset, or one that verifier.New refuses with
// the first of errs, which say what was expected of an argument.
func checked(preset string, cfg verifier.Config, errs ...error) verifier.Config {
	for _, err := range errs {
		if err != nil {
			return verifier.Config{Issuer: cfg.Issuer}.With(verifier.Invalid(fmt.Errorf("providers.%s: %w", preset, err)))
		}
	}
	return cfg
}

// notA is the error of an argument that is not what it should be.
func notA(what, expected, got string) error {
	const most = 100
	if len(got) > most {
		got = got[:most] + "…"
	}
	return fmt.Errorf("the %s is %s, not %q", what, expected, got)
}

var (
	hostName = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
	guid     = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	digits   = regexp.MustCompile(`^[0-9]+$`)
)

// matching returns an error unless value is all of what pattern says.
func matching(pattern *regexp.Regexp, what, expected, value string) error {
	if pattern.MatchString(value) {
		return nil
	}
	return notA(what, expected, value)
}

// filled returns an error where value is empty, or has space around it, as a value
// from a file may have.
func filled(what, expected, value string) error {
	if value == "" || value != strings.TrimSpace(value) {
		return notA(what, expected, value)
	}
	return nil
}

// allOf returns the first error of check for one of the values.
func allOf(check func(string) error, first string, more []string) error {
	for _, value := range append([]string{first}, more...) {
		if err := check(value); err != nil {
			return err
		}
	}
	return nil
}

// claim returns the text of a claim, "" where there is none.
func claim(t *verifier.Token, name string) string {
	text, _ := tokenclaims.Value(t, name)
	return text
}

// clients is the rule for the providers whose tokens have no claim that tells a
// machine from a user: it lists the clients that only machines can be. It reads the
// claim itself, whatever Claims.ClientID is assigned.
func clients(first string, more []string) verifier.Rule {
	return verifier.Claim("client_id", append([]string{first}, more...)...)
}

func clientID(id string) error { return filled("client", "a client id", id) }

// issuerURL returns an error unless value can be an issuer: an absolute URL, not
// that of a document or an endpoint. Which schemes are safe is for verifier.New
// to say.
func issuerURL(what, example, value string) error {
	u, err := url.Parse(value)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http", u.User != nil,
		strings.ContainsAny(value, "?#"), strings.Contains(value, "/.well-known/"):
		return notA(what, "a URL such as "+example, value)
	}
	return nil
}

// unslashedURL is issuerURL for a provider whose issuers never end with a slash.
func unslashedURL(what, example, value string) error {
	if strings.HasSuffix(value, "/") {
		return notA(what, "a URL without a slash at the end, such as "+example, value)
	}
	return issuerURL(what, example, value)
}
