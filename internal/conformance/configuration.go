package conformance

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
func challengesAreAdded(t *testing.T, f Framework) {
	iss := verifiertest.NewIssuer(t)
	v := iss.Verifier(OrdersAPI)
	app := f.Build([]Route{{Path: "/", Layers: []Layer{{Protect, v, nil}}, Handle: whoami}})
	w := httptest.NewRecorder()
	w.Header().Add("WWW-Authenticate", `Negotiate`)
	app.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	assert.Equal(t, []string{`Negotiate`, `Bearer realm="api"`}, w.Header()["Www-Authenticate"])
}

// A configuration error that shows when routes are made panics, before the first request.
func configurationErrorsPanic(t *testing.T, f Framework) {
	v := verifiertest.NewIssuer(t).Verifier(OrdersAPI)
	unknown := verifier.Audience("https://nobody.example.com")
	for name, l := range map[string]Layer{
		"nil verifier":               {Kind: Protect},
		"nil verifier in optional":   {Kind: Optional},
		"C11 an unknown audience":    {Protect, v, []verifier.Rule{unknown}},
		"an unknown one, optional":   {Optional, v, []verifier.Rule{unknown}},
		"a nil rule":                 {Protect, v, []verifier.Rule{nil}},
		"a nil rule inside":          {Kind: Require, Rules: []verifier.Rule{nil}},
		"C11 an empty list":          {Protect, v, []verifier.Rule{verifier.Client()}},
		"C11 an empty list inside":   {Kind: Require, Rules: []verifier.Rule{verifier.Client()}},
		"C11 an empty string inside": {Kind: Require, Rules: []verifier.Rule{verifier.Scope("a", "")}},
		"an issuer that is unknown":  {Protect, v, []verifier.Rule{verifier.Issuer("https://x")}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Panics(t, func() { f.Build([]Route{{Path: "/", Layers: []Layer{l}, Handle: whoami}}) })
		})
	}
}

// R10: a configuration error that only shows with a request is logged with what to
// change, and not once per request.
func configurationErrorsAreLogged(t *testing.T, f Framework) {
	for name, tt := range map[string]struct {
		rule verifier.Rule
		want string
	}{
		"an audience that nobody configured": {verifier.Audience("https://nobody.example.com"), "no Config.Audiences lists it"},
		"an issuer that is not trusted":      {verifier.Issuer("https://nobody.example.com"), "not a trusted issuer"},
	} {
		t.Run(name, func(t *testing.T) {
			v, iss := realmVerifier(t)
			log := captureLog(t)
			app := f.Build([]Route{{Path: "/", Layers: []Layer{{Kind: Protect, Verifier: v}, {Kind: Require, Rules: []verifier.Rule{tt.rule}}}, Handle: whoami}})
			for range 3 {
				assert.Equal(t, configurationError, seen(Send(app, "", "/", iss.Token(nil), nil)))
			}
			assert.Contains(t, log.String(), "level=ERROR")
			assert.Contains(t, log.String(), "https://nobody.example.com")
			assert.Contains(t, log.String(), tt.want)
			assert.Equal(t, 1, strings.Count(log.String(), "\n"))
		})
	}
}
