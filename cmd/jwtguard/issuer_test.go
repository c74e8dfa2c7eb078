package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
)

const (
	ed25519Key = `{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	p256Key    = `{"kty":"EC","crv":"P-256","kid":"b","alg":"ES256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4=","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}`
	encKey     = `{"kty":"EC","crv":"P-256","kid":"e","use":"enc","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}`
)

// An issuerServer is an authorization server with a path, whose responses a test
// changes before the first request.
type issuerServer struct {
	base, issuer string // the issuer ends with a slash
	keys         string
	metadata     string
	header       map[string]string // of the keys
	status       map[string]int    // by path
	location     map[string]string
	requests     []string
}

func newIssuerServer(t *testing.T) *issuerServer {
	s := &issuerServer{keys: `{"keys":[` + ed25519Key + `]}`, status: map[string]int{}, location: map[string]string{}, header: map[string]string{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.base, s.issuer = server.URL, server.URL+"/t/"
	s.metadata = fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q,"token_endpoint":%q}`, s.issuer, s.base+"/t/oauth/keys", s.base+"/t/oauth/token")
	return s
}

func (s *issuerServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests = append(s.requests, r.URL.Path)
	w.Header()["Date"] = nil
	if to := s.location[r.URL.Path]; to != "" {
		w.Header().Set("Location", to)
	}
	if status := s.status[r.URL.Path]; status != 0 {
		w.WriteHeader(status)
		return
	}
	switch r.URL.Path {
	case "/t/.well-known/openid-configuration":
		fmt.Fprint(w, s.metadata)
	case "/t/oauth/keys":
		for name, value := range s.header {
			w.Header().Set(name, value)
		}
		fmt.Fprint(w, s.keys)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// golden compares out with a file, in which BASE is the server's address.
func (s *issuerServer) golden(t *testing.T, file, out string) {
	t.Helper()
	want, err := os.ReadFile("testdata/" + file)
	require.NoError(t, err)
	assert.Equal(t, string(want), strings.ReplaceAll(out, s.base, "BASE"))
}

func TestIssuer(t *testing.T) {
	t.Run("J4 keys, times and the Config", func(t *testing.T) {
		s := newIssuerServer(t)
		s.keys = `{"keys":[` + strings.Join([]string{ed25519Key, encKey, p256Key, `{"kty":"oct","k":"c2VjcmV0"}`, `7`}, ",") + `]}`
		s.header = map[string]string{"Cache-Control": "public, max-age=2400", "Age": "600"}
		got := call{args: "issuer " + s.issuer}.run(t)
		assert.Equal(t, exitOK, got.code)
		assert.Empty(t, got.err)
		s.golden(t, "issuer.txt", got.out)
	})

	t.Run("J4 JSON", func(t *testing.T) {
		s := newIssuerServer(t)
		s.keys = `{"keys":[` + strings.Join([]string{ed25519Key, encKey, p256Key}, ",") + `]}`
		s.header = map[string]string{"Cache-Control": "max-age=1800", "Age": "600"}
		got := call{args: "issuer --json " + s.issuer}.run(t)
		assert.Equal(t, exitOK, got.code)
		var d issuerView
		require.NoError(t, json.Unmarshal([]byte(got.out), &d))
		assert.True(t, d.Exact)
		assert.Equal(t, s.issuer, d.Issuer)
		assert.EqualValues(t, 1200, d.Period)
		require.Len(t, d.Keys, 3)
		assert.Equal(t, []string{"EdDSA", "Ed25519"}, d.Keys[0].Algorithms)
		assert.Equal(t, keyView{KeyID: "e", Type: "EC", Use: "enc", Notes: []string{`use is "enc", not sig`}}, d.Keys[1])
		assert.Equal(t, []string{"ES256"}, d.Keys[2].Algorithms)
		assert.Equal(t, responseView{URL: s.base + "/t/oauth/keys", Status: 200, CacheControl: "max-age=1800", Age: "600"}, d.Responses[1])
		assert.Contains(t, d.Config, s.issuer)
	})

	t.Run("J4 the server's clock", func(t *testing.T) {
		s := newIssuerServer(t)
		s.header["Date"] = "Thu, 01 Jan 2099 00:00:00 GMT"
		got := call{args: "issuer " + s.issuer}.run(t)
		assert.Contains(t, oneLine(got.out), "ahead of this machine's")
		assert.Contains(t, got.out, "The clocks differ by")
	})

	t.Run("J4 a Date without fractions of a second is no difference", func(t *testing.T) {
		s := newIssuerServer(t)
		s.header["Date"] = time.Now().UTC().Add(time.Second).Format(http.TimeFormat)
		assert.NotContains(t, call{args: "issuer " + s.issuer}.run(t).out, "clock")
	})
}

func TestKeys(t *testing.T) {
	for alg, want := range map[string]keyView{
		"RS256": {Type: "RSA", Kind: "RSA 2048", Algorithms: []string{"RS256"}},
		"PS512": {Type: "RSA", Kind: "RSA 2048", Algorithms: []string{"PS512"}},
		"ES256": {Type: "EC", Kind: "P-256", Algorithms: []string{"ES256"}},
		"ES384": {Type: "EC", Kind: "P-384", Algorithms: []string{"ES384"}},
		"ES512": {Type: "EC", Kind: "P-521", Algorithms: []string{"ES512"}},
		"EdDSA": {Type: "OKP", Kind: "Ed25519", Algorithms: []string{"EdDSA", "Ed25519"}},
	} {
		t.Run("J4 "+alg, func(t *testing.T) {
			server, err := authserver.New("https://login.example.com", alg)
			require.NoError(t, err)
			w := httptest.NewRecorder()
			server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/jwks.json", nil))
			want.KeyID, _ = server.Key()
			want.Alg, want.Use, want.Used = alg, "sig", true
			assert.Equal(t, []keyView{want}, viewKeys(w.Body.Bytes()))
		})
	}
	t.Run("J4 more keys than a set may have", func(t *testing.T) {
		s := newIssuerServer(t)
		s.keys = `{"keys":[` + strings.Repeat("7,", 1000) + `7]}`
		got := call{args: "issuer " + s.issuer}.run(t)
		assert.Equal(t, exitRefused, got.code)
		assert.Contains(t, got.out, "keys: 0 used, 256 skipped")
	})
}

func TestIssuerWithPrivateCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Run("J4 issuer", func(t *testing.T) {
		got := call{args: "issuer " + server.URL}.run(t)
		assert.Equal(t, exitUnavailable, got.code)
		assert.Contains(t, oneLine(got.out), "signed by unknown authority")
		assert.Contains(t, oneLine(got.out), "set SSL_CERT_FILE")
	})
	t.Run("J5 token", func(t *testing.T) {
		got := call{args: "token --client-id a --issuer " + server.URL, env: withSecret}.run(t)
		assert.Equal(t, exitUnavailable, got.code)
		assert.Contains(t, oneLine(got.err), "signed by unknown authority; https://")
	})
}

func TestIssuerMistakes(t *testing.T) {
	tests := []struct {
		name   string
		args   string // BASE is the server's address
		change func(*issuerServer)
		code   int
		says   []string
	}{
		{"J4 without the slash", "BASE/t", nil, 1, []string{"byte for byte: they differ in the slash at the end", `"BASE/t/"`, "1 used"}},
		{"J4 another's metadata", "--allow-http BASE/t/", func(s *issuerServer) {
			s.metadata = strings.Replace(s.metadata, `"issuer":"`+s.issuer, `"issuer":"https://other.example.com/x`, 1)
		}, 1, []string{"names another issuer", `Issuer: "https://other.example.com/x"`, `MetadataURL = "BASE/t/.well-known/openid-configuration"`}},
		{"J4 a template", "BASE/t/", func(s *issuerServer) {
			s.metadata = strings.Replace(s.metadata, `"issuer":"`+s.issuer, `"issuer":"https://login.example.com/{tenantid}/v2.0`, 1)
		}, 1, []string{"a template"}},
		{"J4 the metadata's address", "BASE/t/.well-known/openid-configuration", nil, 1, []string{"is the address of the metadata", `Issuer: "BASE/t/"`}},
		{"J4 the keys' address", "BASE/t/oauth/keys", nil, 1, []string{"is the address of the keys", `Issuer: "BASE/t/"`}},
		{"J4 the token endpoint", "BASE/t/oauth/token", nil, 1, []string{"is the token endpoint", `Issuer: "BASE/t/"`}},
		{"J4 the keys' address without metadata", "BASE/t/oauth/keys", func(s *issuerServer) {
			s.status["/t/.well-known/openid-configuration"] = 404
		}, 1, []string{"is the address of the keys", "value of iss", "--jwks-url", "1 used"}},
		{"J4 nothing there", "BASE/nothing", nil, 1, []string{"Nothing here is an issuer's metadata", "404 Not Found"}},
		{"J4 no usable key", "BASE/t/", func(s *issuerServer) { s.keys = `{"keys":[` + encKey + `]}` }, 1,
			[]string{"no usable key", "0 used, 1 skipped", `use is "enc", not sig`}},
		{"J4 an empty key set", "BASE/t/", func(s *issuerServer) { s.keys = `{"keys":[]}` }, 1, []string{"no usable key among 0"}},
		{"J4 HTML for metadata", "BASE/t/", func(s *issuerServer) { s.metadata = "<html>" }, 1, []string{"an HTML or XML page"}},
		{"J4 the keys are moved", "BASE/t/", func(s *issuerServer) {
			s.status["/t/oauth/keys"], s.location["/t/oauth/keys"] = 302, "https://elsewhere.example.com/k"
		}, 1, []string{"a redirect to https://elsewhere.example.com/k, which is not followed"}},
		{"J1 the keys fail", "BASE/t/", func(s *issuerServer) { s.status["/t/oauth/keys"] = 503 }, 3, []string{"503 Service Unavailable"}},
		{"J1 the metadata fails", "BASE/t/", func(s *issuerServer) { s.status["/t/.well-known/openid-configuration"] = 500 }, 3, []string{"500 Internal"}},
		{"J1 too many requests", "BASE/t/", func(s *issuerServer) { s.status["/t/.well-known/openid-configuration"] = 429 }, 3, []string{"429 Too Many"}},
		{"J1 nobody there", "http://127.0.0.1:1/a/b", nil, 3, []string{"refused", "cannot be asked",
			"requests http://127.0.0.1:1/a/b/.well-known/openid-configuration dial tcp 127.0.0.1:1: connect: connection refused " +
				"http://127.0.0.1:1/.well-known/oauth-authorization-server/a/b dial tcp 127.0.0.1:1: connect: connection refused"}},
		{"J4 the metadata elsewhere", "https://login.example.com --metadata-url BASE/t/.well-known/openid-configuration", func(s *issuerServer) {
			s.metadata = strings.Replace(s.metadata, s.issuer, "https://login.example.com", 1)
		}, 2, []string{"MetadataURL of an https issuer is not https"}},
		{"J4 the metadata elsewhere, allowed", "https://login.example.com --allow-http --metadata-url BASE/t/.well-known/openid-configuration", func(s *issuerServer) {
			s.metadata = strings.Replace(s.metadata, s.issuer, "https://login.example.com", 1)
		}, 0, []string{"byte for byte", `cfg.JWKS.MetadataURL = "BASE/t/.well-known/openid-configuration"`, "cfg.JWKS.AllowHTTP = true"}},
		{"J4 the keys alone", "https://login.example.com --jwks-url BASE/t/oauth/keys", nil, 0,
			[]string{"nothing confirms", "jwkscache.ForURL(", `"BASE/t/oauth/keys"`, "1 used"}},
		{"J4 a preset", "https://tenant.auth0.com/ --allow-http --metadata-url BASE/t/.well-known/openid-configuration", func(s *issuerServer) {
			s.metadata = strings.Replace(s.metadata, s.issuer, "https://tenant.auth0.com/", 1)
		}, 0, []string{"providers.Auth0( \"tenant.auth0.com\","}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newIssuerServer(t)
			if test.change != nil {
				test.change(s)
			}
			got := call{args: "issuer " + strings.ReplaceAll(test.args, "BASE", s.base)}.run(t)
			assert.Equal(t, test.code, got.code)
			text := oneLine(got.out + got.err)
			for _, want := range test.says {
				assert.Contains(t, text, strings.ReplaceAll(want, "BASE", s.base))
			}
			assert.LessOrEqual(t, len(s.requests), 10)
			place := s.base + "/t/.well-known/openid-configuration"
			assert.LessOrEqual(t, strings.Count(got.out, "\n  "+place+"\n"), 1, "nothing new")
			assert.NotContains(t, text, "http://127.0.0.1:1/.well-known/openid-configuration", "where nobody is, nothing else is asked")
		})
	}
}

// Whatever a server sends, a terminal shows it as text.
func TestIssuerOfHostileServer(t *testing.T) {
	const escape = "\x1b]0;owned\x07\x1b[2J\u009b31m\u202e\r\nok"
	inJSON, err := json.Marshal(escape + strings.Repeat("z", 5000))
	require.NoError(t, err)
	evil := string(inJSON)
	for name, change := range map[string]func(*issuerServer){
		"issuer": func(s *issuerServer) {
			s.metadata = fmt.Sprintf(`{"issuer":%s,"jwks_uri":%q}`, evil, s.base+"/t/oauth/keys")
		},
		"short issuer": func(s *issuerServer) {
			s.metadata = fmt.Sprintf(`{"issuer":"https://x/\u001b[2J\u009b","jwks_uri":%q}`, s.base+"/t/oauth/keys")
		},
		"jwks_uri": func(s *issuerServer) {
			s.metadata = fmt.Sprintf(`{"issuer":%q,"jwks_uri":%s}`, s.issuer, evil)
		},
		"keys": func(s *issuerServer) {
			s.keys = fmt.Sprintf(`{"keys":[%s,{"kid":%[2]s,"kty":%[2]s,"use":%[2]s,"alg":%[2]s,"crv":%[2]s},{%[2]s:%[2]s},{"kid":[%[2]s]},{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":%[2]s}]}`, ed25519Key, evil)
		},
		"header": func(s *issuerServer) {
			s.header = map[string]string{"Cache-Control": "\x9b31m" + strings.Repeat("z", 5000), "Age": "\u009b2J"}
		},
		"location": func(s *issuerServer) {
			s.status["/t/oauth/keys"], s.location["/t/oauth/keys"] = 302, "https://x.example/\u009b31m"+strings.Repeat("z", 5000)
		},
		"body": func(s *issuerServer) { s.metadata = escape },
	} {
		for _, args := range []string{"issuer ", "issuer --json "} {
			t.Run("J3 "+args+name, func(t *testing.T) {
				s := newIssuerServer(t)
				change(s)
				got := call{args: args + "--allow-http " + s.issuer}.run(t)
				assertHarmless(t, got.out)
				assertHarmless(t, got.err)
				assert.NotContains(t, got.out, strings.Repeat("z", 600), "it is not cut")
			})
		}
	}

	t.Run("J3 a body without end", func(t *testing.T) {
		s := newIssuerServer(t)
		s.keys = `{"keys":[` + strings.Repeat(" ", maxBody) + `]}`
		got := call{args: "issuer " + s.issuer}.run(t)
		assert.Equal(t, exitRefused, got.code)
		assert.Contains(t, oneLine(got.out), "over 524288 bytes")
	})
}

// assertHarmless asserts that text cannot change what a terminal shows.
func assertHarmless(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && r != '\t' && (r < ' ' || r > 0x7e) {
			t.Errorf("%q in %q", r, text)
			return
		}
	}
}
