package verifier_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// withResources returns a Verifier of one issuer with these resources, whose audiences
// are configured.
func withResources(t *testing.T, resources ...verifier.Resource) *verifier.Verifier {
	t.Helper()
	cfg := verifier.Config{Issuer: issuer, Keys: keysOf(signerOf("ES256"))}
	for _, r := range resources {
		if r.Audience == "" {
			r.Audience = r.URL
		}
		cfg.Audiences = append(cfg.Audiences, r.Audience)
	}
	return newVerifierWith(t, verifier.Settings{Resources: resources}, cfg)
}

// document requests metadata at an address. It returns nil if there is no response.
func document(t *testing.T, address string, verifiers ...*verifier.Verifier) map[string]any {
	t.Helper()
	w := httptest.NewRecorder()
	if !verifier.ServeMetadata(w, httptest.NewRequest(http.MethodGet, address, nil), verifiers...) {
		assert.Empty(t, w.Header())
		return nil
	}
	var found map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &found))
	return found
}

// parameter returns resource_metadata of a request without a token.
func parameter(t *testing.T, g verifier.Guard) string {
	t.Helper()
	_, err := g(httptest.NewRequest(http.MethodGet, "/", nil))
	assertRefused(t, verifier.ErrNoToken, err)
	w := httptest.NewRecorder()
	verifier.AsError(ctx, err).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	_, rest, _ := strings.Cut(w.Header().Get("WWW-Authenticate"), `resource_metadata="`)
	address, _, _ := strings.Cut(rest, `"`)
	return address
}

func TestMetadataAddress(t *testing.T) {
	const at = "/.well-known/oauth-protected-resource"
	for resource, want := range map[string]string{
		"https://resource.example.com":           "https://resource.example.com" + at,
		"https://resource.example.com/":          "https://resource.example.com" + at,
		"https://resource.example.com/resource1": "https://resource.example.com" + at + "/resource1", // RFC 9728 §3.1
		"https://api.example.com/a/":             "https://api.example.com" + at + "/a/",
		"https://api.example.com?tenant=a":       "https://api.example.com" + at + "?tenant=a",
		"https://api.example.com/?tenant=a":      "https://api.example.com" + at + "?tenant=a",
		"https://api.example.com/a?tenant=a/b":   "https://api.example.com" + at + "/a?tenant=a/b",
		"https://api.example.com:8443/a%2Fb":     "https://api.example.com:8443" + at + "/a%2Fb",
		"https://api.example.com/caf%c3%a9":      "https://api.example.com" + at + "/caf%c3%a9",
		"HTTPS://API.example.com/a:b/*":          "HTTPS://API.example.com" + at + "/a:b/*",
		"https://[2001:db8::1]/mcp":              "https://[2001:db8::1]" + at + "/mcp",
		"http://127.0.0.1:8080/mcp":              "http://127.0.0.1:8080" + at + "/mcp",
		"http://localhost":                       "http://localhost" + at,
	} {
		t.Run("N1 N2 "+resource, func(t *testing.T) {
			v := withResources(t, verifier.Resource{URL: resource})
			assert.Equal(t, want, parameter(t, v.Protect()))
			require.NotNil(t, document(t, want, v))
			assert.Equal(t, resource, document(t, want, v)["resource"])
			assert.Nil(t, document(t, want+"x", v))
			assert.Nil(t, document(t, resource, v))
		})
	}
}

func TestResourceErrors(t *testing.T) {
	for name, row := range map[string]struct {
		resource verifier.Resource
		want     string
	}{
		"empty":             {verifier.Resource{}, "not an absolute https URL"},
		"no URL":            {verifier.Resource{URL: "orders", Audience: api}, "not an absolute https URL"},
		"no host":           {verifier.Resource{URL: "https:///orders", Audience: api}, "not an absolute https URL"},
		"another scheme":    {verifier.Resource{URL: "ftp://api.example.com", Audience: api}, "not an absolute https URL"},
		"a fragment":        {verifier.Resource{URL: "https://api.example.com/#a", Audience: api}, "fragment"},
		"an empty fragment": {verifier.Resource{URL: "https://api.example.com/#", Audience: api}, "fragment"},
		"a user":            {verifier.Resource{URL: "https://u:secret@api.example.com", Audience: api}, "without user"},
		"a quotation mark":  {verifier.Resource{URL: `https://api.example.com/"`, Audience: api}, "characters of RFC 3986"},
		"a space":           {verifier.Resource{URL: "https://api.example.com/a b", Audience: api}, "characters of RFC 3986"},
		"a line break":      {verifier.Resource{URL: "https://api.example.com/a\r\nX: y", Audience: api}, "characters of RFC 3986"},
		"a backslash":       {verifier.Resource{URL: `https://api.example.com/\a`, Audience: api}, "characters of RFC 3986"},
		"not ASCII":         {verifier.Resource{URL: "https://api.example.com/é", Audience: api}, "characters of RFC 3986"},
		"a bad escape":      {verifier.Resource{URL: "https://api.example.com/%zz", Audience: api}, "not an absolute https URL"},
		"an escaped host":   {verifier.Resource{URL: "https://%C3%A9.example.com", Audience: api}, "not an absolute https URL"},
		"one dot":           {verifier.Resource{URL: "https://api.example.com/a/.", Audience: api}, "dot segment"},
		"a dot segment":     {verifier.Resource{URL: "https://api.example.com/a/../b", Audience: api}, "dot segment"},
		"http":              {verifier.Resource{URL: "http://api.example.com", Audience: api}, "loopback"},
		"another audience":  {verifier.Resource{URL: "https://other.example.com"}, `no Config.Audiences lists its audience "https://other.example.com"`},
		"a slash too many":  {verifier.Resource{URL: api + "/"}, "configured is"},
		"a name in lines":   {verifier.Resource{URL: api, Name: "a\nb"}, "Name"},
		"a name in bytes":   {verifier.Resource{URL: api, Name: "\xff"}, "Name"},
		"documentation":     {verifier.Resource{URL: api, Documentation: "see the wiki"}, "Documentation"},
		"a scope of two":    {verifier.Resource{URL: api, Scopes: []string{"a b"}}, "not one scope"},
		"an empty scope":    {verifier.Resource{URL: api, Scopes: []string{""}}, "not one scope"},
	} {
		t.Run("N5 "+name, func(t *testing.T) {
			cfg := verifier.Config{Issuer: issuer, Keys: keysOf(signerOf("ES256")), Audiences: []string{api}}
			_, err := verifier.Settings{Resources: []verifier.Resource{row.resource}}.New(cfg)
			require.ErrorContains(t, err, "verifier: Resource 1: ")
			assert.ErrorContains(t, err, row.want)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
	for name, row := range map[string]struct {
		second verifier.Resource
		want   string
	}{
		"twice":         {verifier.Resource{URL: api, Audience: "billing"}, "another Resource with this URL"},
		"same audience": {verifier.Resource{URL: api + "/b", Audience: api}, "another Resource with this Audience"},
	} {
		t.Run("N5 "+name, func(t *testing.T) {
			cfg := verifier.Config{Issuer: issuer, Keys: keysOf(signerOf("ES256")), Audiences: []string{api, "billing"}}
			_, err := verifier.Settings{Resources: []verifier.Resource{{URL: api}, row.second}}.New(cfg)
			require.ErrorContains(t, err, "verifier: Resource 2: ")
			assert.ErrorContains(t, err, row.want)
		})
	}
}

// What the metadata says is what the Config does.
func TestMetadataIsDerived(t *testing.T) {
	keys := keysOf(signerOf("ES256"))
	const other, address = "https://login.example.org", "https://api.example.com" + verifier.MetadataPath
	t.Run("N2 servers are the issuers with the audience, in order", func(t *testing.T) {
		v := newVerifierWith(t, verifier.Settings{Resources: []verifier.Resource{{URL: "https://api.example.com", Audience: "orders"}}},
			verifier.Config{Issuer: other, Keys: keys, Audiences: []string{"billing", "orders"}, Rules: []verifier.Rule{verifier.Scope("z", "base")}},
			verifier.Config{Issuer: "https://elsewhere.example", Keys: keys, Audiences: []string{"billing"}, Rules: []verifier.Rule{verifier.Scope("y")}},
			verifier.Config{Issuer: "a name, no URL", Keys: keys, Audiences: []string{"orders"}},
			verifier.Config{Issuer: "https://login.example.net/?tenant=1", Keys: keys, Audiences: []string{"orders"}},
			verifier.Config{Issuer: issuer, Keys: keys, AnyAudience: true}.With(verifier.Scope("fixed")))
		assert.Equal(t, map[string]any{
			"resource": "https://api.example.com", "authorization_servers": []any{other, issuer},
			"scopes_supported": []any{"base", "fixed", "z"}, "bearer_methods_supported": []any{"header"},
		}, document(t, address, v))
	})
	t.Run("N2 no server, no scope", func(t *testing.T) {
		v := newVerifierWith(t, verifier.Settings{Resources: []verifier.Resource{{URL: "https://api.example.com", Audience: "orders"}}},
			verifier.Config{Issuer: "a name, no URL", Keys: keys, Audiences: []string{"orders"}})
		assert.Equal(t, map[string]any{
			"resource": "https://api.example.com", "bearer_methods_supported": []any{"header"},
		}, document(t, address, v))
	})
	t.Run("N2 of tenants, any audience", func(t *testing.T) {
		v := newVerifierWith(t, verifier.Settings{
			Resources: []verifier.Resource{{URL: "https://api.example.com"}},
			Tenants:   func(string) (verifier.Config, bool) { return verifier.Config{}, false },
		})
		assert.Equal(t, "https://api.example.com", document(t, address, v)["resource"])
	})
	t.Run("N2 scopes of routes, as they are made", func(t *testing.T) {
		v := withResources(t, verifier.Resource{URL: "https://api.example.com"}, verifier.Resource{URL: "https://b.example.com"})
		a, b := verifier.Audience("https://api.example.com"), verifier.Audience("https://b.example.com")
		assert.NotContains(t, document(t, address, v), "scopes_supported")
		v.Protect(a, verifier.Scope("orders:write", "orders:read"))
		v.Optional(a, verifier.AnyScope("first", "second"))
		v.Protect(b, verifier.Scope("bills"))
		v.Protect(a, verifier.Scope("orders:read"))
		assert.Equal(t, []any{"first", "orders:read", "orders:write"}, document(t, address, v)["scopes_supported"])
	})
	t.Run("N2 scopes of the Resource are all", func(t *testing.T) {
		v := withResources(t, verifier.Resource{URL: "https://api.example.com", Scopes: []string{"z", "a"}})
		v.Protect(verifier.Scope("b"))
		assert.Equal(t, []any{"z", "a"}, document(t, address, v)["scopes_supported"])
		v = withResources(t, verifier.Resource{URL: "https://api.example.com", Scopes: []string{}})
		v.Protect(verifier.Scope("b"))
		assert.NotContains(t, document(t, address, v), "scopes_supported")
	})
	t.Run("N2 the number of scopes is limited", func(t *testing.T) {
		v := withResources(t, verifier.Resource{URL: "https://api.example.com"})
		for i := range 300 {
			v.Protect(verifier.Scope("s" + strings.Repeat("x", i)))
		}
		assert.Len(t, document(t, address, v)["scopes_supported"], 256)
	})
}

// Host and query of the request choose where the path alone does not.
func TestMetadataOfSeveral(t *testing.T) {
	v := withResources(t,
		verifier.Resource{URL: "https://a.example.com/mcp"},
		verifier.Resource{URL: "https://b.example.com/mcp"},
		verifier.Resource{URL: "https://b.example.com/mcp?tenant=1"},
		verifier.Resource{URL: "https://b.example.com/mcp?tenant=2"},
		verifier.Resource{URL: "https://b.example.com:444/alone"})
	const at = verifier.MetadataPath
	for address, want := range map[string]any{
		"https://a.example.com" + at + "/mcp":               "https://a.example.com/mcp",
		"https://A.EXAMPLE.com:443" + at + "/mcp":           "https://a.example.com/mcp",
		"https://b.example.com" + at + "/mcp":               "https://b.example.com/mcp",
		"https://b.example.com" + at + "/mcp?tenant=1":      "https://b.example.com/mcp?tenant=1",
		"https://b.example.com" + at + "/mcp?tenant=2":      "https://b.example.com/mcp?tenant=2",
		"https://internal" + at + "/mcp?tenant=2":           "https://b.example.com/mcp?tenant=2",
		"https://b.example.com" + at + "/mcp?tenant=3":      "https://b.example.com/mcp",
		"https://b.example.com:444" + at + "/mcp?cached=no": nil,
		"https://internal" + at + "/mcp":                    nil,
		"https://internal" + at + "/alone":                  "https://b.example.com:444/alone",
		"https://internal" + at + "/alone?cached=no":        "https://b.example.com:444/alone",
		"https://a.example.com" + at + "/%6Dcp":             nil,
		"https://a.example.com" + at + "//mcp":              nil,
		"https://a.example.com" + at + "mcp":                nil,
		"https://a.example.com/mcp" + at:                    nil,
	} {
		t.Run("N2 "+address, func(t *testing.T) { assert.Equal(t, want, document(t, address, v)["resource"]) })
	}
}

// A client must not be sent to another API's authorization server, whose token it would
// then show here.
func TestMetadataOfSeveralVerifiers(t *testing.T) {
	a := withResources(t, verifier.Resource{URL: "https://a.example.com/mcp"}, verifier.Resource{URL: "https://a.example.com/x?tenant=1"})
	b := withResources(t, verifier.Resource{URL: "https://b.example.com/mcp"}, verifier.Resource{URL: "https://b.example.com/x"})
	const at = verifier.MetadataPath
	for address, want := range map[string]any{
		"https://a.example.com" + at + "/mcp":        "https://a.example.com/mcp",
		"https://b.example.com" + at + "/mcp":        "https://b.example.com/mcp",
		"https://b.example.com" + at + "/x?tenant=1": "https://b.example.com/x",
		"https://a.example.com" + at + "/x?tenant=1": "https://a.example.com/x?tenant=1",
		"https://internal" + at + "/x?tenant=1":      "https://a.example.com/x?tenant=1",
		"https://internal" + at + "/x":               "https://b.example.com/x",
		"https://internal" + at + "/mcp":             nil,
		"https://b.example.com" + at + "/y":          nil,
	} {
		t.Run("N2 "+address, func(t *testing.T) {
			for _, verifiers := range [][]*verifier.Verifier{{a, nil, b}, {b, a}} {
				assert.Equal(t, want, document(t, address, verifiers...)["resource"])
			}
		})
	}
	assert.Nil(t, document(t, "https://b.example.com"+at+"/mcp"))
}

// The default port of a host is that of the resource's scheme.
func TestMetadataAtPorts(t *testing.T) {
	v := withResources(t, verifier.Resource{URL: "http://localhost/mcp"}, verifier.Resource{URL: "https://b.example.com/mcp"})
	for host, want := range map[string]any{
		"localhost": "http://localhost/mcp", "localhost:80": "http://localhost/mcp", "localhost:443": nil,
		"b.example.com": "https://b.example.com/mcp", "b.example.com:443": "https://b.example.com/mcp", "b.example.com:80": nil,
	} {
		assert.Equal(t, want, document(t, "http://"+host+verifier.MetadataPath+"/mcp", v)["resource"], "N2 %s", host)
	}
}

// A CORS middleware outside may have allowed credentials, which do not go with "*".
func TestMetadataWithoutCredentials(t *testing.T) {
	v := withResources(t, verifier.Resource{URL: "https://api.example.com"})
	w := httptest.NewRecorder()
	w.Header().Set("Access-Control-Allow-Origin", "https://app.example.com")
	w.Header().Set("Access-Control-Allow-Credentials", "true")
	require.True(t, verifier.ServeMetadata(w, httptest.NewRequest(http.MethodGet, "https://api.example.com"+verifier.MetadataPath, nil), nil, v))
	assert.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"), "N3")
	assert.Empty(t, w.Header().Get("Access-Control-Allow-Credentials"), "N3")
}

// The metadata does not change with the caller's list.
func TestResourceScopesAreCopied(t *testing.T) {
	scopes := []string{"a"}
	cfg := verifier.Config{Issuer: issuer, Keys: keysOf(signerOf("ES256")), Audiences: []string{"https://api.example.com", "https://b.example.com"}}
	v := newVerifierWith(t, verifier.Settings{Resources: []verifier.Resource{{URL: "https://api.example.com", Scopes: scopes}}}, cfg)
	scopes[0] = "changed"
	v.Protect(verifier.Scope("b"))
	assert.Equal(t, []any{"a"}, document(t, "https://api.example.com"+verifier.MetadataPath, v)["scopes_supported"], "N2")
}

// A route belongs to the resource that its Audience rule names.
func TestResourceOfRoute(t *testing.T) {
	keys := keysOf(signerOf("ES256"))
	cfg := verifier.Config{Issuer: issuer, Keys: keys, Audiences: []string{"a", "b", "c"}}
	resource := func(audience string) verifier.Resource {
		return verifier.Resource{URL: "https://" + audience + ".example.com", Audience: audience}
	}
	several := newVerifierWith(t, verifier.Settings{Resources: []verifier.Resource{resource("a"), resource("b")}}, cfg)
	one := newVerifierWith(t, verifier.Settings{Resources: []verifier.Resource{resource("b")}}, cfg)
	at := func(audience string) string { return "https://" + audience + ".example.com" + verifier.MetadataPath }
	for name, row := range map[string]struct {
		v     *verifier.Verifier
		rules []verifier.Rule
		want  string
	}{
		"first":               {several, []verifier.Rule{verifier.Audience("a")}, at("a")},
		"second":              {several, []verifier.Rule{verifier.Scope("s"), verifier.Audience("b")}, at("b")},
		"the rule's first":    {several, []verifier.Rule{verifier.Audience("c", "b", "a")}, at("b")},
		"no resource's":       {several, []verifier.Rule{verifier.Audience("c")}, ""},
		"the only one":        {one, nil, at("b")},
		"the only one, named": {one, []verifier.Rule{verifier.Audience("b")}, at("b")},
		"not the only one":    {one, []verifier.Rule{verifier.Audience("a")}, ""},
		"none":                {newVerifier(t, cfg), []verifier.Rule{verifier.Audience("a")}, ""},
	} {
		t.Run("N1 "+name, func(t *testing.T) {
			assert.Equal(t, row.want, parameter(t, row.v.Protect(row.rules...)))
			_, err := row.v.Authenticate(httptest.NewRequest(http.MethodGet, "/", nil), row.rules...)
			w := httptest.NewRecorder()
			verifier.AsError(ctx, err).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			if row.want == "" {
				assert.NotContains(t, w.Header().Get("WWW-Authenticate"), "resource_metadata")
			} else {
				assert.Contains(t, w.Header().Get("WWW-Authenticate"), `, resource_metadata="`+row.want+`"`)
			}
		})
	}
	t.Run("N1 several, and no Audience rule", func(t *testing.T) {
		want := "verifier: there are several Resources, so every route needs an Audience rule that chooses one"
		assert.PanicsWithValue(t, want, func() { several.Protect() })
		assert.PanicsWithValue(t, want, func() { several.Optional(verifier.Scope("a")) })
		raw := signerOf("ES256").token(nil, members{"aud": `"a"`})
		_, err := several.Authenticate(bearer(raw))
		assert.Equal(t, http.StatusInternalServerError, verifier.AsError(ctx, err).Status())
		_, err = several.Verify(ctx, raw)
		assert.NoError(t, err, "Verify has no response")
		_, err = several.Verify(ctx, "x")
		w := httptest.NewRecorder()
		verifier.AsError(ctx, err).ServeHTTP(w, bearer("x"))
		assert.NotContains(t, w.Header().Get("WWW-Authenticate"), "resource_metadata")
	})
	t.Run("N1 a token that is too long", func(t *testing.T) {
		_, err := one.Protect()(bearer(strings.Repeat("a", 1<<15)))
		w := httptest.NewRecorder()
		verifier.AsError(ctx, err).ServeHTTP(w, bearer("a"))
		assert.Contains(t, w.Header().Get("WWW-Authenticate"), at("b"))
	})
}

func FuzzResourceURL(f *testing.F) {
	for _, s := range []string{"https://a.example.com", "https://a/?b", "http://[::1]:80/a/../%2e", "HTTPS://A:443/a;b?c=d#e", "https://u@h/"} {
		f.Add(s)
	}
	keys := keysOf(signerOf("ES256"))
	f.Fuzz(func(t *testing.T, resource string) {
		cfg := verifier.Config{Issuer: issuer, Keys: keys, Audiences: []string{"a"}}
		v, err := verifier.Settings{Resources: []verifier.Resource{{URL: resource, Audience: "a"}}}.New(cfg)
		if err != nil {
			return
		}
		defer v.Close()
		address := parameter(t, v.Protect())
		u, err := url.Parse(address)
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(u.EscapedPath(), verifier.MetadataPath))
		origin, rest, _ := strings.Cut(address, verifier.MetadataPath) // RFC 9728 §3.1, backwards
		assert.Contains(t, []string{origin + rest, origin + "/" + rest}, resource)
		r := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{}}
		w := httptest.NewRecorder()
		require.True(t, verifier.ServeMetadata(w, r, v), address)
		var found struct{ Resource string }
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &found))
		assert.Equal(t, resource, found.Resource, "N2 byte for byte")
	})
}
