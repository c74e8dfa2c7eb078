package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// talk opens a WebSocket, sends a message and returns the protocol, the first answer and
// the code of the close.
const talk = `return new Promise(done => {
	const seen = [], s = new WebSocket(%q, %s);
	s.onopen = () => { seen.push(s.protocol); s.send('order 1'); };
	s.onmessage = e => { seen.push(e.data); if (!%t) s.close(1000); };
	s.onclose = e => done([...seen, e.code].join(', '));
})`

func TestWebSocketInABrowser(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	address, _ := startExample(t, "websocket", iss.URL())
	app := site(t, address)
	socket := strings.Replace(app, "http", "ws", 1) + "/orders"
	b := startBrowser(t)
	token := func(change verifiertest.Claims) string {
		change["scope"], change["client_id"] = "orders:read", "shop"
		return iss.Token(change)
	}

	b.open(t, app)
	assert.Equal(t, "1006", b.run(t, talk, socket, `["orders.v1"]`, false), "no token")
	assert.Equal(t, "orders.v1, order 1 for shop, 1000",
		b.run(t, talk, socket, `["orders.v1", "bearer.`+token(verifiertest.Claims{})+`"]`, false), "in a subprotocol")
	assert.Equal(t, "orders.v1, order 1 for shop, 4401",
		b.run(t, talk, socket, `["orders.v1", "bearer.`+token(verifiertest.Claims{"exp": expiring()})+`"]`, true), "until it expires")
	assert.Equal(t, "1006",
		b.run(t, talk, socket, `["bearer.`+token(verifiertest.Claims{})+`"]`, false), "no protocol is selected but the token is one: browsers refuse")

	b.setCookie(t, app, token(verifiertest.Claims{}))
	assert.Equal(t, "orders.v1, order 1 for shop, 1000", b.run(t, talk, socket, `["orders.v1"]`, false), "in a cookie")

	// What a server gets that does not look at Origin.
	var sent atomic.Bool
	careless := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := r.Cookie(cookieName)
		sent.Store(err == nil)
	}))
	t.Cleanup(careless.Close)
	_, port, _ := strings.Cut(site(t, careless.Listener.Addr().String()), "http")
	for name, stranger := range strangers(t) {
		t.Run(name, func(t *testing.T) {
			b.open(t, stranger)
			assert.Equal(t, "1006", b.run(t, talk, socket, `["orders.v1"]`, false))
			assert.Equal(t, "1006", b.run(t, talk, "ws"+port, `["orders.v1"]`, false))
			assert.Equal(t, name != "another site", sent.Load(), "SameSite keeps the cookie from other sites alone")
		})
	}
}
