package conformance

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// B1: the header fields of an admission are in the response, beside those that the
// handler sets. Behind several layers they may be there more than once: gRPC's metadata
// can be added to and not read.
func admissionHeaders(t *testing.T, f Framework) {
	iss := verifiertest.NewIssuer(t)
	v, err := verifier.Settings{Bindings: []verifier.Binding{{
		Member: "test",
		Confirm: func(r *http.Request, _ *verifier.Token, _ string) (c verifier.Confirmation, err error) {
			if r.Header.Get("Proof") == "" {
				return c, errors.New("no proof")
			}
			c.Header = http.Header{"Next-Nonce": {"1", "2"}}
			return c, nil
		},
	}}}.New(iss.Config(OrdersAPI))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
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
