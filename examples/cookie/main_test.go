package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func newAPI(t *testing.T) (http.Handler, *verifiertest.Issuer) {
	iss := verifiertest.NewIssuer(t)
	v, err := verifier.Settings{TokenFrom: tokenFromCookie, Logger: slog.New(slog.DiscardHandler)}.New(iss.Config("https://api.example.com"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	return routes(v), iss
}

// send sends a request with pairs of header fields.
func send(h http.Handler, method, path, body string, fields ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://app.example.com"+path, strings.NewReader(body))
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestCookie(t *testing.T) {
	api, iss := newAPI(t)
	token := iss.Token(verifiertest.Claims{"scope": "orders:read orders:write"})
	cookie := cookieName + "=" + token
	for _, row := range []struct {
		name, method string
		fields       []string
		status       int
		body         string
	}{
		{"R1 no token", "GET", nil, 401, "access token is needed"},
		{"X2 the cookie", "GET", []string{"Cookie", cookie}, 200, "0"},
		{"X2 Authorization", "GET", []string{"Authorization", "Bearer " + token}, 200, "0"},
		{"X2 both", "GET", []string{"Cookie", cookie, "Authorization", "Bearer " + token}, 400, "invalid_request"},
		{"X2 two cookies", "GET", []string{"Cookie", cookie + "; " + cookie}, 400, "invalid_request"},
		{"X2 two Cookie fields", "GET", []string{"Cookie", cookie, "Cookie", cookieName + "=x"}, 400, "invalid_request"},
		{"X2 a cookie of another name", "GET", []string{"Cookie", "__host-token=" + token + "; token=" + token}, 401, "access token is needed"},
		{"an empty cookie", "GET", []string{"Cookie", cookieName + "="}, 401, "access token is needed"},
		{"a cookie that is no token", "GET", []string{"Cookie", cookieName + "=rubbish"}, 401, "invalid_token"},

		{"another site's form", "POST", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example.org"}, 403, "cross-origin"},
		{"another subdomain's form, which SameSite lets pass", "POST", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-site", "Origin", "https://blog.example.com"}, 403, "cross-origin"},
		{"another site's form in an old browser", "POST", []string{"Cookie", cookie, "Origin", "https://evil.example.org"}, 403, "cross-origin"},
		{"a sandboxed frame's form", "POST", []string{"Cookie", cookie, "Origin", "null"}, 403, "cross-origin"},
		{"another site's form without the cookie", "POST", []string{"Sec-Fetch-Site", "cross-site"}, 403, "cross-origin"},
		{"the page's own", "POST", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin", "Origin", "https://app.example.com"}, 200, "1"},
		{"the page's own in an old browser", "POST", []string{"Cookie", cookie, "Origin", "https://app.example.com"}, 200, "2"},
		{"no browser", "POST", []string{"Authorization", "Bearer " + token}, 200, "3"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := send(api, row.method, "/orders", "", row.fields...)
			assert.Equal(t, row.status, got.Code)
			assert.Contains(t, got.Body.String(), row.body)
			assert.Equal(t, "no-store", got.Header().Get("Cache-Control"))
		})
	}
}

func TestLogin(t *testing.T) {
	api, iss := newAPI(t)
	token := iss.Token(verifiertest.Claims{"scope": "orders:read"})

	t.Run("the cookie's attributes", func(t *testing.T) {
		got := send(api, "POST", "/session", token)
		require.Equal(t, 200, got.Code)
		require.Len(t, got.Result().Cookies(), 1)
		c := got.Result().Cookies()[0]
		assert.Equal(t, "__Host-token", c.Name)
		assert.Equal(t, token, c.Value)
		assert.Equal(t, "/", c.Path)
		assert.Empty(t, c.Domain)
		assert.True(t, c.Secure && c.HttpOnly && c.SameSite == http.SameSiteStrictMode)
		assert.WithinDuration(t, time.Now().Add(time.Hour), c.Expires, time.Minute)
		assert.Equal(t, 200, send(api, "GET", "/orders", "", "Cookie", c.Name+"="+c.Value).Code)
	})
	t.Run("again, with the old cookie", func(t *testing.T) {
		got := send(api, "POST", "/session", token, "Cookie", cookieName+"=old")
		assert.Equal(t, 200, got.Code)
	})
	t.Run("the end", func(t *testing.T) {
		got := send(api, "DELETE", "/session", "")
		require.Len(t, got.Result().Cookies(), 1)
		c := got.Result().Cookies()[0]
		assert.Equal(t, cookieName, c.Name)
		assert.Negative(t, c.MaxAge)
		assert.True(t, c.Secure && c.HttpOnly && c.Path == "/", "or a browser refuses it")
	})
	padded := func(n int) string {
		return iss.Token(verifiertest.Claims{"x": strings.Repeat("x", n)})
	}
	for _, row := range []struct {
		name, body string
		fields     []string
		status     int
	}{
		{"another site logs the user in as somebody else", token, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a token that is not valid", "rubbish", nil, 401},
		{"nothing", "", nil, 401},
		{"a long token", padded(2600), nil, 200},
		{"a token that browsers would drop", padded(2900), nil, 413},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := send(api, "POST", "/session", row.body, row.fields...)
			assert.Equal(t, row.status, got.Code)
			assert.Equal(t, row.status == 200, len(got.Result().Cookies()) == 1)
			for _, c := range got.Result().Cookies() {
				assert.LessOrEqual(t, len(c.Name)+len(c.Value), 4096)
			}
		})
	}
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, iss := newAPI(t)
		start := time.Now()
		cookie := cookieName + "=" + iss.Token(verifiertest.Claims{"scope": "orders:read", "exp": start.Add(10 * time.Minute).Unix()})
		got := send(api, "GET", "/events", "", "Cookie", cookie)
		assert.Equal(t, 11*time.Minute, time.Since(start), "exp and the leeway")
		assert.Equal(t, "text/event-stream", got.Header().Get("Content-Type"))
		assert.Equal(t, "data: 0 orders\n\nevent: expired\ndata: log in again\n\n", got.Body.String())
		assert.Equal(t, 401, send(api, "GET", "/events", "", "Cookie", cookie).Code)
	})
}
