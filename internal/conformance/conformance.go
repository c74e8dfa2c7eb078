// Package conformance has the tests that every adapter must pass: one table of
// requests, bad input and hooks, which all frameworks answer alike. It is for
// tests only. It is no _test.go file, so that adapters that are modules of their
// own run the same rows.
package conformance

import (
	"net/http"
	"testing"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A Framework builds routes into one http.Handler, by means of its adapter.
type Framework struct {
	Build func([]Route) http.Handler
	Hooks bool // the adapter has OnError; Echo's error handler is the application's

	// Metadata adds the metadata of a Verifier to what Build returned. Nil means
	// that the adapter has no HandleMetadata.
	Metadata func(http.Handler, *verifier.Verifier)

	// Recovers is whether the adapter itself recovers from a Guard's panic: nothing
	// around it would.
	Recovers bool

	// Route returns what an observer sees of a request: method and route, which are
	// the method and the path if Route is nil.
	Route func(method, path string) string
}

// A Route is a path for any method, behind layers of middleware, the outermost
// first, in words that each framework can build it from.
type Route struct {
	Path   string
	Layers []Layer // at least one, which is the group's where there are groups
	Hook   Hook
	Handle Handler
}

// A Layer is one middleware.
type Layer struct {
	Kind     Kind
	Verifier *verifier.Verifier // of Protect and Optional
	Rules    []verifier.Rule
}

// Kind is which middleware a Layer is.
type Kind int

// The words that each adapter has.
const (
	Protect Kind = iota
	Optional
	Require
)

// A Hook writes the answer instead of the default.
type Hook func(http.ResponseWriter, *http.Request, *verifier.Error)

// A Handler answers with what it learns through token, or refuses with the
// error it returns. What runs it first sets the header field Ran to "yes".
type Handler func(r *http.Request, token *verifier.Token, ok bool) (body string, refuse error)

// Ran is the header field that marks an answer which the handler gave.
const Ran = "Handler-Ran"

// Middleware returns the route's layers, made of an adapter's Protect, Optional
// and Require.
func Middleware[M any](rt Route, protect, optional func(*verifier.Verifier, ...verifier.Rule) M, require func(...verifier.Rule) M) (layers []M) {
	for _, l := range rt.Layers {
		switch l.Kind {
		case Protect:
			layers = append(layers, protect(l.Verifier, l.Rules...))
		case Optional:
			layers = append(layers, optional(l.Verifier, l.Rules...))
		case Require:
			layers = append(layers, require(l.Rules...))
		}
	}
	return layers
}

// Run runs all tests against f, each as a subtest of t.
func Run(t *testing.T, f Framework) {
	build := f.Build
	f.Build = func(routes []Route) http.Handler { return recovering(build(routes)) }
	if f.Metadata != nil {
		t.Run("Metadata", func(t *testing.T) { metadata(t, build, f.Metadata) })
	}
	for _, test := range []struct {
		name  string
		run   func(*testing.T, Framework)
		hooks bool // it is for adapters with OnError
	}{
		{"Answers", answers, false},
		{"BadInput", badInput, false},
		{"Proofs", proofs, false},
		{"OnTheWire", onTheWire, false},
		{"Observe", observe, false},
		{"R5 ChallengesAreAdded", challengesAreAdded, false},
		{"B1 AdmissionHeaders", admissionHeaders, false},
		{"ConfigurationErrorsPanic", configurationErrorsPanic, false},
		{"R10 ConfigurationErrorsAreLogged", configurationErrorsAreLogged, false},
		{"R6 Hooks", hooks, true},
		{"R10 HookMistakesAreLogged", hookMistakesAreLogged, true},
		{"R6 HookWriters", hookWriters, true},
		{"R6 HooksMayAbort", hooksMayAbort, true},
		{"R6 HooksOfRefuse", hooksOfRefuse, true},
	} {
		if f.Hooks || !test.hooks {
			t.Run(test.name, func(t *testing.T) { test.run(t, f) })
		}
	}
}

// recovering answers 500 where h panics: every framework here is without its own
// recovery.
func recovering(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		h.ServeHTTP(w, r)
	})
}
