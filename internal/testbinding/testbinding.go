// Package testbinding lets tests outside package verifier give a Verifier a binding,
// which nothing exported does yet: without one no admission has header fields for the
// response, and no test would notice an adapter that does not add them.
package testbinding

import "net/http"

// Add lets v, a *verifier.Verifier that has not seen a request, admit tokens with a
// member of cnf if confirm returns no error. What it returns is added to the response.
// Package verifier sets Add.
var Add func(v any, member string, confirm func(*http.Request) (http.Header, error))
