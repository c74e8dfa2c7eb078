package verifier

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// A ruleReport is a rule's part of a [CheckReport].
type ruleReport struct {
	name, found, demanded string

	hides bool // found leaves out a value that a Report does not show
}

func (t *Token) foundScopes() string { return "scopes " + foundList(t.scopes) }
func (t *Token) foundClient() string { return "client id " + orNone(t.clientID) }

// foundValue quotes the JSON text of a claim.
func foundValue(value string) string {
	if s, err := jose.StringValue(value); err == nil {
		value = s
	}
	return orNone(value)
}

func (r scopeRule) explain(t *Token) ruleReport {
	return ruleReport{name: "Scope", found: t.foundScopes(), demanded: "all of " + quoteList(r.values)}
}

func (r anyScopeRule) explain(t *Token) ruleReport {
	return ruleReport{name: "AnyScope", found: t.foundScopes(), demanded: "one of " + quoteList(r.values)}
}

func (r roleRule) explain(t *Token) ruleReport {
	found := "roles " + foundList(t.Roles())
	if r.any {
		return ruleReport{name: "AnyRole", found: found, demanded: "one of " + quoteList(r.values)}
	}
	return ruleReport{name: "Role", found: found, demanded: "all of " + quoteList(r.values)}
}

func (r audienceRule) explain(t *Token) ruleReport {
	return ruleReport{name: "Audience", found: "aud " + foundList(t.audience), demanded: "one of " + quoteList(r.values)}
}

func (r issuerRule) explain(t *Token) ruleReport {
	return ruleReport{name: "Issuer", found: "iss " + orNone(t.issuer), demanded: "one of " + quoteList(r.values)}
}

func (r clientRule) explain(t *Token) ruleReport {
	return ruleReport{name: "Client", found: t.foundClient(), demanded: "one of " + quoteList(r.values)}
}

func (r claimRule) explain(t *Token) ruleReport {
	value := t.members().At(r.place.path)
	report := ruleReport{name: "Claim", found: quote(r.place.name) + " " + foundValue(value), demanded: "one of " + quoteList(r.values)}
	if value != "" && !slices.Contains(shownClaims, r.place.path[0]) {
		report.found, report.hides = quote(r.place.name)+" with a value that is not shown", true
	}
	return report
}

func (r noClaimRule) explain(t *Token) ruleReport {
	var found []string
	for _, p := range r.places {
		if t.members().At(p.path) != "" {
			found = append(found, p.name)
		}
	}
	return ruleReport{name: "NoClaim", found: foundList(found), demanded: "none of " + quoteList(r.values)}
}

func (r *checkRule) explain(*Token) ruleReport {
	return ruleReport{name: "Check", found: "", demanded: "what its function says"}
}

func (r invalidRule) explain(*Token) ruleReport {
	return ruleReport{name: "Invalid", found: "", demanded: "nothing: no token passes"}
}

func (clientCredentialsRule) explain(t *Token) ruleReport {
	r := ruleReport{name: "ClientCredentials", found: fmt.Sprintf("sub %s, %s", orNone(t.subject), t.foundClient()), demanded: "sub equals the client id"}
	if own := t.policy.clientCredentials; own != nil {
		x := own.explain(t)
		r.found = strings.TrimPrefix(x.found+", ", ", ") + t.foundClient()
		r.hides = x.hides
		r.demanded = strings.TrimSpace("a client id, and " + x.name + " " + x.demanded)
	}
	return r
}

func (directRule) explain(t *Token) ruleReport {
	return ruleReport{name: "Direct", found: "act " + foundActor(t), demanded: "no act"}
}

func (r actorRule) explain(t *Token) ruleReport {
	return ruleReport{name: "Actor", found: "act " + foundActor(t), demanded: "sub of the actor is one of " + quoteList(r.values)}
}

// foundActor names the current actor.
func foundActor(t *Token) string {
	act := t.members().Value("act")
	if act == "" {
		return "none"
	}
	return "with sub " + orNone(actingParty(act).Subject)
}
