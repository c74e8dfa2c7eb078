package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/coder/websocket"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const (
	// subprotocol is what this API speaks. A client names it beside the token, and
	// browsers fail a handshake whose response selects none.
	subprotocol = "orders.v1"

	// tokenPrefix makes a subprotocol of a token, whose characters are all allowed in
	// one (RFC 6455 §4.1): new WebSocket(url, ["orders.v1", "bearer." + token])
	tokenPrefix = "bearer."

	cookieName = "__Host-token" // as in examples/cookie

	// statusExpired is a code for private use (RFC 6455 §7.4.2), by which the page knows
	// that it needs a new token.
	statusExpired websocket.StatusCode = 4401
)

// tokenFromHandshake is for verifier.Settings.TokenFrom. Two tokens make a text that no
// token has, and so a 400.
func tokenFromHandshake(r *http.Request) string {
	var tokens []string
	for _, field := range r.Header.Values("Sec-WebSocket-Protocol") {
		for p := range strings.SplitSeq(field, ",") {
			if token, ok := strings.CutPrefix(strings.TrimSpace(p), tokenPrefix); ok {
				tokens = append(tokens, token)
			}
		}
	}
	for _, c := range r.CookiesNamed(cookieName) {
		tokens = append(tokens, c.Value)
	}
	return strings.Join(tokens, ",")
}

// orders answers each message until the client goes away or its token expires. Accept
// refuses the pages of other origins (403), which Protect does not do, nor CORS, nor
// http.CrossOriginProtection: a handshake is a GET. Name further origins in
// AcceptOptions.OriginPatterns.
func orders(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}})
	if err != nil {
		return // Accept has responded
	}
	defer conn.CloseNow()
	if conn.Subprotocol() != subprotocol {
		_ = conn.Close(websocket.StatusPolicyViolation, "this API speaks "+subprotocol)
		return
	}
	ctx, cancel := verifier.UntilExpiry(r.Context())
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close(statusExpired, "the access token has expired") })
	defer stop()

	tok, _ := httpauth.Token(r)
	for {
		// Not with ctx, whose end would break the connection without a code.
		kind, message, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		if err := conn.Write(r.Context(), kind, fmt.Appendf(nil, "%s for %s", message, tok.ClientID())); err != nil {
			return
		}
	}
}

func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintln(w, "<!doctype html><title>Orders</title>")
}
