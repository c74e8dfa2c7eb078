package ssf

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/ascii"
	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

const (
	maxAliases    = 16   // identifiers of one subject
	maxIdentifier = 2048 // bytes, as in a revocation.Entry
)

// errOtherIssuer is for subjects that this transmitter must not revoke.
var errOtherIssuer = errors.New("the iss in the subject is neither the transmitter's nor its SubjectIssuer")

// notSupported is the error for what is accepted and has no effect.
type notSupported string

func (e notSupported) Error() string { return ascii.Quote(string(e)) + " is not supported" }

// identify returns entries, without times, that revoke the tokens of a subject (RFC 9493 §3,
// SSF 1.0 §3) and no others. What it cannot compare with the claims of access tokens is an
// error, and so is a member that the format does not have, since it may restrict the
// subject.
func (t *transmitter) identify(subject string) ([]revocation.Entry, error) {
	switch formatOf(subject) {
	case "aliases":
		return t.aliases(subject)
	case "complex":
		return t.complex(subject)
	}
	e, err := t.simple(subject)
	if err != nil {
		return nil, err
	}
	return []revocation.Entry{e}, nil
}

// formatOf returns the format of a subject. Complex subjects of older drafts have none.
func formatOf(subject string) string {
	value := jose.MemberOf(subject, "format")
	if value == "" {
		return "complex"
	}
	format, _ := jose.StringValue(value)
	return format
}

// simple is identify for one identifier.
func (t *transmitter) simple(id string) (e revocation.Entry, err error) {
	e.Issuer = t.subjectIssuer
	var issuer string
	switch format := formatOf(id); format {
	case "iss_sub": // RFC 9493 §3.2.3
		err = readMembers(id, map[string]*string{"iss": &issuer, "sub": &e.Subject})
	case "jwt_id": // SSF 1.0 §3.5.1
		err = readMembers(id, map[string]*string{"iss": &issuer, "jti": &e.TokenID})
	case "opaque": // RFC 9493 §3.2.4
		issuer = t.issuer
		err = readMembers(id, map[string]*string{"id": &e.Subject})
	default:
		err = notSupported("a subject of format " + format)
	}
	if err == nil && issuer != t.issuer && issuer != t.subjectIssuer {
		err = errOtherIssuer
	}
	return e, err
}

// readMembers reads the members of an identifier besides its format. It is an error if one
// is missing or not a string of 1 to 2048 bytes, and if there are others.
func readMembers(id string, members map[string]*string) (err error) {
	found := 0
	jose.EachMember(id, func(name, text string) bool {
		into := members[name]
		s, _ := jose.StringValue(text)
		switch {
		case name == "format":
		case into == nil:
			err = notSupported("a subject with the member " + name)
		case s != "" && len(s) <= maxIdentifier:
			*into = strings.Clone(s) // so that the SET is not kept in memory
			found++
		}
		return true
	})
	if found < len(members) {
		err = fmt.Errorf("a member of the subject is missing or not a string of 1 to %d bytes", maxIdentifier)
	}
	return err
}

// aliases is identify for several identifiers of one subject (RFC 9493 §3.2.8). One that is
// supported suffices.
func (t *transmitter) aliases(subject string) (entries []revocation.Entry, err error) {
	list, n := "", 0
	jose.EachMember(subject, func(name, text string) bool {
		switch name {
		case "format":
		case "identifiers":
			list = text
		default:
			err = notSupported("a subject with the member " + name)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(list, "[") {
		return nil, errors.New("the aliases have no list of identifiers")
	}
	jose.EachElement(list, func(string) { n++ })
	if n > maxAliases {
		return nil, fmt.Errorf("%d aliases; at most %d are supported", n, maxAliases)
	}
	err = notSupported("a subject without aliases")
	jose.EachElement(list, func(id string) {
		switch e, wrong := t.simple(id); {
		case wrong == nil:
			entries = append(entries, e)
		case err != errOtherIssuer:
			err = wrong
		}
	})
	if len(entries) > 0 {
		err = nil
	}
	return entries, err
}

// complex is identify for a subject whose members must all match (SSF 1.0 §3.3). Those that
// are not there do not restrict it.
func (t *transmitter) complex(subject string) (entries []revocation.Entry, err error) {
	users, clients := []string{""}, []string{""}
	jose.EachMember(subject, func(name, id string) bool {
		switch {
		case name == "format" || slices.Contains(t.ignored, name):
		case name == "user":
			users, err = t.names(id)
		case name == "application":
			clients, err = t.names(id)
		default:
			err = notSupported("a complex subject with the member " + name)
		}
		return err == nil
	})
	if err != nil {
		return nil, err
	}
	if users[0] == "" && clients[0] == "" { // it would be everybody
		return nil, notSupported("a complex subject without user and application")
	}
	for _, user := range users {
		for _, client := range clients {
			entries = append(entries, revocation.Entry{Issuer: t.subjectIssuer, Subject: user, ClientID: client})
		}
	}
	return entries, nil
}

// names returns the names of a user or an application, at least one.
func (t *transmitter) names(id string) (names []string, err error) {
	format := formatOf(id)
	if format != "iss_sub" && format != "opaque" && format != "aliases" {
		return nil, notSupported("in a complex subject, the format " + format)
	}
	entries, err := t.identify(id)
	for _, e := range entries {
		if e.Subject != "" { // a token's id beside others cannot be compared
			names = append(names, e.Subject)
		}
	}
	if err == nil && len(names) == 0 {
		err = notSupported("in a complex subject, an alias of format jwt_id alone")
	}
	return names, err
}
