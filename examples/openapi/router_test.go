package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func newVerifier(t *testing.T) (*verifier.Verifier, *verifiertest.Issuer) {
	iss := verifiertest.NewIssuer(t)
	v, err := verifier.Settings{Logger: slog.New(slog.DiscardHandler)}.New(iss.Config("https://api.example.com"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	return v, iss
}

func send(h http.Handler, method, path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// The generated server of openapi.yaml.
func TestAPI(t *testing.T) {
	v, iss := newVerifier(t)
	api, err := routes(v)
	require.NoError(t, err)
	scopes := func(scope string) string { return iss.Token(verifiertest.Claims{"scope": scope, "client_id": "shop"}) }
	for _, row := range []struct {
		name, method, path, token string
		status                    int
		body, challenge           string
	}{
		{"a public one", "GET", "/version", "", 200, "1", ""},
		{"a public one with rubbish", "GET", "/version", "rubbish", 200, "1", ""},
		{"the document's own, no token", "GET", "/caller", "", 401, "", `Bearer realm="api"`},
		{"the document's own", "GET", "/caller", scopes("x"), 200, "shop", ""},
		{"R2 a scope", "GET", "/orders/17", scopes("orders:read"), 200, `{"id":17}`, ""},
		{"R2 not the scope", "GET", "/orders/17", scopes("support"), 403, "", `scope="orders:read"`},
		{"HEAD is GET", "HEAD", "/orders/17", scopes("support"), 403, "", `scope="orders:read"`},
		{"one of two, the first", "GET", "/orders", scopes("orders:read"), 200, "orders", ""},
		{"one of two, the second", "GET", "/orders", scopes("support"), 200, "orders", ""},
		{"R2 none of two", "GET", "/orders", scopes("orders:write"), 403, "", `scope="support"`},
		{"R1 none of two, no token", "GET", "/orders", "", 401, "", `Bearer realm="api", scope="support"`},
		{"all of two", "POST", "/orders", scopes("orders:write orders:read"), 201, "", ""},
		{"R2 one of all of two", "POST", "/orders", scopes("orders:write"), 403, "", `scope="orders:read orders:write"`},
		{"R1 a bad parameter of a stranger", "GET", "/orders/x", "", 401, "", `scope="orders:read"`},
		{"a bad parameter", "GET", "/orders/x", scopes("orders:read"), 400, "", ""},
		{"an encoded slash is no other operation", "GET", "/orders/1%2F2", scopes("support"), 403, "", `scope="orders:read"`},
		{"no such method", "DELETE", "/orders/17", scopes("orders:read"), 405, "", ""},
		{"no such path", "GET", "/nothing", scopes("orders:read"), 404, "", ""},
		{"a slash more", "GET", "/version/", "", 404, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := send(api, row.method, row.path, row.token)
			assert.Equal(t, row.status, w.Code)
			assert.Contains(t, w.Body.String(), row.body)
			assert.Contains(t, w.Header().Get("WWW-Authenticate"), row.challenge)
		})
	}
}

// A document of one operation, GET /x, with the security of the document and its own.
func oneOperation(t *testing.T, version, all, own string) *openapi3.T {
	t.Helper()
	field := func(value string) string {
		if value == "" {
			return ""
		}
		return fmt.Sprintf(`"security": %s,`, value)
	}
	doc, err := openapi3.NewLoader().LoadFromData(fmt.Appendf(nil, `{
		"openapi": %q, "info": {"title": "x", "version": "1"}, %s
		"components": {"securitySchemes": {
			"login": {"type": "oauth2", "flows": {
				"clientCredentials": {"tokenUrl": "https://login.example.com/token", "scopes": {"a": ""}},
				"authorizationCode": {"authorizationUrl": "https://login.example.com/", "tokenUrl": "https://login.example.com/token", "scopes": {"b": ""}}
			}},
			"oidc": {"type": "openIdConnect", "openIdConnectUrl": "https://login.example.com/.well-known/openid-configuration"},
			"bearer": {"type": "http", "scheme": "Bearer"},
			"basic": {"type": "http", "scheme": "basic"},
			"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}
		}},
		"paths": {"/x": {"get": {"operationId": "getX", %s "responses": {"200": {"description": "x"}}}}}
	}`, version, field(all), field(own)))
	require.NoError(t, err)
	return doc
}

func TestSecurity(t *testing.T) {
	v, iss := newVerifier(t)
	for _, row := range []struct {
		name, all, own string
		public         bool
		admits         string // the scopes of tokens that are admitted, separated by a comma
		refuses        string
		fails          string // or why there is no router
	}{
		{name: "none at all", fails: "no security"},
		{name: "none at all, public", public: true, admits: "-"},
		{name: "an empty list", own: `[]`, fails: "no security"},
		{name: "an empty list over the document's", all: `[{"login": ["a"]}]`, own: `[]`, fails: "no security"},
		{name: "an empty list over the document's, public", all: `[{"login": ["a"]}]`, own: `[]`, public: true, admits: "-"},
		{name: "an empty list for the document", all: `[]`, fails: "no security"},
		{name: "an empty requirement", own: `[{}]`, fails: "no security"},
		{name: "an empty requirement, public", own: `[{}]`, public: true, admits: "-"},
		{name: "an empty requirement at last", own: `[{"login": ["a"]}, {}]`, fails: "admits everybody"},
		{name: "an empty requirement at first", own: `[{}, {"login": ["a"]}]`, fails: "admits everybody"},
		{name: "an empty requirement at first, public", own: `[{}, {"login": ["a"]}]`, public: true, fails: "admits everybody"},
		{name: "public with security", own: `[{"login": ["a"]}]`, public: true, fails: "has security"},
		{name: "public with the document's", all: `[{"login": []}]`, public: true, fails: "has security"},

		{name: "the document's", all: `[{"login": ["a"]}]`, admits: "a,a b", refuses: "-,b"},
		{name: "its own over the document's", all: `[{"login": ["a"]}]`, own: `[{"login": ["b"]}]`, admits: "b", refuses: "-,a"},
		{name: "any token", own: `[{"login": []}]`, admits: "z", refuses: "-"},
		{name: "any bearer token", own: `[{"bearer": []}]`, admits: "z", refuses: "-"},
		{name: "OpenID Connect", own: `[{"oidc": ["z"]}]`, admits: "z", refuses: "-,a"},
		{name: "all scopes of a list", own: `[{"login": ["a", "b"]}]`, admits: "a b", refuses: "a,b"},
		{name: "all schemes of a requirement", own: `[{"login": ["a"], "oidc": ["z"], "bearer": []}]`, admits: "a z", refuses: "a,z,b"},
		{name: "one of the requirements", own: `[{"login": ["a", "b"]}, {"oidc": ["z"]}]`, admits: "a b,z", refuses: "-,a,b"},

		{name: "a scheme that is not there", own: `[{"nothing": []}]`, fails: `no security scheme "nothing"`},
		{name: "the same beside a good one", own: `[{"login": ["a"]}, {"nothing": []}]`, fails: `no security scheme "nothing"`},
		{name: "the same with a good one", own: `[{"login": ["a"], "nothing": []}]`, fails: `no security scheme "nothing"`},
		{name: "another scheme", own: `[{"key": []}]`, fails: `"key"`},
		{name: "another scheme beside a good one", own: `[{"login": ["a"]}, {"key": []}]`, fails: `"key"`},
		{name: "HTTP Basic", own: `[{"basic": []}]`, fails: `"basic"`},
		{name: "a scope that is not declared", own: `[{"login": ["aa"]}]`, fails: `"aa"`},
		{name: "scopes that were forgotten", own: `[{"login": null}]`, fails: `"login" has no list of scopes`},
		{name: "the same for the document", all: `[{"login": null}]`, fails: `"login" has no list of scopes`},
		{name: "scopes of plain bearer tokens", own: `[{"bearer": ["a"]}]`, fails: `"bearer"`},
	} {
		for _, version := range []string{"3.0.3", "3.1.1"} {
			t.Run(row.name+" in "+version, func(t *testing.T) {
				var public []string
				if row.public {
					public = append(public, "getX")
				}
				r, err := newRouter(oneOperation(t, version, row.all, row.own), v, public...)
				if row.fails != "" {
					assert.ErrorContains(t, err, row.fails)
					assert.ErrorContains(t, err, "GET /x")
					return
				}
				require.NoError(t, err)
				r.HandleFunc("GET /x", func(http.ResponseWriter, *http.Request) {})
				status := func(scope string) int {
					if scope == "-" {
						return send(r, "GET", "/x", "").Code
					}
					return send(r, "GET", "/x", iss.Token(verifiertest.Claims{"scope": scope})).Code
				}
				for scope := range strings.SplitSeq(row.admits, ",") {
					assert.Equal(t, 200, status(scope), scope)
				}
				for scope := range strings.SplitSeq(row.refuses, ",") {
					if scope != "" {
						assert.Contains(t, []int{401, 403}, status(scope), scope)
					}
				}
			})
		}
	}
}

func TestPublicNamesMustBeReal(t *testing.T) {
	v, _ := newVerifier(t)
	_, err := newRouter(oneOperation(t, "3.0.3", `[{"login": ["a"]}]`, ""), v, "getY", "")
	assert.ErrorContains(t, err, `"getY"`)
	assert.ErrorContains(t, err, `""`)
}

func TestAnOperationWithoutIDIsNotPublic(t *testing.T) {
	v, _ := newVerifier(t)
	doc, err := openapi3.NewLoader().LoadFromData([]byte(`{
		"openapi": "3.0.3", "info": {"title": "x", "version": "1"}, "paths": {"/x": {"get": {"responses": {}}}}
	}`))
	require.NoError(t, err)
	_, err = newRouter(doc, v, "")
	assert.ErrorContains(t, err, "GET /x: no security")
	assert.ErrorContains(t, err, `no operation ""`)
}

// Nothing is served that the document does not have.
func TestPatterns(t *testing.T) {
	v, _ := newVerifier(t)
	doc, err := openapi3.NewLoader().LoadFromData([]byte(`{
		"openapi": "3.0.3", "info": {"title": "x", "version": "1"},
		"security": [{"b": []}], "components": {"securitySchemes": {"b": {"type": "http", "scheme": "bearer"}}},
		"paths": {
			"/": {"get": {"responses": {}}}, "/a/": {"get": {"responses": {}}},
			"/a/{a-id}/b/{b.id}": {"get": {"responses": {}}, "put": {"responses": {}}}
		}
	}`))
	require.NoError(t, err)
	for pattern, there := range map[string]bool{
		"GET /{$}": true, "GET /a/{$}": true, "GET /a/{x}/b/{y}": true, "PUT /a/{x}/b/{y}": true,
		"GET /": false, "/": false, "GET /a": false, "GET /a/": false, "POST /a/{x}/b/{y}": false, "/a/{x}/b/{y}": false,
		"GET /a/{x}/b/{rest...}": false, "GET /a/{x}/b/y": false, "GET /a/{x}": false, "GET example.com/{$}": false,
	} {
		t.Run(pattern, func(t *testing.T) {
			r, err := newRouter(doc, v)
			require.NoError(t, err)
			add := func() { r.Handle(pattern, http.NotFoundHandler()) }
			if !there {
				assert.PanicsWithValue(t, "the document has no operation "+pattern, add)
				return
			}
			add()
			path := strings.NewReplacer("{$}", "", "{x}", "1", "{y}", "2").Replace(pattern)
			method, path, _ := strings.Cut(path, " ")
			assert.Equal(t, 401, send(r, method, path, "").Code)
		})
	}
}
