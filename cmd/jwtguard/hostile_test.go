package main

import (
	"bufio"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rawServer returns the address of a server that responds with these bytes, in which
// forms of the secret that it was sent take the place of words. If open, it keeps the
// connection.
func rawServer(t *testing.T, response string, open bool) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	respond := func(c net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		sent := form.Get("client_secret")
		_, _ = io.WriteString(c, strings.NewReplacer(
			"SECRET", sent, "QUERY", url.QueryEscape(sent), "PATH", url.PathEscape(sent),
			"LOWER", strings.NewReplacer("%3A", "%3a", "%2F", "%2f", "%C3%BC", "%c3%bc").Replace(url.QueryEscape(sent)),
			"BASE64", base64.URLEncoding.EncodeToString([]byte("a:"+sent)),
		).Replace(response))
	}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
			respond(c)
			if !open {
				_ = c.Close()
			}
		}
	}()
	return "http://" + listener.Addr().String()
}

// Whatever a token endpoint responds, the secret is not in the output, the exit code is
// as documented, and the command ends.
func TestTokenEndpointThatIsHostile(t *testing.T) {
	for name, row := range map[string]struct {
		response string
		code     int
		err      string
	}{
		"J1 a status without end":                {"HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", 3, "responded with 101"},
		"J1 status 000":                          {"HTTP/1.1 000 x\r\nContent-Length: 0\r\n\r\n", 3, "responded with 0,"},
		"J1 status 999":                          {"HTTP/1.1 999 \x1b[2J\r\nContent-Length: 0\r\n\r\n", 3, "responded with 999"},
		"J1 a redirect to nowhere":               {"HTTP/1.1 302 x\r\nContent-Length: 0\r\n\r\n", 1, "302 Found"},
		"J2 in the status":                       {"HTTP/1.1 SECRET\r\n\r\n", 3, "[secret]"},
		"J2 in place of a response":              {"\x1b[2JSECRET\r\n\r\n", 3, "[secret]"},
		"J2 in a header line":                    {"HTTP/1.1 200 OK\r\nA\xff: SECRET\r\n\r\n", 3, "[secret]"},
		"J2 in a redirect's path":                {"HTTP/1.1 302 x\r\nLocation: https://x.example/QUERY\r\n\r\n", 2, "https://x.example/[secret]"},
		"J2 in a redirect's path, as a path":     {"HTTP/1.1 302 x\r\nLocation: /PATH\r\n\r\n", 2, "/[secret]"},
		"J2 in a redirect's path, in lower case": {"HTTP/1.1 302 x\r\nLocation: /LOWER\r\n\r\n", 2, "/[secret]"},
		"J2 in a redirect's query":               {"HTTP/1.1 307 x\r\nLocation: https://x.example/t?a=SECRET\r\n\r\n", 2, "https://x.example/t."},
		"J2 in a redirect's user":                {"HTTP/1.1 307 x\r\nLocation: http://u:QUERY@x.example/\r\n\r\n", 2, "http://x.example/"},
		"J2 in a redirect, as a port":            {"HTTP/1.1 307 x\r\nLocation: http://u:SECRET@x.example/\r\n\r\n", 3, "what is not a URL"},
		"J2 in the token's type":                 {"HTTP/1.1 200 OK\r\n\r\n{\"access_token\":\"a.b.c\",\"token_type\":\"SECRET\"}", 0, `"[secret]", not Bearer`},
		"J2 as the token":                        {"HTTP/1.1 200 OK\r\n\r\n{\"access_token\":\"a.QUERY.c\"}", 3, "the client's secret in it"},
		"J2 in an error, escaped":                {"HTTP/1.1 400 x\r\n\r\n{\"error\":\"LOWER\",\"error_description\":\"PATH\",\"error_uri\":\"BASE64\"}", 1, `"[secret]", "[secret]", "[secret]`},
	} {
		t.Run(name, func(t *testing.T) {
			for _, args := range []string{"", " --json"} {
				began := time.Now()
				got := call{args: "token --style form --client-id a --token-url " + rawServer(t, row.response, strings.HasSuffix(name, "without end")) + args, env: withSecret}.run(t)
				assert.Equal(t, row.code, got.code)
				if args == "" || row.code != 0 {
					assert.Contains(t, oneLine(got.err), row.err)
				}
				assertHarmless(t, got.out+got.err)
				assert.Less(t, time.Since(began), timeout)
			}
		})
	}
	t.Run("J2 as the lifetime", func(t *testing.T) {
		base := rawServer(t, "HTTP/1.1 200 OK\r\n\r\n{\"access_token\":\"a.b.c\",\"expires_in\":QUERY}", false)
		got := call{args: "token --json --style form --client-id a --token-url " + base, env: map[string]string{secretVariable: "86753099"}}.run(t)
		assert.Equal(t, exitOK, got.code)
		assert.NotContains(t, got.out, "86753099")
	})
}

func TestIssuerWithoutEnd(t *testing.T) {
	t.Run("J1 a status without end", func(t *testing.T) {
		began := time.Now()
		got := call{args: "issuer " + rawServer(t, "HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", true)}.run(t)
		assert.Equal(t, exitUnavailable, got.code)
		assert.Less(t, time.Since(began), timeout)
	})
}
