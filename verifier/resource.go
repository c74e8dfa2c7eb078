package verifier

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-12ed5b1c/jwtguard/internal/peer"
)

// A Resource is an API, or a part of one, as its clients know it (RFC 9728 §1.2). What
// its metadata says beyond this is derived from each Config that accepts its audience:
// the authorization servers are the issuers that are URLs, in the order of New.
type Resource struct {
	// URL identifies the resource: an https address (http for loopback hosts)
	// without a fragment. Clients compare it byte for byte with the one that they
	// use (RFC 9728 §3.3), so write it as they do, and without a trailing slash
	// unless they send one. Many clients send it to the authorization server as
	// the parameter resource (RFC 8707), and get tokens with it as their aud.
	URL string

	// Audience is the aud of the resource's tokens, one of Config.Audiences.
	// Empty means URL.
	Audience string

	// Name (resource_name) and Documentation (resource_documentation, an http or
	// https address) are for people. Both may be empty.
	Name, Documentation string

	// Scopes are those that the metadata lists (scopes_supported). Nil means the
	// scopes of the rules of every Protect and Optional for this resource, and of
	// its issuers' Config.Rules. Clients often request all of these if a challenge
	// names no scope, so leave out those that few clients need. An empty list that
	// is not nil means none.
	Scopes []string
}

// describe checks the resources and adds them to a, whose policies are those of issuers.
func (a *api) describe(resources []Resource, issuers []Config) error {
	for i, r := range resources {
		res, err := a.newResource(r, issuers)
		for _, other := range a.resources {
			switch {
			case err != nil:
			case other.URL == res.URL:
				err = errors.New("there is another Resource with this URL")
			case other.Audience == res.Audience:
				err = errors.New("there is another Resource with this Audience, and a route could not choose")
			}
		}
		if err != nil {
			return fmt.Errorf("Resource %d: %w", i+1, err)
		}
		a.resources = append(a.resources, res)
	}
	return nil
}

func (a *api) newResource(r Resource, issuers []Config) (*resource, error) {
	if r.Audience == "" {
		r.Audience = r.URL
	}
	res := &resource{Resource: r, scopes: r.Scopes}
	if err := res.locate(); err != nil {
		return nil, err
	}
	switch {
	case !isPrintable(r.Name):
		return nil, errors.New("the Name has characters that are not printable")
	case r.Documentation != "" && !isURI(r.Documentation):
		return nil, errors.New("the Documentation is not an http or https URL")
	}
	for _, s := range r.Scopes {
		if !isScopeToken(s) {
			return nil, fmt.Errorf("%s in Scopes is not one scope (RFC 6749 section 3.3)", quote(s))
		}
	}
	for _, b := range a.bindings {
		switch {
		case b.Scheme == "DPoP":
			res.algorithms, res.onlyProofs = b.Algorithms, a.demandsBinding && !a.acceptsBearer(true)
		case b.Member == "x5t#S256":
			res.certificates = true
		}
	}
	accepted := a.tenants != nil
	for i := range issuers {
		p := a.policies[issuers[i].Issuer]
		if !p.anyAudience && !p.hasAudience(r.Audience) {
			continue
		}
		accepted = true
		if isServer(p.issuer) {
			res.servers = append(res.servers, p.issuer)
		}
		res.addScopes(challengeScopes(p.rules))
	}
	if !accepted {
		return nil, fmt.Errorf("no Config.Audiences lists its audience %s%s", quote(r.Audience), a.likelyAudience(r.Audience))
	}
	res.write()
	return res, nil
}

// locate sets the address of the metadata (RFC 9728 §3.1).
func (res *resource) locate() error {
	if !isURI(res.URL) {
		return errors.New("the URL is not an absolute https URL in characters of RFC 3986, without user and fragment") // a user may have a password
	}
	u, _ := url.Parse(res.URL) // succeeded in isURI
	if slices.ContainsFunc(strings.Split(u.EscapedPath(), "/"), func(s string) bool { return s == "." || s == ".." }) {
		return fmt.Errorf("the URL %s has a dot segment, which clients would remove (RFC 3986 section 5.2.4)", quote(res.URL))
	}
	if u.Scheme == "http" && !peer.IsLoopback(u.Hostname()) {
		return fmt.Errorf("the URL %s is http, which is for loopback hosts only (RFC 9728 section 1.2)", quote(res.URL))
	}
	origin := len(u.Scheme) + len("://") + len(u.Host)
	rest := res.URL[origin:]
	if rest == "/" || strings.HasPrefix(rest, "/?") {
		rest = rest[1:]
	}
	path, query, _ := strings.Cut(rest, "?")
	res.document = res.URL[:origin] + MetadataPath + rest
	res.host, res.path, res.query = hostOf(u.Host, u.Scheme == "https"), MetadataPath+path, query
	return nil
}

// isURI reports whether s is an http or https URL with a host, without user and
// fragment, and whether all its characters are those of RFC 3986 §2.
func isURI(s string) bool {
	u, err := url.Parse(s)
	switch {
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "", u.User != nil, strings.Contains(s, "#"):
		return false
	case s[len(u.Scheme):len(u.Scheme)+len("://")+len(u.Host)] != "://"+u.Host: // it has escapes
		return false
	}
	for i := range len(s) {
		if !isAlphaNum(s[i]) && strings.IndexByte("-._~:/?#[]@!$&'()*+,;=%", s[i]) < 0 {
			return false
		}
	}
	return true
}

// isServer reports whether an issuer can be listed as an authorization server, whose
// identifier is a URL without query (RFC 8414 §2).
func isServer(issuer string) bool {
	return isURI(issuer) && !strings.Contains(issuer, "?")
}

func isPrintable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// hostOf returns host in lower case and without the default port.
func hostOf(host string, secure bool) string {
	port := ":80"
	if secure {
		port = ":443"
	}
	return strings.TrimSuffix(strings.ToLower(host), port)
}

// protected returns the route of a Guard with rules, and adds its scopes to the
// metadata of its resource.
func (a *api) protected(rules []Rule) (*route, error) {
	all := a.route(rules)
	rt := &all
	if rt.resource != nil {
		rt.resource.addScopes(rt.scopes)
	}
	return rt, a.checkResource(rules)
}

// checkResource returns an error if rules, which are valid, do not choose one of several
// resources.
func (a *api) checkResource(rules []Rule) error {
	if len(a.resources) > 1 && len(audiencesOf(rules)) == 0 {
		return errors.New("there are several Resources, so every route needs an Audience rule that chooses one")
	}
	return nil
}

// resourceOf returns the resource that a route with rules belongs to: the one that an
// Audience rule names, or the only one if there is no such rule.
func (a *api) resourceOf(rules []Rule) *resource {
	if len(a.resources) == 0 {
		return nil
	}
	audiences := audiencesOf(rules)
	if len(audiences) == 0 && len(a.resources) == 1 {
		return a.resources[0]
	}
	return a.resourceFor(audiences)
}

// resourceFor returns the resource of the first of these audiences that has one.
func (a *api) resourceFor(audiences []string) *resource {
	for _, audience := range audiences {
		for _, res := range a.resources {
			if res.Audience == audience {
				return res
			}
		}
	}
	return nil
}

// audiencesOf returns the audiences that rules name.
func audiencesOf(rules []Rule) (all []string) {
	for _, r := range rules {
		if r != nil {
			all = append(all, r.audiences()...)
		}
	}
	return all
}
