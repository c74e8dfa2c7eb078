package verifier_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// ServeHTTP is what every adapter answers with by default.
func TestServeHTTP(t *testing.T) {
	v, _ := setup(t, func(cfg *set) { cfg.Realm = "orders" })
	_, denied := v.Verify(ctx, signerOf("ES256").good(), verifier.Scope("x"))
	for name, row := range map[string]struct {
		err    error
		status int
		body   string
		header http.Header
	}{
		"R5 403": {denied, 403, `{"error":"insufficient_scope","error_description":"The access token lacks a scope that this needs."}`, http.Header{
			"Www-Authenticate": {`Bearer realm="orders", error="insufficient_scope", error_description="The access token lacks a scope that this needs.", scope="x"`},
		}},
		"R4 503": {&verifier.Error{Reason: verifier.ErrUnavailable}, 503, `{"error":"temporarily_unavailable","error_description":"The access token cannot be checked at the moment."}`, http.Header{
			"Retry-After": {"5"},
		}},
		"R10 500": {&verifier.Error{}, 500, `{"error":"server_error","error_description":"The API is not set up correctly."}`, http.Header{}},
		"R2 headers of its own": {&verifier.Error{Reason: verifier.ErrRevoked, Header: http.Header{"x-why": {"a", "b", "a"}, "Www-Authenticate": {"Other"}}}, 401,
			`{"error":"invalid_token","error_description":"The access token has been revoked."}`, http.Header{
				"X-Why":            {"a", "b"},
				"Www-Authenticate": {`Bearer realm="api", error="invalid_token", error_description="The access token has been revoked."`, "Other"},
			}},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			t.Run(name+" "+method, func(t *testing.T) {
				var e *verifier.Error
				require.True(t, errors.As(row.err, &e))
				w := httptest.NewRecorder()
				w.Header().Set("Content-Length", "7")
				w.Header().Set("Content-Encoding", "gzip")
				e.SetHeaders(w.Header()) // a second time changes nothing
				e.ServeHTTP(w, httptest.NewRequest(method, "/", nil))
				assert.Equal(t, row.status, w.Code)
				want := map[string]string{http.MethodGet: row.body + "\n"}[method]
				assert.Equal(t, want, w.Body.String())
				row.header.Set("Cache-Control", "no-store")
				row.header.Set("Content-Type", "application/json")
				assert.Equal(t, row.header, w.Result().Header)
			})
		}
	}
	t.Run("R5 challenges of others stay", func(t *testing.T) {
		h := http.Header{"Www-Authenticate": {`Basic realm="x"`}}
		(&verifier.Error{Reason: verifier.ErrNoToken}).SetHeaders(h)
		assert.Equal(t, []string{`Basic realm="x"`, `Bearer realm="api"`}, h["Www-Authenticate"])
	})
}

func TestPlaces(t *testing.T) {
	s := signerOf("ES256")
	v, _ := setup(t, func(cfg *set) {
		cfg.Claims = verifier.Claims{
			ClientID: []string{"/act/client", "cid"},
			Scopes:   []string{"/auth/scopes", "permissions"},
			Roles:    []string{"/realm_access/roles", "/resource_access/orders~1api/roles", "groups"},
		}
	})
	for _, row := range []struct {
		name          string
		claims        members
		client        string
		scopes, roles []string
	}{
		{name: "C8 nowhere"},
		{name: "C8 the first place of the client id", claims: members{"act": `{"client":"a"}`, "cid": `"b"`}, client: "a"},
		{name: "C8 the second", claims: members{"act": `{"client":""}`, "cid": `"b"`}, client: "b"},
		{name: "C8 a place in what is no object", claims: members{"act": `["client","a"]`, "cid": `"b"`}, client: "b"},
		{name: "C8 scopes of both places", claims: members{"auth": `{"x":[{"scopes":1}],"scopes":"a b"}`, "permissions": `["b","c"]`}, scopes: []string{"a", "b", "c"}},
		{name: "C8 roles of all places", claims: members{
			"realm_access": `{ "roles" : [ "x" , "y" ] }`, "resource_access": `{"orders":{"roles":["no"]},"orders/api":{"n":{},"roles":["y","z"]}}`, "groups": `"w"`,
		}, roles: []string{"x", "y", "z", "w"}},
		{name: "C8 what is neither a string nor an object with a value is not a role", claims: members{"realm_access": `{"roles":{"x":1}}`, "groups": `[1,["no"],null,{"value":7},{"display":"no"},""]`}},
		{name: "C8 roles as SCIM has them", claims: members{"groups": `[ {"value":"x","$ref":"r"} , "y" ,{"display":"Z","value":"z"}]`}, roles: []string{"x", "y", "z"}},
		{name: "C8 a name with escapes", claims: members{"realm_access": `{"\u0072oles":["\u0078"]}`}, roles: []string{"x"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			tok := verified(t, v, s.token(nil, row.claims))
			assert.Equal(t, row.client, tok.ClientID())
			assert.Equal(t, row.scopes, tok.Scopes())
			assert.Equal(t, row.roles, tok.Roles())
			for _, r := range row.roles {
				assert.True(t, tok.HasRole(r))
			}
			assert.False(t, tok.HasRole("a"))
			assert.False(t, tok.HasRole(""))
		})
	}
	for name, claims := range map[string]members{
		"C8 a client id of another kind": {"act": `{"client":7}`},
		"C8 scopes of another kind":      {"auth": `{"scopes":{"a":"b"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Verify(ctx, s.token(nil, claims))
			assertRefused(t, verifier.ErrClaims, err)
			assert.ErrorContains(t, err, "/")
		})
	}
	t.Run("C8 many scopes at two places take linear time", func(t *testing.T) {
		list := func(from int) string {
			return `["` + strings.Join(strings.Split(strings.Repeat("x ", from), " "), `","`) + `"]`
		}
		tok := verified(t, v, s.token(nil, members{"auth": `{"scopes":` + list(900) + `}`, "permissions": list(900)}))
		assert.Equal(t, "x", tok.Scopes()[len(tok.Scopes())-1])
	})
	t.Run("C9 Raw is the token as it was sent", func(t *testing.T) {
		raw := s.good()
		assert.Equal(t, raw, verified(t, v, raw).Raw())
	})
}
