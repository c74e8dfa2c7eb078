package conformance

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/internal/testbinding"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// B1: the header fields of an admission are in the response, beside those that the
// handler sets. Behind several layers they may be there more than once: gRPC's metadata
// can be added to and not read.
func admissionHeaders(t *testing.T, f Framework) {
	iss := verifiertest.NewIssuer(t)
	v := iss.Verifier(OrdersAPI)
	testbinding.Add(v, "test", func(r *http.Request) (http.Header, error) {
		if r.Header.Get("Proof") == "" {
			return nil, errors.New("no proof")
		}
		return http.Header{"Next-Nonce": {"1", "2"}}, nil
	})
	rule := []verifier.Rule{verifier.Issuer(iss.URL())}
	routes := map[string][]Layer{
		"/protect":  {{Protect, v, nil}},
		"/optional": {{Optional, v, nil}},
		"/twice":    {{Protect, v, nil}, {Protect, v, nil}},
		"/require":  {{Protect, v, nil}, {Kind: Require, Rules: rule}},
	}
	var all []Route
	for path, layers := range routes {
		all = append(all, Route{Path: path, Layers: layers, Handle: whoami})
	}
	app := f.Build(all)
	bound := iss.Token(verifiertest.Claims{"cnf": map[string]string{"test": "key"}})
	for path := range routes {
		t.Run("B1 "+path, func(t *testing.T) {
			w := Send(app, "", path, bound, http.Header{"Proof": {"yes"}})
			assert.Equal(t, http.StatusOK, w.Code)
			assert.Equal(t, "yes", w.Header().Get(Ran))
			values := w.Header()["Next-Nonce"]
			if len(routes[path]) > 1 {
				slices.Sort(values)
				values = slices.Compact(values)
			}
			assert.Equal(t, []string{"1", "2"}, values)

			w = Send(app, "", path, bound, nil)
			assert.Equal(t, http.StatusUnauthorized, w.Code)
			assert.NotContains(t, w.Header(), "Next-Nonce")

			w = Send(app, "", path, iss.Token(nil), nil)
			assert.Equal(t, http.StatusOK, w.Code)
			assert.NotContains(t, w.Header(), "Next-Nonce")
		})
	}
}
