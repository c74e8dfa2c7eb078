// Package examples holds the tests of the three example services, from outside:
// each is copied out of the repository, built and run.
package examples

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

const (
	module   = "github.com/seed-12ed5b1c/jwtguard"
	orders   = "https://api.example.com"
	invoices = "https://billing.example.com"
)

var services = []string{"nethttp", "echo", "gin"}

// The services share everything but their routes.
func TestMainIsTheSame(t *testing.T) {
	var first string
	for _, name := range services {
		text, err := os.ReadFile(filepath.Join(name, "main.go"))
		require.NoError(t, err)
		_, rest, ok := strings.Cut(string(text), " is a small service")
		require.True(t, ok, name)
		if first == "" {
			first = rest
		}
		assert.Equal(t, first, rest, name)
	}
}

func TestServices(t *testing.T) {
	for _, name := range services {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			binary := build(t, name)
			t.Run("serves", func(t *testing.T) { serves(t, binary) })
			t.Run("is not ready without keys", func(t *testing.T) { notReady(t, binary) })
			for variable, missing := range map[string]string{"ISSUER": "Issuer", "AUDIENCE": "Audience", "INVOICES_CLIENTS": "INVOICES_CLIENTS"} {
				t.Run("ends without "+variable, func(t *testing.T) {
					cmd := exec.CommandContext(t.Context(), binary)
					cmd.Env = environment("https://login.example.com/", variable+"=", "INVOICES_AUDIENCE=")
					out, err := cmd.Output()
					var exit *exec.ExitError
					require.ErrorAs(t, err, &exit)
					assert.Contains(t, string(out), missing)
				})
			}
		})
	}
}

// build compiles a copy of a service in a module of its own.
func build(t *testing.T, name string) (binary string) {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(name)))
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	own := strings.Replace(string(mod), "module "+module, "module copy.example", 1) +
		"\nrequire " + module + " v0.0.0\nreplace " + module + " => " + root + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(own), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600))
	binary = filepath.Join(dir, "service")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-mod=mod", "-o", binary, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

func environment(issuer string, more ...string) []string {
	return append(append(os.Environ(), "ISSUER="+issuer, "AUDIENCE="+orders, "INVOICES_AUDIENCE="+invoices,
		"INVOICES_CLIENTS=ledger, auditor", "ADDR=127.0.0.1:0", "PROBES_ADDR=127.0.0.1:0"), more...)
}

// A line is what a service logs.
type line struct {
	Msg, Addr, Probes, Error string
	Status                   int
	By                       struct {
		ClientID string `json:"client_id"`
	}
}

// start runs a service until stop, which returns all that it has logged.
func start(t *testing.T, binary, issuer, until string) (addr, probes string, stop func() []line) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary)
	cmd.Env = environment(issuer)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var logged []line
	decoder := json.NewDecoder(out)
	next := func() bool {
		var l line
		err := decoder.Decode(&l)
		if err == io.EOF {
			return false
		}
		require.NoError(t, err)
		logged = append(logged, l)
		return true
	}
	for seen := false; !seen || addr == ""; {
		require.True(t, next(), "it ended: %v", logged)
		l := logged[len(logged)-1]
		seen = seen || l.Msg == until
		addr, probes = addr+l.Addr, probes+l.Probes
	}
	return addr, probes, func() []line {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		for next() {
		}
		require.NoError(t, cmd.Wait(), "it ends without an error when it is asked to")
		return logged
	}
}

func call(t *testing.T, method, url, token string) (status int, body []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, bytes.TrimSpace(body)
}

func serves(t *testing.T, binary string) {
	iss := verifiertest.NewIssuer(t)
	addr, probes, stop := start(t, binary, iss.URL(), "ready")
	reader := verifiertest.Claims{"client_id": "shop", "scope": "orders:read", "tenant": "acme"}
	var refused []int
	for _, row := range []struct {
		name, method, path string
		claims             verifiertest.Claims // nil: no token
		status             int
		body               string
	}{
		{"reads orders", "GET", "/orders", reader, 200, `{"client_id":"shop","orders":["o-1"],"tenant":"acme"}`},
		{"may not write", "POST", "/orders", reader, 403, ""},
		{"writes", "POST", "/orders", verifiertest.Claims{"client_id": "shop", "scope": "orders:write"}, 201, `{"client_id":"shop","order":"o-2"}`},
		{"a tenant of the wrong kind", "GET", "/orders", verifiertest.Claims{"scope": "orders:read", "tenant": 1}, 401, ""},
		{"orders' token for invoices", "GET", "/invoices", verifiertest.Claims{"client_id": "ledger"}, 401, ""},
		{"reads invoices", "GET", "/invoices", verifiertest.Claims{"client_id": "ledger", "aud": invoices}, 200, `{"client_id":"ledger","invoices":["i-1"]}`},
		{"the other client", "GET", "/invoices", verifiertest.Claims{"client_id": "auditor", "aud": invoices}, 200, ""},
		{"not on the list", "GET", "/invoices", verifiertest.Claims{"client_id": "shop", "aud": invoices}, 403, ""},
		{"no token", "GET", "/orders", nil, 401, ""},
		{"probes have a port of their own", "GET", "/readyz", nil, 404, ""},
	} {
		token := ""
		if row.claims != nil {
			if row.claims["aud"] == nil {
				row.claims["aud"] = orders
			}
			token = iss.Token(row.claims)
		}
		status, body := call(t, row.method, "http://"+addr+row.path, token)
		assert.Equal(t, row.status, status, row.name)
		if row.body != "" {
			assert.JSONEq(t, row.body, string(body), row.name)
		}
		if row.status >= 400 && row.status != 404 {
			refused = append(refused, row.status)
		}
	}

	for _, path := range []string{"/livez", "/readyz", "/startupz"} {
		status, body := call(t, "GET", "http://"+probes+path, "")
		assert.Equal(t, 200, status, path)
		assert.Equal(t, path != "/livez", strings.Contains(string(body), iss.URL()), path)
	}

	var told []int
	var errs []string
	var by []string
	for _, l := range stop() {
		switch l.Msg {
		case "refused":
			told, errs = append(told, l.Status), append(errs, l.Error)
		case "orders listed":
			by = append(by, l.By.ClientID)
		}
	}
	assert.Equal(t, refused, told, "each refusal is logged once")
	assert.Contains(t, strings.Join(errs, "\n"), "token is for another audience", "the operator reads why")
	assert.Equal(t, []string{"shop"}, by)
}

func notReady(t *testing.T, binary string) {
	iss := verifiertest.NewIssuer(t)
	iss.Fail(http.StatusServiceUnavailable)
	_, probes, stop := start(t, binary, iss.URL(), "serving")
	for path, want := range map[string]int{
		"/livez": http.StatusOK, "/readyz": http.StatusServiceUnavailable, "/startupz": http.StatusServiceUnavailable,
	} {
		status, _ := call(t, "GET", "http://"+probes+path, "")
		assert.Equal(t, want, status, path)
	}
	stop()
}
