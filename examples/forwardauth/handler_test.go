package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

const audience = "https://api.example.com"

// A world has the handler and who may call the API behind the gateway.
type world struct {
	handler       http.Handler
	reader, admin string
	issuer        *verifiertest.Issuer
	log           bytes.Buffer
}

func newWorld(t *testing.T) *world {
	w := &world{issuer: verifiertest.NewIssuer(t)}
	v, err := verifier.Settings{Logger: slog.New(slog.NewTextHandler(&w.log, nil))}.New(w.issuer.Config(audience))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	w.handler = newHandler(v, rules)
	w.reader = w.issuer.Token(verifiertest.Claims{"scope": "orders:read x", "sub": "auth0|17", "client_id": "shop"})
	w.admin = w.issuer.Token(verifiertest.Claims{"scope": "orders:read orders:write admin", "sub": "ops", "client_id": "ops"})
	return w
}

// gateways send the question whether a request may pass, each as its documentation or
// source says.
var gateways = map[string]func(method, uri, token string) *http.Request{
	// Traefik 3.7, pkg/middlewares/auth/forward.go: a GET to the configured address, with
	// the client's fields except X-Forwarded-* ones, which are Traefik's.
	"Traefik": func(method, uri, token string) *http.Request {
		r := question("GET", "/forward", token)
		r.Header.Set("X-Forwarded-Method", method)
		r.Header.Set("X-Forwarded-Proto", "https")
		r.Header.Set("X-Forwarded-Port", "443")
		r.Header.Set("X-Forwarded-Host", "api.example.com")
		r.Header.Set("X-Forwarded-Uri", uri)
		r.Header.Set("X-Forwarded-For", "192.0.2.1")
		return r
	},
	// nginx.conf; the end-to-end tests ask nginx itself.
	"nginx": func(method, uri, token string) *http.Request {
		r := question("GET", "/forward", token)
		r.Header.Set("X-Forwarded-Method", method)
		r.Header.Set("X-Forwarded-Uri", uri)
		r.Header.Set("Connection", "close")
		return r
	},
	// Envoy 1.40, ext_authz.proto: the client's method, its path behind path_prefix, Host
	// and Authorization, and Content-Length: 0.
	"Envoy": func(method, uri, token string) *http.Request {
		r := question(method, "/envoy"+uri, token)
		r.Host = "api.example.com"
		r.Header.Set("Content-Length", "0")
		return r
	},
}

// question makes a request with any target, as it can arrive over a connection.
func question(method, target, token string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Method, r.RequestURI = method, target
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

func ask(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestGateways(t *testing.T) {
	w := newWorld(t)
	bare := w.issuer.Token(verifiertest.Claims{"scope": "orders:read", "sub": nil, "client_id": nil})
	for name, gateway := range gateways {
		for _, row := range []struct {
			name, method, uri, token string
			status                   int
			challenge                string
		}{
			{"R1 no token", "GET", "/orders", "", 401, `Bearer realm="api", scope="orders:read"`},
			{"R1 no token, no such route", "GET", "/nothing", "", 401, `Bearer realm="api"`},
			{"a scope that is there", "GET", "/orders", w.reader, 200, ""},
			{"with a query", "GET", "/orders/17?x=/../admin/keys", w.reader, 200, ""},
			{"HEAD", "HEAD", "/orders/17", w.reader, 200, ""},
			{"an id that is encoded", "GET", "/orders/j%C3%BCrgen%40example.com", w.reader, 200, ""},
			{"R2 a scope that is not", "POST", "/orders", w.reader, 403, `scope="orders:write"`},
			{"R2 a rule", "GET", "/admin/keys", w.reader, 403, `scope="admin"`},
			{"not expired, but of nobody", "GET", "/orders", bare, 200, ""},
			{"a token that is none", "GET", "/orders", "rubbish", 401, `error="invalid_token"`},
			{"no such route", "GET", "/nothing", w.admin, 403, `error="insufficient_scope"`},
			{"no such method", "PUT", "/orders", w.admin, 403, `error="insufficient_scope"`},
			{"a method in another case", "get", "/orders", w.admin, 403, `error="insufficient_scope"`},
			{"a slash more", "GET", "/orders/", w.admin, 403, `error="insufficient_scope"`},
			{"another case", "GET", "/Orders", w.admin, 403, `error="insufficient_scope"`},
		} {
			t.Run(row.name+" by "+name, func(t *testing.T) {
				got := ask(w.handler, gateway(row.method, row.uri, row.token))
				assert.Equal(t, row.status, got.Code)
				assert.Contains(t, got.Header().Get("WWW-Authenticate"), row.challenge)
				assert.Equal(t, "no-store", got.Header().Get("Cache-Control"))
				_, known := got.Header()["X-Auth-Subject"]
				assert.Equal(t, row.status == 200, known)
			})
		}
		t.Run("the caller by "+name, func(t *testing.T) {
			r := gateway("GET", "/orders", w.reader)
			for _, field := range []string{"X-Auth-Issuer", "X-Auth-Client-Id", "X-Auth-Subject", "X-Auth-Scopes"} {
				r.Header.Set(field, "stranger")
			}
			h := ask(w.handler, r).Header()
			assert.Equal(t, []string{w.issuer.URL()}, h["X-Auth-Issuer"])
			assert.Equal(t, []string{"shop"}, h["X-Auth-Client-Id"])
			assert.Equal(t, []string{"auth0|17"}, h["X-Auth-Subject"])
			assert.Equal(t, []string{"orders:read x"}, h["X-Auth-Scopes"])

			h = ask(w.handler, gateway("GET", "/orders", bare)).Header()
			assert.Equal(t, []string{""}, h["X-Auth-Client-Id"], "there, so that Envoy overwrites a stranger's")
			assert.Equal(t, []string{""}, h["X-Auth-Subject"])
		})
	}
}

// The keys are missing: neither yes nor no.
func TestUnavailable(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	token := iss.Token(verifiertest.Claims{"scope": "orders:read"})
	iss.Fail(500)
	v, err := verifier.Settings{Logger: slog.New(slog.DiscardHandler)}.New(iss.Config(audience))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	for name, gateway := range gateways {
		t.Run("R4 no keys by "+name, func(t *testing.T) {
			got := ask(newHandler(v, rules), gateway("GET", "/orders", token))
			assert.Equal(t, 503, got.Code)
			assert.NotEmpty(t, got.Header().Get("Retry-After"))
			assert.NotContains(t, got.Header(), "X-Auth-Subject")
		})
	}
}

// dubious are targets that some server reads as /admin/keys or as another route than
// ServeMux does.
var dubious = []string{
	"", "*", "orders", "admin/keys", "http://api.example.com/orders", "//api.example.com/orders",
	"//orders", "/orders//17", "/orders/17//", "/./orders", "/orders/.", "/orders/..", "/orders/../orders", "/orders/../admin/keys",
	"/orders/%2e%2e/admin/keys", "/orders/.%2E", "/orders/%2E", "/%6frders", "/orders/%31", "/orders/a%7Eb",
	"/orders/..%2fadmin%2fkeys", "/orders/1%2F2", "/orders/1%5c2", `/orders/1\2`, `/orders\..\admin\keys`, "/orders/%252e%252e",
	"/orders/..;/admin/keys", "/orders;x=1", "/orders/1;jsessionid=2", "/orders/1%3bx", "/orders/1%3Fx", "/orders/1%23x", "/orders#x",
	"/orders/%00", "/orders/1%0d%0aX-Auth-Subject:root", "/orders/1\r\nX: y", "/orders/1%7f", "/orders/1 2", "/orders/a\tb",
	"/orders/%c0%ae%c0%ae/admin", "/orders/%ff", "/orders/é", "/orders/%", "/orders/%4", "/orders/%zz", "/orders/%u002e", `/orders/"x"`, "/orders/<x>",
}

func TestDubiousPaths(t *testing.T) {
	w := newWorld(t)
	for name, gateway := range gateways {
		for _, uri := range dubious {
			got := ask(w.handler, gateway("GET", uri, w.admin))
			assert.Equal(t, 403, got.Code, "%q by %s", uri, name)
			assert.NotContains(t, got.Header(), "X-Auth-Subject")
			assert.NotContains(t, got.Header(), "Location")
		}
	}
	assert.Contains(t, w.log.String(), "a path that programs may read differently")
}

// Questions that no gateway asks as it is configured here, and those in which a
// stranger's fields would decide.
func TestWrongQuestions(t *testing.T) {
	w := newWorld(t)
	for _, row := range []struct {
		name   string
		target string
		header http.Header
	}{
		{"nothing said", "/forward", nil},
		{"no URI", "/forward", http.Header{"X-Forwarded-Method": {"GET"}}},
		{"no method", "/forward", http.Header{"X-Forwarded-Uri": {"/orders"}}},
		{"a stranger's URI beside the gateway's", "/forward", http.Header{"X-Forwarded-Method": {"GET"}, "X-Forwarded-Uri": {"/orders", "/admin/keys"}}},
		{"a stranger's method beside the gateway's", "/forward", http.Header{"X-Forwarded-Method": {"GET", "DELETE"}, "X-Forwarded-Uri": {"/orders"}}},
		{"two URIs in one field", "/forward", http.Header{"X-Forwarded-Method": {"GET"}, "X-Forwarded-Uri": {"/nothing, /orders"}}},
		{"two methods in one field", "/forward", http.Header{"X-Forwarded-Method": {"PUT, GET"}, "X-Forwarded-Uri": {"/orders"}}},
		{"a stranger's fields with Envoy", "/envoy/nothing", http.Header{"X-Forwarded-Method": {"GET"}, "X-Forwarded-Uri": {"/orders"}}},
		{"out of Envoy's folder", "/envoy/../forward", http.Header{"X-Forwarded-Method": {"GET"}, "X-Forwarded-Uri": {"/orders"}}},
		{"elsewhere", "/", http.Header{"X-Forwarded-Method": {"GET"}, "X-Forwarded-Uri": {"/orders"}}},
		{"elsewhere in disguise", "/forward?", http.Header{"X-Forwarded-Method": {"GET"}, "X-Forwarded-Uri": {"/orders"}}},
		{"beside Envoy's folder", "/envoyorders", nil},
		{"Envoy's folder alone", "/envoy", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := question("GET", row.target, w.admin)
			for k, v := range row.header {
				r.Header[k] = v
			}
			assert.Equal(t, 403, ask(w.handler, r).Code)
			r.Header.Del("Authorization")
			assert.Equal(t, 401, ask(w.handler, r).Code)
		})
	}
	assert.Contains(t, w.log.String(), "the gateway must ask")
}

// An observer hears of the request that a gateway asks about, not of the question.
func TestObserver(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	var seen []string
	v, err := verifier.Settings{
		Logger: slog.New(slog.DiscardHandler),
		Observe: func(_ context.Context, d verifier.Decision) {
			seen = append(seen, fmt.Sprint(d.Outcome, " ", d.Method, " ", d.Route))
		},
	}.New(iss.Config(audience))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	h := newHandler(v, rules)
	token := iss.Token(verifiertest.Claims{"scope": "orders:read"})
	for _, gateway := range gateways {
		seen = nil
		ask(h, gateway("GET", "/orders/17", token))
		ask(h, gateway("DELETE", "/orders/17", token))
		assert.Equal(t, []string{"admitted GET GET /orders/{id}", "refused DELETE DELETE /orders/{id}"}, seen)
	}
}

// Each gateway is told of each of the caller's fields: it would pass on a stranger's in
// one that it does not know.
func TestConfigurationsNameEachField(t *testing.T) {
	w := newWorld(t)
	header := ask(w.handler, gateways["nginx"]("GET", "/orders", w.reader)).Header()
	for _, file := range []string{"nginx.conf", "traefik.yaml", "envoy.yaml"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for field := range header {
			if strings.HasPrefix(field, "X-Auth-") {
				assert.Contains(t, strings.ToLower(string(text)), strings.ToLower(field), file)
			}
		}
	}
}

// The API must not find another method or path than the one that was asked about, where
// it believes such fields (X-Original-URL: IIS, Laminas, CVE-2018-14773 of Symfony).
func TestConfigurationsRemoveWhatOverrides(t *testing.T) {
	for file, removed := range map[string]string{
		"nginx.conf":   `proxy_set_header %s "";`,
		"traefik.yaml": `%s: ""`,
		"envoy.yaml":   "- remove: %s\n",
	} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, field := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL"} {
			assert.Contains(t, strings.ToLower(string(text)), strings.ToLower(fmt.Sprintf(removed, field)), file)
		}
	}
}

// What an issuer signs is not always a header field.
func TestUnprintableCallers(t *testing.T) {
	w := newWorld(t)
	for name, claims := range map[string]verifiertest.Claims{
		"a line break":        {"sub": "alice\r\nX-Auth-Scopes: admin"},
		"a line feed":         {"sub": "alice\nroot"},
		"a NUL":               {"sub": "root\x00"},
		"a space at the end":  {"sub": "alice "},
		"a tab":               {"client_id": "a\tb"},
		"not ASCII":           {"sub": "jürgen"},
		"a homoglyph":         {"client_id": "ѕhop"},
		"a scope of two":      {"scope": []string{"x admin"}},
		"a scope with a tab":  {"scope": []string{"x\tadmin"}},
		"a delete":            {"sub": "a\x7f"},
		"a long subject":      {"sub": strings.Repeat("a", maxCaller)},
		"more than fits in 2": {"sub": strings.Repeat("a", maxCaller/2), "client_id": strings.Repeat("a", maxCaller/2)},
	} {
		t.Run(name, func(t *testing.T) {
			all := verifiertest.Claims{"scope": []string{"orders:read"}}
			for k, v := range claims {
				all[k] = v
			}
			if scopes, ok := claims["scope"].([]string); ok {
				all["scope"] = append(scopes, "orders:read")
			}
			got := ask(w.handler, gateways["Traefik"]("GET", "/orders", w.issuer.Token(all)))
			assert.Equal(t, 403, got.Code)
			assert.NotContains(t, got.Header(), "X-Auth-Subject")
		})
	}
}
