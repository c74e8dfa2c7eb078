package adapters

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// R5: a challenge that is there already stays.
func TestR5ChallengesAreAdded(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	v := iss.Verifier(ordersAPI)
	for _, f := range frameworks {
		t.Run(f.name, func(t *testing.T) {
			app := f.build([]route{{path: "/", layers: []layer{{protect, v, nil}}, handle: whoami}})
			w := httptest.NewRecorder()
			w.Header().Add("WWW-Authenticate", `Negotiate`)
			app.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			assert.Equal(t, []string{`Negotiate`, `Bearer realm="api"`}, w.Header()["Www-Authenticate"])
		})
	}
}

// A configuration error that shows when routes are made panics, before the first request.
func TestConfigurationErrorsPanic(t *testing.T) {
	v := verifiertest.NewIssuer(t).Verifier(ordersAPI)
	unknown := verifier.Audience("https://nobody.example.com")
	for _, f := range frameworks {
		for name, l := range map[string]layer{
			"nil verifier":               {kind: protect},
			"nil verifier in optional":   {kind: optional},
			"C11 an unknown audience":    {protect, v, []verifier.Rule{unknown}},
			"an unknown one, optional":   {optional, v, []verifier.Rule{unknown}},
			"a nil rule":                 {protect, v, []verifier.Rule{nil}},
			"a nil rule inside":          {kind: require_, rules: []verifier.Rule{nil}},
			"C11 an empty list":          {protect, v, []verifier.Rule{verifier.Client()}},
			"C11 an empty list inside":   {kind: require_, rules: []verifier.Rule{verifier.Client()}},
			"C11 an empty string inside": {kind: require_, rules: []verifier.Rule{verifier.Scope("a", "")}},
			"an issuer that is unknown":  {protect, v, []verifier.Rule{verifier.Issuer("https://x")}},
		} {
			t.Run(f.name+"/"+name, func(t *testing.T) {
				assert.Panics(t, func() { f.build([]route{{path: "/", layers: []layer{l}, handle: whoami}}) })
			})
		}
	}
}

// R10: a configuration error that only shows with a request is logged, in each framework,
// with what to change; and not once per request.
func TestR10ConfigurationErrorsAreLogged(t *testing.T) {
	for name, tt := range map[string]struct {
		rule verifier.Rule
		want string
	}{
		"an audience that nobody configured": {verifier.Audience("https://nobody.example.com"), "no Config.Audiences lists it"},
		"an issuer that is not trusted":      {verifier.Issuer("https://nobody.example.com"), "not a trusted issuer"},
	} {
		for _, f := range frameworks {
			t.Run(f.name+"/"+name, func(t *testing.T) {
				v, iss := realmVerifier(t)
				log := captureLog(t)
				app := f.build([]route{{path: "/", layers: []layer{{kind: protect, v: v}, {kind: require_, rules: []verifier.Rule{tt.rule}}}, handle: whoami}})
				for range 3 {
					assert.Equal(t, configurationError, seen(send(app, "", "/", iss.Token(nil), nil)))
				}
				assert.Contains(t, log.String(), "level=ERROR")
				assert.Contains(t, log.String(), "https://nobody.example.com")
				assert.Contains(t, log.String(), tt.want)
				assert.Equal(t, 1, strings.Count(log.String(), "\n"))
			})
		}
	}
}
