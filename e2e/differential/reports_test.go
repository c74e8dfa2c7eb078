package differential

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// assertSameClaims wants every voter that accepts a token with us to report the
// same of it.
func assertSameClaims(t *testing.T, votes []vote) {
	t.Helper()
	compared := 0
	failed := make(map[string]bool)
	used := make(map[reading]bool)
	for i := range votes {
		v := &votes[i]
		for j, b := range v.voters {
			if !v.ours.accepted || !b.accepted {
				continue
			}
			compared++
			what := v.ours.report.unlike(b.report)
			for _, w := range what {
				used[reading{v.kind, voterNames[j], w}] = true
			}
			what = slices.DeleteFunc(what, func(w string) bool { return readings[reading{v.kind, voterNames[j], w}] != "" })
			if at := v.kind + voterNames[j]; len(what) > 0 && !failed[at] {
				failed[at] = true
				assert.Fail(t, "a token read differently", "%s: %q\njwtguard: %v\n%s: %v\n%s",
					v.kind, what, v.ours.report, voterNames[j], b.report, v)
			}
		}
	}
	for r := range readings {
		assert.True(t, used[r], "%v is read alike by now", r)
	}
	t.Logf("%d reports compared", compared)
}

// unlike names what r and other report differently.
func (r report) unlike(other report) (what []string) {
	for _, part := range []struct {
		name   string
		differ bool
	}{
		{"iss", r.Issuer != other.Issuer},
		{"sub", r.Subject != other.Subject},
		{"jti", r.ID != other.ID},
		{"exp", r.Expiry != other.Expiry},
		{"client id", r.ClientID != other.ClientID},
		{"aud", !slices.Equal(r.Audience, other.Audience)},
		{"scopes", !slices.Equal(r.Scopes, other.Scopes)},
		{"claims", !assert.ObjectsAreEqual(private(r.Claims), private(other.Claims))},
	} {
		if part.differ {
			what = append(what, part.name)
		}
	}
	return what
}

// private leaves out what is compared by itself, and the dates, which are
// reported as many types.
func private(claims map[string]any) map[string]any {
	claims = maps.Clone(claims)
	for _, name := range []string{"iss", "sub", "jti", "aud", "exp", "nbf", "iat"} {
		delete(claims, name)
	}
	return claims
}

// A reading is something that one voter reports differently for one kind.
type reading struct{ kind, voter, what string }

// readings are those that are decided, each with its reason.
var readings = map[reading]string{
	{"good: a number beyond float64", joseName, "claims"}: "JavaScript has Infinity there, ClaimsOf into a map an error",
	{"time: iat 1e999", joseName, "claims"}:               "the same",
}
