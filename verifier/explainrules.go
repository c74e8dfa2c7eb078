package verifier

import (
	"fmt"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// A ruleReport is a rule's part of a [CheckReport].
type ruleReport struct{ name, found, demanded string }

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
	return ruleReport{"Scope", t.foundScopes(), "all of " + quoteList(r.values)}
}

func (r anyScopeRule) explain(t *Token) ruleReport {
	return ruleReport{"AnyScope", t.foundScopes(), "one of " + quoteList(r.values)}
}

func (r roleRule) explain(t *Token) ruleReport {
	found := "roles " + foundList(t.Roles())
	if r.any {
		return ruleReport{"AnyRole", found, "one of " + quoteList(r.values)}
	}
	return ruleReport{"Role", found, "all of " + quoteList(r.values)}
}

func (r audienceRule) explain(t *Token) ruleReport {
	return ruleReport{"Audience", "aud " + foundList(t.audience), "one of " + quoteList(r.values)}
}

func (r issuerRule) explain(t *Token) ruleReport {
	return ruleReport{"Issuer", "iss " + orNone(t.issuer), "one of " + quoteList(r.values)}
}

func (r clientRule) explain(t *Token) ruleReport {
	return ruleReport{"Client", t.foundClient(), "one of " + quoteList(r.values)}
}

func (r claimRule) explain(t *Token) ruleReport {
	return ruleReport{"Claim", quote(r.place.name) + " " + foundValue(t.members().At(r.place.path)), "one of " + quoteList(r.values)}
}

func (r noClaimRule) explain(t *Token) ruleReport {
	var found []string
	for _, p := range r.places {
		if t.members().At(p.path) != "" {
			found = append(found, p.name)
		}
	}
	return ruleReport{"NoClaim", foundList(found), "none of " + quoteList(r.values)}
}

func (r *checkRule) explain(*Token) ruleReport {
	return ruleReport{"Check", "", "what a function of the program says"}
}

func (r invalidRule) explain(*Token) ruleReport {
	return ruleReport{"Invalid", "", "nothing: no token passes"}
}

func (clientCredentialsRule) explain(t *Token) ruleReport {
	r := ruleReport{"ClientCredentials", fmt.Sprintf("sub %s, %s", orNone(t.subject), t.foundClient()), "sub equals the client id"}
	if own := t.policy.clientCredentials; own != nil {
		x := own.explain(t)
		r.found = x.found + ", " + t.foundClient()
		r.demanded = strings.TrimSpace("a client id, and " + x.name + " " + x.demanded)
	}
	return r
}

func (directRule) explain(t *Token) ruleReport {
	return ruleReport{"Direct", "act " + foundActor(t), "no act"}
}

func (r actorRule) explain(t *Token) ruleReport {
	return ruleReport{"Actor", "act " + foundActor(t), "sub of the actor is one of " + quoteList(r.values)}
}

// foundActor names the current actor.
func foundActor(t *Token) string {
	act := t.members().Value("act")
	if act == "" {
		return "none"
	}
	return "with sub " + orNone(actingParty(act).Subject)
}
