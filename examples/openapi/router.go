package main

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A router is a ServeMux that puts in front of each handler what an OpenAPI document
// demands of its operation. It is the BaseRouter of oapi-codegen's net/http servers. So
// the pattern that chooses the handler also chooses the rules, and there is no second
// reading of the path; a token is checked before any parameter is.
type router struct {
	http.ServeMux
	guards map[string]func(http.Handler) http.Handler // by the pattern's shape
}

// newRouter fails if the document leaves open who may call an operation: if it has no
// security and is not named in public (operation ids), or security that jwtguard cannot
// check. Nor does it accept names in public that are not those of open operations.
func newRouter(doc *openapi3.T, v *verifier.Verifier, public ...string) (*router, error) {
	r := &router{guards: make(map[string]func(http.Handler) http.Handler)}
	var errs []error
	named := slices.Clone(public)
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			isPublic := op.OperationID != "" && slices.Contains(public, op.OperationID)
			if isPublic {
				named = slices.DeleteFunc(named, func(id string) bool { return id == op.OperationID })
			}
			guard, err := guardOf(doc, op, v, isPublic)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s %s: %w", method, path, err))
			}
			r.guards[method+" "+shapeOfPath(path)] = guard
		}
	}
	for _, id := range named {
		errs = append(errs, fmt.Errorf("there is no operation %q to be public", id))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return r, nil
}

// HandleFunc adds the handler of an operation. It panics if the document has none with
// this pattern.
func (r *router) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	guard, ok := r.guards[shapeOfPattern(pattern)]
	if !ok {
		panic(fmt.Sprintf("the document has no operation %s", pattern))
	}
	r.ServeMux.Handle(pattern, guard(http.HandlerFunc(handler)))
}

// Handle is HandleFunc, so that nothing gets past it.
func (r *router) Handle(pattern string, handler http.Handler) {
	r.HandleFunc(pattern, handler.ServeHTTP)
}

// guardOf returns what an operation's security demands (OpenAPI 3.1.0 §4.8.30): one of
// the requirements in the list, of each all schemes, and of each scheme all scopes. An
// operation without the field has the document's; an empty list is no security, and an
// empty requirement lets everybody in. Challenges name the scopes of the last requirement,
// so that is the one for clients which do not know which to ask for.
func guardOf(doc *openapi3.T, op *openapi3.Operation, v *verifier.Verifier, public bool) (func(http.Handler) http.Handler, error) {
	security := doc.Security
	if op.Security != nil {
		security = *op.Security
	}
	var guards []verifier.Guard
	for _, requirement := range security {
		if len(requirement) == 0 && len(security) > 1 {
			return nil, errors.New("{} beside other requirements admits everybody: drop it, or the others")
		}
		if len(requirement) == 0 {
			break
		}
		scopes, err := scopesOf(doc, requirement)
		if err != nil {
			return nil, err
		}
		var rules []verifier.Rule
		if len(scopes) > 0 {
			rules = append(rules, verifier.Scope(scopes...))
		}
		guards = append(guards, v.Protect(rules...))
	}
	switch {
	case len(guards) == 0 && public:
		return func(next http.Handler) http.Handler { return next }, nil
	case len(guards) == 0:
		return nil, errors.New("no security, and it is not named as public")
	case public:
		return nil, errors.New("named as public, but it has security")
	case len(guards) == 1:
		return httpauth.Guard(guards[0]), nil
	default:
		return httpauth.Guard(verifier.FirstOf(guards...)), nil
	}
}

// scopesOf returns the scopes of all schemes in a requirement. They must all be in the one
// token that a request has.
func scopesOf(doc *openapi3.T, requirement openapi3.SecurityRequirement) (all []string, _ error) {
	for name, scopes := range requirement {
		var scheme *openapi3.SecurityScheme
		if doc.Components != nil && doc.Components.SecuritySchemes[name] != nil {
			scheme = doc.Components.SecuritySchemes[name].Value
		}
		switch {
		case scheme == nil:
			return nil, fmt.Errorf("the document has no security scheme %q", name)
		case scopes == nil:
			return nil, fmt.Errorf("security scheme %q has no list of scopes: write [] if any token will do", name)
		case scheme.Type == "oauth2":
			for _, scope := range scopes {
				if !declares(scheme.Flows, scope) {
					return nil, fmt.Errorf("security scheme %q does not declare the scope %q", name, scope)
				}
			}
		case scheme.Type == "openIdConnect": // declares its scopes in its metadata
		case scheme.Type == "http" && strings.EqualFold(scheme.Scheme, "bearer") && len(scopes) == 0: // has no scopes
		default:
			return nil, fmt.Errorf("security scheme %q is not one of bearer tokens, or has scopes where none are defined: type %q, scheme %q", name, scheme.Type, scheme.Scheme)
		}
		all = append(all, scopes...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func declares(flows *openapi3.OAuthFlows, scope string) bool {
	if flows == nil {
		return false
	}
	for _, flow := range []*openapi3.OAuthFlow{flows.Implicit, flows.Password, flows.ClientCredentials, flows.AuthorizationCode} {
		if flow != nil {
			if _, ok := flow.Scopes[scope]; ok {
				return true
			}
		}
	}
	return false
}

var (
	pathParameter    = regexp.MustCompile(`\{[^}]*\}`)
	patternParameter = regexp.MustCompile(`\{\w+\}`) // neither {$} nor {rest...}
)

// shapeOfPath and shapeOfPattern are equal if an OpenAPI path and a pattern of ServeMux
// have parameters, of whatever names, in the same places. An OpenAPI path with a slash at
// its end is that path alone, which {$} means in a pattern.
func shapeOfPath(path string) string {
	shape := pathParameter.ReplaceAllString(path, "{}")
	if strings.HasSuffix(path, "/") {
		shape += "{$}"
	}
	return shape
}

func shapeOfPattern(pattern string) string { return patternParameter.ReplaceAllString(pattern, "{}") }
