package web

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A gateway is nginx with examples/forwardauth/nginx.conf.
type gateway struct {
	address  string
	stopAuth func()
	reached  *atomic.Pointer[http.Request] // the last request that the API behind it got
}

func startNginx(t *testing.T, issuer string) *gateway {
	t.Helper()
	g := &gateway{address: freeAddress(t), reached: new(atomic.Pointer[http.Request])}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.reached.Store(r)
		if status, err := strconv.Atoi(r.URL.Query().Get("status")); err == nil {
			http.Error(w, "the API's own", status)
		}
	}))
	t.Cleanup(api.Close)
	auth, stop := startExample(t, "forwardauth", issuer)
	g.stopAuth = stop

	text, err := os.ReadFile(filepath.Join(root, "examples", "forwardauth", "nginx.conf"))
	require.NoError(t, err)
	conf := string(text)
	for from, to := range map[string]string{
		"127.0.0.1:8080": g.address, "127.0.0.1:9090": auth, "127.0.0.1:8081": api.Listener.Addr().String(),
	} {
		require.Equal(t, 1, strings.Count(conf, from), from)
		conf = strings.Replace(conf, from, "ADDRESS "+to, 1)
	}
	conf = strings.ReplaceAll(conf, "ADDRESS ", "")
	runNginx(t, g.address, conf)
	return g
}

// runNginx starts nginx with servers of which one listens at address.
func runNginx(t *testing.T, address, servers string) {
	t.Helper()
	nginx, err := exec.LookPath("nginx")
	require.NoError(t, err, "These tests need nginx in PATH: .ci/nginx gets it on Debian and Ubuntu.")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "site.conf"), []byte(servers), 0o600))
	temp := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
	}
	main := fmt.Sprintf("daemon off; master_process off; pid %s; error_log stderr;\nevents {}\nhttp { access_log off;\n%sinclude %s; }\n",
		filepath.Join(dir, "pid"), temp, filepath.Join(dir, "site.conf"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(main), 0o600))
	start(t, address, exec.Command(nginx, "-p", dir, "-c", filepath.Join(dir, "nginx.conf")))
}

// send sends a request as it stands: method, target, and lines of header fields. It
// returns the response and the request that reached the API, if one did.
func (g *gateway) send(t *testing.T, method, target string, fields ...string) (*http.Response, *http.Request) {
	t.Helper()
	g.reached.Store(nil)
	conn, err := net.Dial("tcp", g.address)
	require.NoError(t, err)
	defer func() { assert.NoError(t, conn.Close()) }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	lines := append([]string{method + " " + target + " HTTP/1.1", "Host: api.example.com"}, fields...)
	_, err = io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n")
	require.NoError(t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, g.reached.Load()
}

func TestNginx(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	g := startNginx(t, iss.URL())
	reader := "Authorization: Bearer " + iss.Token(verifiertest.Claims{"scope": "orders:read x", "sub": "auth0|17", "client_id": "shop"})
	nobody := "Authorization: Bearer " + iss.Token(verifiertest.Claims{"scope": "orders:read", "sub": nil, "client_id": nil})
	admin := "Authorization: Bearer " + iss.Token(verifiertest.Claims{"scope": "orders:read orders:write admin", "sub": "ops", "client_id": "ops"})
	strangers := []string{
		"X-Auth-Issuer: stranger", "X-Auth-Client-Id: stranger", "x-auth-subject: stranger", "X-AUTH-SCOPES: admin", "X-Auth-Scopes: root",
		"X_Auth_Subject: stranger", "X-Auth_Scopes: stranger", "X.Auth.Subject: stranger",
		"X-HTTP-Method-Override: DELETE", "X-Original-URL: /admin/keys", "x-rewrite-url: /admin/keys", "X-Forwarded-Uri: /nothing", "X-Forwarded-Method: PUT",
		"Connection: close, X-Auth-Subject, X-Auth-Scopes",
	}

	t.Run("the caller", func(t *testing.T) {
		res, r := g.send(t, "GET", "/orders/17?x=1", append(strangers, reader)...)
		require.Equal(t, 200, res.StatusCode)
		require.NotNil(t, r)
		assert.Equal(t, "/orders/17?x=1", r.RequestURI)
		assert.Equal(t, "api.example.com", r.Host)
		assert.Equal(t, http.Header{
			"X-Auth-Issuer": {iss.URL()}, "X-Auth-Client-Id": {"shop"}, "X-Auth-Subject": {"auth0|17"}, "X-Auth-Scopes": {"orders:read x"},
			"X-Forwarded-Uri": {"/nothing"}, "X-Forwarded-Method": {"PUT"}, "Connection": {"close"},
		}, r.Header, "and nothing else of a stranger's")
		for _, field := range []string{"Www-Authenticate", "Retry-After", "Cache-Control", "X-Auth-Subject"} {
			assert.NotContains(t, res.Header, field)
		}
	})
	t.Run("the path as it was asked about", func(t *testing.T) {
		res, r := g.send(t, "GET", "/orders/j%C3%BCrgen%40example.com", reader)
		assert.Equal(t, 200, res.StatusCode)
		require.NotNil(t, r)
		assert.Equal(t, "/orders/j%C3%BCrgen%40example.com", r.RequestURI)
	})
	t.Run("a caller without a name", func(t *testing.T) {
		res, r := g.send(t, "GET", "/orders", append(strangers, nobody)...)
		require.Equal(t, 200, res.StatusCode)
		require.NotNil(t, r)
		assert.NotContains(t, r.Header, "X-Auth-Subject")
		assert.NotContains(t, r.Header, "X-Auth-Client-Id")
	})
	for _, row := range []struct {
		name, method, target string
		fields               []string
		status               int
		challenge            string // "" for a refusal by nginx itself
	}{
		{"R1 no token", "GET", "/orders", strangers, 401, `Bearer realm="api", scope="orders:read"`},
		{"R1 no token and a stranger's URI", "GET", "/orders", []string{"X-Forwarded-Uri: /nothing"}, 401, `Bearer realm="api", scope="orders:read"`},
		{"R2 a scope that is not", "POST", "/orders", []string{reader, "Content-Length: 0"}, 403, `scope="orders:write"`},
		{"R2 a stranger's method", "DELETE", "/orders/1", []string{reader, "X-Forwarded-Method: GET"}, 403, `scope="orders:write"`},
		{"R2 a stranger's URI", "GET", "/admin/keys", []string{reader, "X-Forwarded-Uri: /orders"}, 403, `scope="admin"`},
		{"R2 a stranger's URI twice", "GET", "/admin/keys", []string{reader, "X-Forwarded-Uri: /orders", "x-forwarded-uri: /orders"}, 403, `scope="admin"`},
		{"R2 a stranger's URI by underscores", "GET", "/admin/keys", []string{reader, "X_Forwarded_Uri: /orders"}, 403, `scope="admin"`},
		{"R1 spaces in the token", "GET", "/orders", []string{"Authorization: Bearer a b"}, 400, `error="invalid_request"`},
		{"a token that is none", "GET", "/orders", []string{"Authorization: Bearer rubbish"}, 401, `error="invalid_token"`},
		{"no such route", "GET", "/nothing", []string{admin}, 403, `error="insufficient_scope"`},
		{"the question itself", "GET", "/_auth", []string{reader}, 404, ""},
		{"the question itself, encoded", "GET", "/%5fauth", []string{reader}, 404, ""},
		{"the question itself from a stranger", "GET", "/_auth", nil, 404, ""},
		{"the question itself, roundabout", "GET", "/orders/../_auth", []string{reader}, 404, ""},
		{"dots", "GET", "/orders/../admin/keys", []string{admin}, 403, `error="insufficient_scope"`},
		{"encoded dots", "GET", "/orders/%2e%2e/admin/keys", []string{admin}, 403, `error="insufficient_scope"`},
		{"an encoded slash", "GET", "/orders/..%2fadmin", []string{admin}, 403, `error="insufficient_scope"`},
		{"two slashes", "GET", "//orders", []string{admin}, 403, `error="insufficient_scope"`},
		{"a parameter", "GET", "/orders/..;/admin", []string{admin}, 403, `error="insufficient_scope"`},
		{"encoded twice", "GET", "/orders/%252e%252e", []string{admin}, 403, `error="insufficient_scope"`},
		{"a backslash", "GET", `/orders\..\admin`, []string{admin}, 403, `error="insufficient_scope"`},
		{"a fragment", "GET", "/orders#/admin", []string{admin}, 403, `error="insufficient_scope"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			res, reached := g.send(t, row.method, row.target, row.fields...)
			assert.Equal(t, row.status, res.StatusCode)
			assert.Nil(t, reached)
			if row.challenge == "" {
				return
			}
			require.Len(t, res.Header["Www-Authenticate"], 1)
			assert.Contains(t, res.Header.Get("Www-Authenticate"), row.challenge)
			assert.Equal(t, "no-store", res.Header.Get("Cache-Control"))
		})
	}
	for _, status := range []int{401, 403, 500, 503} {
		t.Run(fmt.Sprint("the API's own ", status), func(t *testing.T) {
			res, _ := g.send(t, "GET", fmt.Sprint("/orders?status=", status), reader, "Connection: close")
			assert.Equal(t, status, res.StatusCode)
			assert.NotContains(t, res.Header, "Www-Authenticate")
			assert.NotContains(t, res.Header, "Cache-Control")
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			assert.Equal(t, "the API's own\n", string(body))
		})
	}
	t.Run("an absolute URI", func(t *testing.T) {
		res, r := g.send(t, "GET", "http://api.example.com/orders/1", reader)
		assert.Equal(t, 200, res.StatusCode)
		require.NotNil(t, r)
		assert.Equal(t, "/orders/1", r.RequestURI)
	})
	t.Run("nobody to ask", func(t *testing.T) {
		g.stopAuth()
		res, reached := g.send(t, "GET", "/orders", reader)
		assert.Equal(t, 500, res.StatusCode)
		assert.Nil(t, reached)
	})
}

// R4: what cannot be decided is 503 for the client, too, with the time to wait.
func TestNginxWithoutKeys(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	token := iss.Token(verifiertest.Claims{"scope": "orders:read"})
	iss.Fail(http.StatusInternalServerError)
	g := startNginx(t, iss.URL())
	res, reached := g.send(t, "GET", "/orders", "Authorization: Bearer "+token)
	assert.Equal(t, 503, res.StatusCode)
	assert.NotEmpty(t, res.Header.Get("Retry-After"))
	assert.NotContains(t, res.Header, "Www-Authenticate")
	assert.Nil(t, reached)
}
