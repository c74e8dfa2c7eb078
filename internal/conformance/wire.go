package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// What only a client that writes its own bytes can send: fields twice under
// names of other case, folded fields, tokens in every other place.
func onTheWire(t *testing.T, f Framework) {
	iss := verifiertest.NewIssuer(t)
	v, err := verifier.Settings{Realm: "orders"}.New(iss.Config(OrdersAPI))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	good := iss.Token(nil)
	form := "access_token=" + url.QueryEscape(good)
	post := func(more, body string) string {
		return fmt.Sprintf("POST /group HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", more, len(body), body)
	}
	get := func(lines ...string) string {
		return "GET /group HTTP/1.1\r\nHost: x\r\n" + strings.Join(append(lines, "\r\n"), "\r\n")
	}
	tests := []struct {
		name, request string
		want          answer
	}{
		{"X1 once", get("Authorization: Bearer " + good), answer{200, nil, "", "client=test-client scopes=[] tenant="}},
		{"X1 in another case", get("aUTHORIZATION: bEARER " + good), answer{200, nil, "", "client=test-client scopes=[] tenant="}},
		{"X1 twice", get("Authorization: Bearer "+good, "Authorization: Bearer "+good), badRequest},
		{"X1 twice, in other cases", get("authorization: Bearer "+good, "AUTHORIZATION: Bearer "+good), badRequest},
		{"X1 twice, with others between", get("Authorization: Bearer "+good, "Accept: */*", "Authorization: Bearer x"), badRequest},
		{"X1 twice, one empty", get("Authorization:", "Authorization: Bearer "+good), badRequest},
		{"X1 folded", get("Authorization: Bearer "+good[:50], " "+good[50:]), badRequest},
		{"X1 folded into a second token", get("Authorization: Bearer "+good, "\tBearer "+good), badRequest},
		{"X2 in the query", "GET /group?" + form + " HTTP/1.1\r\nHost: x\r\n\r\n", noToken},
		{"X2 in a form", post("Content-Type: application/x-www-form-urlencoded\r\n", form), noToken},
		{"X2 in the query beside a bad one", "GET /group?" + form + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n\r\n", malformed},
		{"X2 in a cookie", get("Cookie: access_token=" + good + "; Authorization=" + good), noToken},
		{"X2 for a proxy", get("Proxy-Authorization: Bearer " + good), noToken},
		{"X2 in fields that look alike", get("X-Authorization: Bearer "+good, "Authorization-: Bearer "+good, "Author_ization: Bearer "+good), noToken},
		{"X2 in a trailer", "POST /group HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n0\r\nAuthorization: Bearer " + good + "\r\n\r\n", noToken},
		{"X2 in the address", strings.Replace(get(), "GET /group", "GET http://Bearer:"+good+"@x/group", 1), noToken},
	}
	srv := httptest.NewServer(f.Build([]Route{{Path: "/group", Layers: []Layer{{Kind: Protect, Verifier: v}}, Handle: whoami}}))
	defer srv.Close()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", srv.Listener.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			_, err = io.WriteString(conn, tt.request)
			require.NoError(t, err)
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			assert.Equal(t, tt.want, answer{
				res.StatusCode, res.Header["Www-Authenticate"], res.Header.Get("Retry-After"), strings.TrimSuffix(string(body), "\n"),
			})
		})
	}
}
