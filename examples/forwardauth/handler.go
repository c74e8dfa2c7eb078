package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A handler decides about the request that a gateway describes:
//
//   - /forward, for nginx and Traefik: by the fields X-Forwarded-Method and
//     X-Forwarded-Uri, which the gateway overwrites.
//   - /envoy/..., for Envoy: by its own method and by its path behind /envoy. Those
//     fields mean nothing there, because Envoy does not set them.
type handler struct {
	routes *http.ServeMux // only for its Handler method: it serves nothing
	refuse http.Handler
}

// A route is what routes has for a pattern, as opposed to ServeMux's own redirects and
// errors.
type route struct{ http.Handler }

func newHandler(v *verifier.Verifier, rules map[string][]verifier.Rule) http.Handler {
	h := &handler{
		routes: http.NewServeMux(),
		// Strangers get 401, so that they cannot find out which routes exist.
		refuse: httpauth.Protect(v, verifier.Check(func(ctx context.Context, _ *verifier.Token) error {
			return ctx.Value(reason{}).(error)
		}))(http.NotFoundHandler()),
	}
	for pattern, demanded := range rules {
		all := append([]verifier.Rule{verifier.Check(fitsHeader)}, demanded...)
		h.routes.Handle(pattern, route{httpauth.Protect(v, all...)(http.HandlerFunc(admit))})
	}
	return h
}

// reason is the context key of why there is no route.
type reason struct{}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asked, err := described(r)
	if err == nil {
		found, pattern := h.routes.Handler(asked)
		if found, ok := found.(route); ok {
			asked.Pattern = pattern // for observers
			found.ServeHTTP(w, asked)
			return
		}
		err = fmt.Errorf("no rule for %.20q %.200q", asked.Method, asked.URL.Path)
	}
	h.refuse.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), reason{}, err)))
}

// described returns the request that a gateway asks about, with the header of r.
func described(r *http.Request) (*http.Request, error) {
	method := r.Method
	uri, envoy := strings.CutPrefix(r.RequestURI, "/envoy")
	if !envoy {
		methods, uris := r.Header["X-Forwarded-Method"], r.Header["X-Forwarded-Uri"]
		if r.RequestURI != "/forward" || len(methods) != 1 || len(uris) != 1 {
			return nil, errors.New("the gateway must ask at /forward, with one X-Forwarded-Method and one X-Forwarded-Uri, or below /envoy")
		}
		method, uri = methods[0], uris[0]
	}
	u, err := parseURI(uri)
	if err != nil {
		return nil, fmt.Errorf("%w: %.200q", err, uri)
	}
	asked := r.WithContext(r.Context()) // a copy
	asked.Method, asked.URL, asked.RequestURI = method, u, uri
	return asked, nil
}
