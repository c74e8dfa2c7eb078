package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A web page must not get tokens from jwtguard dev by its reader's browser.
func TestDevAndBrowsers(t *testing.T) {
	out, log, _ := startDev(t, "--issuer http://issuer:9000")
	at := log.waitFor(t, `everyone who reaches (\S+:\d+)\s`)[1]
	_, port, err := net.SplitHostPort(at)
	require.NoError(t, err)
	_ = out
	exposedOut, _, _ := startDev(t, "--addr 0.0.0.0:0 --expose")
	exposed := exposedOut.waitFor(t, `issuer\n  http://(\S+)\n`)[1]
	for name, row := range map[string]struct {
		at, host string
		header   string
		status   int
	}{
		"J6 by address":                 {at, at, "", 200},
		"J6 by localhost":               {at, "localhost:" + port, "", 200},
		"J6 by the issuer's name":       {at, "issuer:9000", "", 200},
		"J6 by IPv6":                    {at, "[::1]:" + port, "", 200},
		"J6 by a page's name":           {at, "evil.example:" + port, "", 421},
		"J6 by a like name":             {at, "localhost.evil.example", "", 421},
		"J6 without a name":             {at, "", "", 421},
		"J6 a form of a page":           {at, at, "Origin: https://evil.example", 403},
		"J6 a form of a sandboxed page": {at, at, "Origin: null", 403},
		"J6 a page of its own origin":   {at, at, "Sec-Fetch-Site: same-origin", 403},
		"J6 exposed, by any name":       {exposed, "anything.example", "", 200},
		"J6 exposed, a form of a page":  {exposed, exposed, "Origin: https://evil.example", 403},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := new(net.Dialer).DialContext(t.Context(), "tcp", row.at)
			require.NoError(t, err)
			defer c.Close()
			const body = "grant_type=client_credentials&client_id=a"
			header := row.header
			if header != "" {
				header += "\r\n"
			}
			fmt.Fprintf(c, "POST /oauth/token HTTP/1.1\r\nHost: %s\r\n%sConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", row.host, header, len(body), body)
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			require.NoError(t, err)
			defer res.Body.Close()
			text, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			assert.Equal(t, row.status, res.StatusCode)
			assert.Equal(t, row.status == 200, strings.Contains(string(text), "access_token"))
			assert.Empty(t, res.Header.Get("Access-Control-Allow-Origin"))
		})
	}
	t.Run("J6 DNS rebinding of the metadata", func(t *testing.T) {
		r := httptest.NewRequest(http.MethodGet, "http://evil.example/", nil)
		w := httptest.NewRecorder()
		(&devOptions{}).gate("http://127.0.0.1:9000", http.NotFoundHandler()).ServeHTTP(w, r)
		assert.Equal(t, http.StatusMisdirectedRequest, w.Code)
	})
}

// What dev prints can be given to a shell.
func TestShellWord(t *testing.T) {
	for text, want := range map[string]string{
		"http://127.0.0.1:9000/a%20b": "http://127.0.0.1:9000/a%20b",
		"http://[::1]:9000":           "'http://[::1]:9000'",
		"http://a/$(date)'`;&":        `'http://a/$(date)'\''` + "`;&'",
	} {
		assert.Equal(t, want, shellWord(text), "J6")
	}
}
