package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func TestCookieInABrowser(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	address, _ := startExample(t, "cookie", iss.URL())
	app := site(t, address)
	b := startBrowser(t)

	b.open(t, app)
	logIn := func(claims verifiertest.Claims) string {
		return b.run(t, `return (await fetch('/session', {method: 'POST', body: %q})).status`, iss.Token(claims))
	}
	require.Equal(t, "200", logIn(verifiertest.Claims{"scope": "orders:read orders:write"}))
	assert.Empty(t, b.run(t, `return document.cookie`), "no script can read it")
	assert.Equal(t, "200", b.run(t, `return (await fetch('/orders')).status`))
	assert.Equal(t, "200 1", b.run(t, `const r = await fetch('/orders', {method: 'POST'}); return r.status + ' ' + (await r.text()).trim()`))
	assert.EqualValues(t, 200, b.postForm(t, app+"/orders"), "a form of the page itself")
	const done = "2"
	assert.Equal(t, "413", logIn(verifiertest.Claims{"x": strings.Repeat("x", 3000)}))

	// The same API without http.CrossOriginProtection: what protects it is SameSite alone.
	var added atomic.Int64
	v, err := verifier.Settings{TokenFrom: func(r *http.Request) string {
		if c, err := r.Cookie(cookieName); err == nil {
			return c.Value
		}
		return ""
	}}.New(iss.Config(audience))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	careless := httptest.NewServer(httpauth.Protect(v)(count(&added)))
	t.Cleanup(careless.Close)
	unprotected := map[string]int{"another site": 401, "another origin of the same site": 200}

	for name, stranger := range strangers(t) {
		t.Run(name, func(t *testing.T) {
			b.open(t, stranger)
			assert.EqualValues(t, 403, b.postForm(t, app+"/orders"), "a form")
			b.open(t, stranger)
			assert.Equal(t, "opaque", b.run(t, `return (await fetch(%q, {method: 'POST', mode: 'no-cors', credentials: 'include'})).type`, app+"/orders"))
			assert.Equal(t, "TypeError", b.run(t, `return fetch(%q, {credentials: 'include'}).then(r => r.text(), e => e.name)`, app+"/orders"), "it cannot read")
			assert.Equal(t, "2", b.run(t, `return new Promise(done => {
				const s = new EventSource(%q, {withCredentials: true});
				s.onmessage = () => done('read');
				s.onerror = () => done(s.readyState); // CLOSED
			})`, app+"/events"))

			b.open(t, stranger)
			assert.EqualValues(t, unprotected[name], b.postForm(t, site(t, careless.Listener.Addr().String())), "what would happen otherwise")
		})
	}
	assert.EqualValues(t, 1, added.Load())
	b.open(t, app)
	assert.Equal(t, done, b.run(t, `return (await (await fetch('/orders')).text()).trim()`), "no stranger has added one")

	t.Run("the longest cookie", func(t *testing.T) {
		setter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for name, length := range map[string]int{"fits": 4096, "drops": 4097} {
				http.SetCookie(w, &http.Cookie{Name: name, Value: strings.Repeat("x", length-len(name))})
			}
		}))
		t.Cleanup(setter.Close)
		b.open(t, setter.URL)
		assert.Equal(t, "fits", b.run(t, `return document.cookie.split('=')[0]`))
	})
	t.Run("a stream until the token expires", func(t *testing.T) {
		b.open(t, app)
		b.setCookie(t, app, iss.Token(verifiertest.Claims{"scope": "orders:read", "exp": expiring()}))
		assert.Equal(t, "2 orders, log in again, closed", b.run(t, `return new Promise(done => {
			const seen = [], s = new EventSource('/events');
			s.onmessage = e => seen.push(e.data);
			s.addEventListener('expired', e => seen.push(e.data));
			s.onerror = () => { // first it connects again, then the 401 ends it
				if (s.readyState == EventSource.CLOSED) done([...seen, 'closed'].join(', '));
			};
		})`))
	})
	t.Run("logged out", func(t *testing.T) {
		b.setCookie(t, app, iss.Token(verifiertest.Claims{"scope": "orders:read"}))
		require.Equal(t, "200", b.run(t, `return (await fetch('/orders')).status`))
		assert.Equal(t, "200 401", b.run(t, `const out = await fetch('/session', {method: 'DELETE'});
			return out.status + ' ' + (await fetch('/orders')).status`))
	})
}
