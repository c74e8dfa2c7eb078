package verifier

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// retryAfter is what a 503 asks clients to wait, in seconds. A key cache without
// keys fetches again within seconds at first and within a minute later on.
const retryAfter = 5

// public returns what the client reads of e.
func (e *Error) public() refusalKind {
	k := refusalKinds[e.kind()]
	if e.hidesReason {
		k.description = notValid
	}
	return k
}

// Status returns the HTTP status: 400, 401, 403 or 503, and 500 for a
// configuration error.
func (e *Error) Status() int { return e.public().status }

// Code returns the error code of RFC 6750 §3.1: invalid_request, invalid_token
// or insufficient_scope. It is empty when no token came. A 503 has
// temporarily_unavailable and a 500 server_error, after RFC 6749 §4.1.2.1; they
// are in the body only.
func (e *Error) Code() string { return e.public().code }

// Description returns the error_description of RFC 6750 §3: a constant, safe to
// show to the client.
func (e *Error) Description() string { return e.public().description }

// SetHeaders sets the headers of the response: WWW-Authenticate (RFC 6750 §3),
// added to other challenges that are there already, Cache-Control: no-store,
// Retry-After for a 503, and those of e.Header. A second call changes nothing.
func (e *Error) SetHeaders(h http.Header) {
	k := e.public()
	h.Set("Cache-Control", "no-store")
	switch {
	case k.status == http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(retryAfter))
	case k.status < http.StatusInternalServerError:
		addHeader(h, "Www-Authenticate", e.challenge(k))
	}
	for name, values := range e.Header {
		for _, value := range values {
			addHeader(h, http.CanonicalHeaderKey(name), value)
		}
	}
}

func addHeader(h http.Header, name, value string) {
	if !slices.Contains(h[name], value) {
		h[name] = append(h[name], value)
	}
}

// challenge writes RFC 6750 §3. Every part is a constant, the configured realm
// or a scope whose characters are checked.
func (e *Error) challenge(k refusalKind) string {
	realm := defaultRealm
	if e.api != nil && e.api.realm != "" {
		realm = e.api.realm
	}
	s := `Bearer realm="` + realm + `"`
	if k.code != "" {
		s += `, error="` + k.code + `", error_description="` + k.description + `"`
	}
	scopes := e.challengeScopes
	if scopes == nil {
		scopes = e.Scopes
	}
	if scopes = scopeTokens(scopes); len(scopes) > 0 {
		s += `, scope="` + strings.Join(scopes, " ") + `"`
	}
	return s
}

// scopeTokens returns those of scopes that may stand in a challenge, each once.
func scopeTokens(scopes []string) (valid []string) {
	for _, s := range scopes {
		if isScopeToken(s) && !slices.Contains(valid, s) {
			valid = append(valid, s)
		}
	}
	return valid
}

// isScopeToken reports whether s is a scope-token (RFC 6749 §3.3): printable
// ASCII without space, quotation mark and backslash.
func isScopeToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}

// MarshalJSON returns the body of the response: {"error", "error_description"},
// without the former where there is no code (RFC 6750 §3.1).
func (e *Error) MarshalJSON() ([]byte, error) {
	k := e.public()
	return json.Marshal(struct {
		Code        string `json:"error,omitempty"`
		Description string `json:"error_description"`
	}{k.code, k.description})
}

// ServeHTTP writes the response: headers, status and, unless the method is HEAD,
// the body.
func (e *Error) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	e.SetHeaders(h)
	h.Del("Content-Length") // of another body
	h.Del("Content-Encoding")
	h.Set("Content-Type", "application/json")
	w.WriteHeader(e.Status())
	if r.Method == http.MethodHead {
		return
	}
	if body, err := e.MarshalJSON(); err == nil {
		_, _ = w.Write(append(body, '\n'))
	}
}
