package adapters

import (
	"log/slog"
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

// Wiring that could not do what it says panics before the first request.
func TestWiringPanics(t *testing.T) {
	v := verifiertest.NewIssuer(t).Verifier(ordersAPI)
	unknown := verifier.Audience("https://nobody.example.com")
	for _, f := range frameworks {
		for name, l := range map[string]layer{
			"nil verifier":              {kind: protect},
			"nil verifier in optional":  {kind: optional},
			"C11 an unknown audience":   {protect, v, []verifier.Rule{unknown}},
			"an unknown one, optional":  {optional, v, []verifier.Rule{unknown}},
			"a nil rule":                {protect, v, []verifier.Rule{nil}},
			"a nil rule inside":         {kind: require_, rules: []verifier.Rule{nil}},
			"an issuer that is unknown": {protect, v, []verifier.Rule{verifier.Issuer("https://x")}},
		} {
			t.Run(f.name+"/"+name, func(t *testing.T) {
				assert.Panics(t, func() { f.build([]route{{path: "/", layers: []layer{l}, handle: whoami}}) })
			})
		}
	}
}

// A hook's panic is for the operator to see; net/http's own way to abort still
// aborts.
func TestHookPanicsAreLogged(t *testing.T) {
	var log strings.Builder
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	v := verifiertest.NewIssuer(t).Verifier(ordersAPI)
	for _, f := range frameworks {
		if f.name == "echo" {
			continue // has no hook
		}
		t.Run(f.name, func(t *testing.T) {
			log.Reset()
			var value any = "bug-4711"
			app := f.build([]route{{path: "/", layers: []layer{{protect, v, nil}}, handle: whoami,
				hook: func(http.ResponseWriter, *http.Request, *verifier.Error) { panic(value) }}})
			assert.Equal(t, 401, send(app, "", "/", "", nil).Code)
			assert.Contains(t, log.String(), "bug-4711")
			value = http.ErrAbortHandler
			assert.Equal(t, 500, send(app, "", "/", "", nil).Code, "as recovering answers")
		})
	}
}
