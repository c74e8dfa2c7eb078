package verifier

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// describe returns what a step compares, without the result.
func (e *explanation) describe(s step) CheckReport {
	c, p := &e.work.claims.registeredClaims, e.policy
	switch s {
	case stepAlgorithm:
		return CheckReport{Check: "algorithm", Found: "alg " + orNone(e.work.jws.Alg), Demanded: "one of " + strings.Join(p.algorithmNames(), ", ")}
	case stepType:
		return CheckReport{Check: "type", Found: "typ " + e.foundType(), Demanded: fmt.Sprintf("one of %q, and no other kind of JWT", p.types)}
	case stepAudience:
		return CheckReport{Check: "audience", Found: "aud " + foundList(c.audience), Demanded: p.demandedAudience()}
	case stepProfile:
		return CheckReport{Check: "profile", Found: e.present("sub", "client_id", "jti", "aud", "iat"), Demanded: "sub, client_id, jti, aud and iat (RFC 9068 section 2.2)"}
	case stepBound:
		return CheckReport{Check: "binding", Found: "cnf with " + e.boundBy(), Demanded: "no cnf, since there is no request that could prove possession"}
	case stepSignature:
		return e.describeSignature()
	case stepToken:
		return e.describeContents()
	}
	return CheckReport{}
}

func (e *explanation) foundLength() string {
	if e.raw == "" {
		return "nothing"
	}
	return count(len(e.raw), "byte") + ", " + count(strings.Count(e.raw, ".")+1, "segment")
}

func (e *explanation) demandedForm() string {
	return fmt.Sprintf("a JWT (RFC 7519) in compact form, at most %d bytes", e.maxTokenLength)
}

func (e *explanation) describeForm() CheckReport {
	return CheckReport{Check: "form", Found: fmt.Sprintf("a JWT of %d bytes", len(e.raw)), Demanded: e.demandedForm()}
}

func (e *explanation) describeClaims() CheckReport {
	return CheckReport{Check: "claims", Found: e.present(registeredNames...), Demanded: "iss and exp, and each claim of the type that RFC 7519 section 4.1 says"}
}

// present returns which of these claims the token has.
func (e *explanation) present(names ...string) string {
	return namesOrNone(slices.DeleteFunc(slices.Clone(names), func(name string) bool { return e.work.jws.Claims.Value(name) == "" }))
}

func namesOrNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// orNone quotes s, or returns none if s is empty.
func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return quote(s)
}

// foundList quotes the values of a claim.
func foundList(values []string) string {
	if len(values) == 0 {
		return "none"
	}
	return quoteList(values)
}

func (e *explanation) describeTimes() CheckReport {
	c := &e.work.claims.registeredClaims
	found := "exp " + e.when(c.expiresAt)
	if !c.notBefore.IsZero() {
		found += ", nbf " + e.when(c.notBefore)
	}
	return CheckReport{Check: "time", Found: found,
		Demanded: fmt.Sprintf("exp after and nbf before now, %s; leeway %s", e.now.UTC().Format(time.RFC3339), e.maxLeeway)}
}

// when returns t with its distance from now.
func (e *explanation) when(t time.Time) string {
	return t.Format(time.RFC3339) + " (" + distance(t.Sub(e.now)) + ")"
}

// distance writes d as a distance from now.
func distance(d time.Duration) string {
	if d < 0 {
		return roughly(-d) + " ago"
	}
	return "in " + roughly(d)
}

// roughly writes d, rounded to its largest unit.
func roughly(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return fmt.Sprintf("%d days", d.Round(day)/day)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d.Round(time.Hour)/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", d.Round(time.Minute)/time.Minute)
	}
	return count(int(d.Round(time.Second)/time.Second), "second")
}

func (e *explanation) describeIssuer() CheckReport {
	all := e.configured()
	names := make([]string, 0, 3)
	for _, p := range all[:min(len(all), cap(names))] {
		names = append(names, fmt.Sprintf("%q", p.issuer))
	}
	demanded := strings.Join(names, " or ")
	switch more := len(all) - len(names); {
	case more > 0:
		demanded += fmt.Sprintf(" or %d more", more)
	case e.api.tenants != nil && len(all) > 0:
		demanded += " or one that Settings.Tenants knows"
	case e.api.tenants != nil:
		demanded = "one that Settings.Tenants knows"
	}
	return CheckReport{Check: "issuer", Found: "iss " + orNone(e.named), Demanded: demanded}
}

func (e *explanation) describeLifetime() CheckReport {
	c := &e.work.claims.registeredClaims
	found := "exp " + e.when(c.expiresAt)
	if !c.issuedAt.IsZero() {
		found += ", iat " + e.when(c.issuedAt)
	}
	demanded := fmt.Sprintf("leeway %s", e.policy.leeway)
	if e.policy.maxLifetime != 0 {
		demanded = fmt.Sprintf("at most %s from iat to exp, %s", e.policy.maxLifetime, demanded)
	}
	return CheckReport{Check: "lifetime", Found: found, Demanded: demanded}
}

func (e *explanation) foundType() string {
	if !e.work.jws.HasTyp {
		return "none"
	}
	return quote(e.work.jws.Typ)
}

func (p *issuerPolicy) demandedAudience() string {
	switch few := 3; {
	case p.anyAudience:
		return "any (AnyAudience)"
	case len(p.audiences) > few:
		return fmt.Sprintf("one of %q or %d more", p.audiences[:few], len(p.audiences)-few)
	case len(p.audiences) > 1:
		return fmt.Sprintf("one of %q", p.audiences)
	}
	return fmt.Sprintf("%q", p.audiences[0])
}

// boundBy returns the names of the members of cnf.
func (e *explanation) boundBy() string {
	var names []string
	for _, name := range []string{"jkt", "x5t#S256", "jwk", "kid", "jku"} {
		if jose.MemberOf(e.work.jws.Claims.Value("cnf"), name) != "" {
			names = append(names, name)
		}
	}
	return namesOrNone(names)
}

func (e *explanation) describeSignature() CheckReport {
	h := &e.work.jws.Header
	q := queryOf(h, e.now)
	c := CheckReport{Check: "signature", Demanded: "a key of the issuer that verifies it"}
	if c.Found = h.Alg; namesKey(h) {
		c.Found += " with " + keyName(&q)
	}
	if held := e.keysHeld(); held != "" {
		c.Demanded += "; " + held
	}
	if !e.policy.takesPublicKeys() {
		c.Demanded = "one of the SharedSecrets verifies it"
	}
	return c
}

// keysHeld says how many keys the issuer has, and since when that is known.
func (e *explanation) keysHeld() string {
	k := e.report.Keys
	switch {
	case k.State == "":
		return ""
	case k.LastSuccess.IsZero():
		return "none were fetched so far"
	case k.Fetches == 0: // of Static
		return "it has " + count(k.Keys, "key")
	}
	return fmt.Sprintf("it has %s, fetched %s ago", count(k.Keys, "key"), roughly(max(0, e.now.Sub(k.LastSuccess))))
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (e *explanation) describeContents() CheckReport {
	c := CheckReport{Check: "contents", Demanded: "an access token, with client id and scopes of the right type"}
	if e.token != nil {
		c.Found = "client id " + orNone(e.token.clientID) + ", scopes " + foundList(e.token.scopes)
	}
	return c
}
