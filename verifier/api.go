package verifier

import "fmt"

// An api is what the refusals of one Verifier share: the trusted issuers, the realm
// of challenges, and the log. A nil *api is that of a route without a Verifier.
type api struct {
	policies  policies
	tenants   *tenants // nil without Settings.Tenants
	resources []*resource

	demandsBinding bool // of the tokens of every issuer
	realm          string
	log            refusalLog
	bugs           bugLog
	observer
	extensions
}

// hasAudience reports whether a token of some issuer may be for the audience.
func (a *api) hasAudience(audience string) bool {
	if a.tenants != nil { // whose audiences are not known yet
		return true
	}
	for _, p := range a.policies {
		if p.hasAudience(audience) {
			return true
		}
	}
	return false
}

// likelyAudience returns a hint for an audience that is configured with another slash.
func (a *api) likelyAudience(audience string) string {
	for _, p := range a.policies {
		for _, configured := range p.audiences {
			if sameButSlash(audience, configured) {
				return fmt.Sprintf("; configured is %q%s", configured, slashHint)
			}
		}
	}
	return ""
}

// trusts reports whether tokens of the issuer may be good.
func (a *api) trusts(issuer string) bool { return a.tenants != nil || a.policies[issuer] != nil }

// hasSeveralIssuers reports whether a client id alone does not name a client.
func (a *api) hasSeveralIssuers() bool { return a.tenants != nil || len(a.policies) > 1 }
