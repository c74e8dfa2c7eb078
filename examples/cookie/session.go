package main

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// The prefix makes browsers refuse the cookie from anybody but this host, over TLS, for
// all paths (draft-ietf-httpbis-rfc6265bis): no other subdomain can plant a session.
const cookieName = "__Host-token"

// maxToken is the length of the longest token that fits: browsers drop a cookie whose
// name and value have more than 4,096 bytes, without a word (the same draft).
const maxToken = 4096 - len(cookieName)

// tokenFromCookie is for verifier.Settings.TokenFrom. Two cookies make a text that no
// token has, and so a 400.
func tokenFromCookie(r *http.Request) string {
	var tokens []string
	for _, c := range r.CookiesNamed(cookieName) {
		tokens = append(tokens, c.Value)
	}
	return strings.Join(tokens, ",")
}

// logIn stands for the end of your login. A backend that does the code flow itself, as it
// should (golang.org/x/oauth2), has the token then; here the page posts it.
func logIn(v *verifier.Verifier) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(maxToken)))
		if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
			http.Error(w, "the token does not fit into a cookie", http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil {
			http.Error(w, "the body cannot be read", http.StatusBadRequest)
			return
		}
		tok, err := v.Verify(r.Context(), string(raw))
		if err != nil {
			httpauth.Refuse(w, r, err)
			return
		}
		http.SetCookie(w, &http.Cookie{
			Name: cookieName, Value: tok.Raw(), Path: "/", Expires: tok.Expiry(),
			Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		})
	}
}

// logOut removes the cookie. The token itself stays valid until it expires.
func logOut(w http.ResponseWriter, _ *http.Request) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Path: "/", MaxAge: -1,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}
