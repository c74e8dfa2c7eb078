package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
)

// FuzzParseURI: whatever is accepted has one reading, also for a program that decodes it
// once more, cleans it, or cuts parameters off.
func FuzzParseURI(f *testing.F) {
	for _, uri := range append(dubious, "/", "/orders", "/orders/17?x=%2e%2e", "/orders/j%C3%BCrgen%40example.com", "/a/b/") {
		f.Add(uri)
	}
	mux := http.NewServeMux()
	mux.Handle("/", route{http.NotFoundHandler()})
	f.Fuzz(func(t *testing.T, uri string) {
		u, err := parseURI(uri)
		if err != nil {
			return
		}
		raw, _, _ := strings.Cut(uri, "?")
		if u.EscapedPath() != raw || u.Host != "" || u.Scheme != "" || u.Fragment != "" {
			t.Errorf("%q is read as %#v", uri, u)
		}
		if clean := path.Clean(u.Path); clean != u.Path && clean+"/" != u.Path {
			t.Errorf("%q is cleaned to %q", uri, clean)
		}
		if strings.Count(u.Path, "/") != strings.Count(raw, "/") || strings.ContainsAny(u.Path, "\\;%?#\x00\r\n\x7f") {
			t.Errorf("%q decodes to %q", uri, u.Path)
		}
		if again, err := url.PathUnescape(u.Path); err != nil || again != u.Path {
			t.Errorf("%q decodes again to %q", uri, again)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL = u
		h, _ := mux.Handler(r)
		if _, ok := h.(route); !ok {
			t.Errorf("ServeMux redirects %q", uri)
		}
	})
}
