package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var withSecret = map[string]string{secretVariable: secret}

// What is sent, by style.
func TestTokenRequest(t *testing.T) {
	const rest = " --client-id a:b/ä --audience https://api.example.com --scope orders:read --scope x"
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte(secret+"\r\n"), 0o600))
	tests := []struct {
		name, args  string
		stdin       string
		contentType string
		basic       string // user:password
		params      map[string]string
		resources   []string
	}{
		{name: "J5 basic", args: "--style basic" + rest, contentType: "application/x-www-form-urlencoded",
			basic:  "a%3Ab%2F%C3%A4:s3cr%3Aet%2F%C3%BC%25pass", // RFC 6749 §2.3.1
			params: map[string]string{"grant_type": "client_credentials", "audience": "https://api.example.com", "scope": "orders:read x"}},
		{name: "J5 basic is the default", args: "--client-id a", contentType: "application/x-www-form-urlencoded",
			basic: "a:s3cr%3Aet%2F%C3%BC%25pass", params: map[string]string{"grant_type": "client_credentials"}},
		{name: "J5 form", args: "--style form" + rest, contentType: "application/x-www-form-urlencoded",
			params: map[string]string{"grant_type": "client_credentials", "audience": "https://api.example.com", "scope": "orders:read x", "client_id": "a:b/ä", "client_secret": secret}},
		{name: "J5 json", args: "--style json" + rest, contentType: "application/json",
			params: map[string]string{"grant_type": "client_credentials", "audience": "https://api.example.com", "scope": "orders:read x", "client_id": "a:b/ä", "client_secret": secret}},
		{name: "J5 none", args: "--style none --client-id a", contentType: "application/x-www-form-urlencoded",
			params: map[string]string{"grant_type": "client_credentials", "client_id": "a"}},
		{name: "J5 resources", args: "--client-id a --resource https://a.example --resource https://b.example", contentType: "application/x-www-form-urlencoded",
			basic: "a:s3cr%3Aet%2F%C3%BC%25pass", params: map[string]string{"grant_type": "client_credentials", "resource": "https://a.example"},
			resources: []string{"https://a.example", "https://b.example"}},
		{name: "J5 a file", args: "--style form --client-id a --secret-file " + file, contentType: "application/x-www-form-urlencoded",
			params: map[string]string{"grant_type": "client_credentials", "client_id": "a", "client_secret": secret}},
		{name: "J5 standard input", args: "--style form --client-id a --secret-file -", stdin: secret + "\n", contentType: "application/x-www-form-urlencoded",
			params: map[string]string{"grant_type": "client_credentials", "client_id": "a", "client_secret": secret}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, http.MethodPost, r.Method)
				assert.Equal(t, test.contentType, r.Header.Get("Content-Type"))
				user, password, _ := r.BasicAuth()
				assert.Equal(t, test.basic, strings.TrimPrefix(user+":"+password, ":"))
				params := map[string]string{}
				if test.contentType == "application/json" {
					assert.NoError(t, json.NewDecoder(r.Body).Decode(&params))
				} else {
					assert.NoError(t, r.ParseForm())
					for name := range r.PostForm {
						params[name] = r.PostForm.Get(name)
					}
				}
				assert.Equal(t, test.params, params)
				assert.Equal(t, test.resources, r.PostForm["resource"])
				fmt.Fprint(w, `{"access_token":"eyJ.a.b","token_type":"bearer","expires_in":60}`)
			}))
			defer server.Close()
			got := call{args: "token --token-url " + server.URL + "/t?x=1 " + test.args, stdin: test.stdin, env: withSecret}.run(t)
			assert.Equal(t, outcome{exitOK, "eyJ.a.b\n", ""}, got)
		})
	}
}

// A tokenServer is an issuer whose token endpoint responds as a test wants.
func tokenServer(t *testing.T, metadata string, status int, body string) *httptest.Server {
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			fmt.Fprint(w, strings.ReplaceAll(metadata, "BASE", server.URL))
			return
		}
		if status/100 == 3 {
			w.Header().Set("Location", "https://elsewhere.example.com/token")
		}
		sent, _ := io.ReadAll(r.Body)
		w.WriteHeader(status)
		fmt.Fprint(w, strings.ReplaceAll(body, "SENT", r.Header.Get("Authorization")+string(sent)))
	}))
	t.Cleanup(server.Close)
	return server
}

func TestTokenResponses(t *testing.T) {
	const good = `{"access_token":"eyJ.a.b","token_type":"Bearer","expires_in":60,"scope":"a"}`
	tests := []struct {
		name, args string
		metadata   string
		status     int
		body       string
		code       int
		out, err   string
	}{
		{name: "J5 by discovery", args: "--issuer BASE", metadata: `{"issuer":"BASE","token_endpoint":"BASE/t"}`, status: 200, body: good, out: "eyJ.a.b\n"},
		{name: "J5 another issuer", args: "--issuer BASE/", metadata: `{"issuer":"BASE","token_endpoint":"BASE/t"}`, status: 200, body: good, code: 2, err: "they differ in the slash at the end"},
		{name: "J5 metadata without endpoint", args: "--issuer BASE", metadata: `{"issuer":"BASE"}`, status: 200, body: good, code: 2, err: "no token_endpoint"},
		{name: "J5 a plain endpoint", args: "--issuer BASE", metadata: `{"issuer":"BASE","token_endpoint":"http://a.example/t"}`, status: 200, body: good, code: 2, err: "plain http"},
		{name: "J5 no metadata", args: "--issuer BASE", metadata: `<html>`, status: 200, body: good, code: 3, err: "not a metadata document"},
		{name: "J5 metadata elsewhere", args: "--issuer https://a.example --metadata-url BASE/m", metadata: `{"issuer":"https://a.example","token_endpoint":"BASE/t"}`, status: 200, body: good, code: 2, err: "the issuer is https"},
		{name: "J5 JSON has no token", args: "--json --token-url BASE", status: 200, body: good, out: `"expires_in": 60,`},
		{name: "J5 an opaque token", args: "--token-url BASE", status: 200, body: `{"access_token":"ey0"}`, out: "ey0\n", err: "opaque"},
		{name: "J5 an encrypted token", args: "--token-url BASE", status: 200, body: `{"access_token":"ey.a.b.c.d"}`, out: "ey.a.b.c.d\n", err: "encrypted"},
		{name: "J5 a DPoP token", args: "--token-url BASE", status: 200, body: `{"access_token":"ey.a.b","token_type":"DPoP"}`, out: "ey.a.b\n", err: `See --dpop.`},
		{name: "J5 another type", args: "--token-url BASE", status: 200, body: `{"access_token":"ey.a.b","token_type":"MAC"}`, out: "ey.a.b\n", err: `"MAC", not Bearer`},
		{name: "J3 a token with escapes", args: "--token-url BASE", status: 200, body: `{"access_token":"a\u001b[2J.b.c"}`, code: 3, err: "characters that no token has"},
		{name: "J5 no token", args: "--token-url BASE", status: 200, body: `{}`, code: 3, err: "no token response"},
		{name: "J5 HTML", args: "--token-url BASE", status: 200, body: `<html>`, code: 3, err: "no token response"},
		{name: "J5 too long", args: "--token-url BASE", status: 200, body: strings.Repeat(" ", maxBody+1), code: 3, err: "over 524288 bytes"},
		{name: "J5 a wrong secret", args: "--token-url BASE", status: 401, body: `{"error":"invalid_client","error_description":"no"}`, code: 1, err: `401 Unauthorized, "invalid_client", "no". The client id or its secret`},
		{name: "J5 the grant", args: "--token-url BASE", status: 400, body: `{"error":"unauthorized_client"}`, code: 1, err: "Enable the client-credentials grant"},
		{name: "J5 the scope", args: "--token-url BASE", status: 400, body: `{"error":"invalid_scope"}`, code: 1, err: "Grant the client this scope"},
		{name: "J5 the target", args: "--token-url BASE", status: 400, body: `{"error":"invalid_target"}`, code: 1, err: "does not know this --audience"},
		{name: "J5 the request", args: "--token-url BASE", status: 400, body: `{"error":"invalid_request"}`, code: 1, err: "Some servers need --audience"},
		{name: "J5 an error with 200", args: "--token-url BASE", status: 200, body: `{"error":"invalid_client"}`, code: 1, err: "invalid_client"},
		{name: "J5 not found", args: "--token-url BASE", status: 404, code: 1, err: "Is that the token URL?"},
		{name: "J5 another content type", args: "--token-url BASE", status: 415, code: 1, err: "Try another --style"},
		{name: "J1 unavailable", args: "--token-url BASE", status: 503, code: 3, err: "503 Service Unavailable"},
		{name: "J1 too many requests", args: "--token-url BASE", status: 429, code: 3, err: "429"},
		{name: "J1 nobody there", args: "--token-url http://127.0.0.1:1", code: 3, err: "refused"},
		{name: "J5 a redirect", args: "--token-url BASE", status: 307, code: 2, err: "redirect to https://elsewhere.example.com/token"},
		{name: "J2 the secret echoed, by Basic", args: "--token-url BASE", status: 400, body: `{"error":"x","error_description":"SENT"}`, code: 1, err: "[secret]"},
		{name: "J2 the secret echoed, in a form", args: "--style form --token-url BASE", status: 400, body: `{"error":"x","error_description":"SENT"}`, code: 1, err: "[secret]"},
		{name: "J3 escapes", args: "--token-url BASE", status: 400, body: `{"error":"\u001b[2J","error_description":"\u009b2J\r\nok","error_uri":"\u202e"}`, code: 1, err: `"\x1b[2J", "\u009b2J\r\nok", "\u202e"`},
		{name: "J3 a long error", args: "--token-url BASE", status: 400, body: `{"error":"` + strings.Repeat("z", 5000) + `"}`, code: 1, err: `z"...`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := tokenServer(t, test.metadata, test.status, test.body)
			got := call{args: "token --client-id a " + strings.ReplaceAll(test.args, "BASE", server.URL), env: withSecret}.run(t)
			assert.Equal(t, test.code, got.code)
			assertHarmless(t, got.err)
			assert.Contains(t, oneLine(got.err), test.err)
			assert.NotContains(t, got.err, strings.Repeat("z", 300))
			if strings.Contains(test.args, "--json") {
				assert.Contains(t, got.out, test.out)
				assert.NotContains(t, got.out, "eyJ")
				return
			}
			assert.Equal(t, test.out, got.out)
		})
	}
}

// The metadata says how the secret is sent, where --style does not.
func TestTokenStyleByMetadata(t *testing.T) {
	for methods, want := range map[string]string{
		`["client_secret_post"]`:                       "form",
		`["client_secret_post","client_secret_basic"]`: "basic",
		`["private_key_jwt"]`:                          "basic",
	} {
		t.Run("J5 "+methods, func(t *testing.T) {
			server := tokenServer(t, `{"issuer":"BASE","token_endpoint":"BASE/t","token_endpoint_auth_methods_supported":`+methods+`}`, 200, `{"access_token":"a.b.c"}`)
			got := call{args: "token --json --client-id a --issuer " + server.URL, env: withSecret}.run(t)
			var view grantView
			require.NoError(t, json.Unmarshal([]byte(got.out), &view))
			assert.Equal(t, want, view.Style)
		})
	}
}
