package verifier_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func TestStepUp(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // of every bubble
	ago := func(d time.Duration) string { return seconds(start.Add(-d)) }
	const gold, silver = "https://loa.example/3", "urn:mace:incommon:iap:silver"
	acrs := verifier.StepUp(0, gold, silver)
	fresh := verifier.StepUp(5 * time.Minute)
	both := verifier.StepUp(5*time.Minute, gold)
	for _, row := range []struct {
		name   string
		rule   verifier.Rule
		claims members
		params string // of the challenge; "" if the token passes
		cause  string
		code   string // of Explain
	}{
		{"C14 an acr", acrs, members{"acr": `"` + silver + `"`}, "", "", ""},
		{"C14 the other acr, old", acrs, members{"acr": `"` + gold + `"`, "auth_time": "1"}, "", "", ""},
		{"C14 another acr", acrs, members{"acr": `"0"`}, `acr_values="` + gold + " " + silver + `"`, `acr is "0"`, "acr_other"},
		{"C14 acr in another case", acrs, members{"acr": `"URN:mace:incommon:iap:silver"`}, `acr_values="` + gold + " " + silver + `"`, "URN", "acr_other"},
		{"C14 no acr", acrs, nil, `acr_values="` + gold + " " + silver + `"`, "acr is none", "no_user_authentication"},
		{"C14 acr is an array", acrs, members{"acr": `["` + gold + `"]`}, `acr_values="` + gold + " " + silver + `"`, "acr is", "acr_other"},
		{"C14 acr is empty", acrs, members{"acr": `""`}, `acr_values="` + gold + " " + silver + `"`, "acr is none", "acr_other"},
		{"C14 young enough", fresh, members{"auth_time": ago(5 * time.Minute)}, "", "", ""},
		{"C14 young enough by the leeway", fresh, members{"auth_time": ago(6 * time.Minute)}, "", "", ""},
		{"C14 too old", fresh, members{"auth_time": ago(6*time.Minute + time.Second)}, `max_age="300"`, "6m1s ago", "authentication_old"},
		{"C14 ahead by the leeway", fresh, members{"auth_time": ago(-time.Minute)}, "", "", ""},
		{"C14 in the future", fresh, members{"auth_time": ago(-time.Minute - time.Second)}, `max_age="300"`, "in the future", "authentication_old"},
		{"C14 no auth_time", fresh, members{"acr": `"` + gold + `"`}, `max_age="300"`, "no auth_time", "authentication_old"},
		{"C14 neither", fresh, nil, `max_age="300"`, "no auth_time", "no_user_authentication"},
		{"C14 auth_time is a text", fresh, members{"auth_time": `"` + ago(0) + `"`}, `max_age="300"`, "no auth_time", "authentication_old"},
		{"C14 auth_time is negative", fresh, members{"auth_time": "-1"}, `max_age="300"`, "no auth_time", "authentication_old"},
		{"C14 a maximum of a second", verifier.StepUp(time.Second), members{"auth_time": ago(2 * time.Minute)}, `max_age="1"`, "at most 1s", "authentication_old"},
		{"C14 both", both, members{"acr": `"` + gold + `"`, "auth_time": ago(time.Minute)}, "", "", ""},
		{"C14 both, the acr alone", both, members{"acr": `"` + gold + `"`}, `acr_values="` + gold + `", max_age="300"`, "no auth_time", "authentication_old"},
		{"C14 both, the time alone", both, members{"auth_time": ago(0)}, `acr_values="` + gold + `", max_age="300"`, "acr is none", "acr_other"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, _ := setup(t)
				raw := signerOf("ES256").token(nil, row.claims)
				r := checkReport(t, v, raw, row.rule)
				assert.Equal(t, row.code, r.Mistake.Code, "%s", r)
				_, err := v.Protect(row.rule, verifier.Scope("orders:read"))(bearer(raw))
				if row.params == "" {
					require.NoError(t, err)
					return
				}
				assertRefused(t, verifier.ErrAuthentication, err)
				assert.ErrorContains(t, err, row.cause)
				w := httptest.NewRecorder()
				verifier.AsError(ctx, err).ServeHTTP(w, bearer(raw))
				assert.Equal(t, 401, w.Code)
				assert.Equal(t, `Bearer realm="api", error="insufficient_user_authentication", `+
					`error_description="The user must authenticate again as the challenge says.", `+row.params+`, scope="orders:read"`,
					w.Header().Get("WWW-Authenticate"))
				assert.Contains(t, w.Body.String(), `"error":"insufficient_user_authentication"`)
			})
		})
	}

	for want, rule := range map[string]verifier.Rule{
		`acr is one of "gold silver"`:                              verifier.StepUp(0, "gold", "silver"),
		"auth_time is at most 1 second ago":                        verifier.StepUp(time.Second),
		`acr is one of "gold", auth_time is at most 5 minutes ago`: verifier.StepUp(5*time.Minute, "gold"),
	} {
		t.Run("C14 Explain demands "+want, func(t *testing.T) {
			v, _ := setup(t)
			r := checkReport(t, v, signerOf("ES256").good(), rule)
			words := strings.Join(strings.Fields(r.String()), " ")
			assert.Contains(t, words, "FAIL rule StepUp acr none, auth_time none demanded "+want+" Header ")
		})
	}

	t.Run("C14 a remembered token grows too old", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v, _ := setup(t)
			raw := signerOf("ES256").token(nil, members{"auth_time": ago(0)})
			verified(t, v, raw, fresh)
			time.Sleep(6*time.Minute + time.Second)
			_, err := v.Verify(ctx, raw, fresh)
			assertRefused(t, verifier.ErrAuthentication, err)
			verified(t, v, raw)
		})
	})
}

func TestStepUpThatCannotWork(t *testing.T) {
	for name, rule := range map[string]verifier.Rule{
		"C14 nothing required":    verifier.StepUp(0),
		"C14 an empty acr":        verifier.StepUp(0, "a", ""),
		"C14 two acrs in one":     verifier.StepUp(0, "a b"),
		"C14 a quotation mark":    verifier.StepUp(time.Minute, `a"`),
		"C14 without a unit":      verifier.StepUp(300, "a"),
		"C14 just under a second": verifier.StepUp(time.Second-1, "a"),
		"C14 a negative maximum":  verifier.StepUp(-time.Minute, "a"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := verifier.New(config().With(rule))
			assert.ErrorContains(t, err, "rule StepUp")
		})
	}
}
