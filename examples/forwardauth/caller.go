package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// maxCaller is the limit of all values together, in bytes: with nginx's defaults, a
// response's header must fit into 4 KiB.
const maxCaller = 2 << 10

// admit answers with the caller. Each field is there, if need be empty, because Envoy
// would leave a stranger's in place of one that is not.
func admit(w http.ResponseWriter, r *http.Request) {
	tok, _ := httpauth.Token(r)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Auth-Issuer", tok.Issuer())
	w.Header().Set("X-Auth-Client-Id", tok.ClientID())
	w.Header().Set("X-Auth-Subject", tok.Subject()) // unique within the issuer only
	w.Header().Set("X-Auth-Scopes", strings.Join(tok.Scopes(), " "))
}

// fitsHeader refuses a token whose claims mean something else as a header field: net/http
// writes a line break as a space, others trim spaces, and a scope with a space would be
// two. Only visible ASCII is the same everywhere.
func fitsHeader(_ context.Context, t *verifier.Token) error {
	values := append(t.Scopes(), t.Issuer(), t.ClientID(), t.Subject())
	length := len(values)
	for _, v := range values {
		length += len(v)
		if strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fmt.Errorf("%.200q cannot be a header field", v)
		}
	}
	if length > maxCaller {
		return fmt.Errorf("issuer, client id, subject and scopes have %d bytes, of at most %d", length, maxCaller)
	}
	return nil
}
