package verifier

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// retryAfter is the Retry-After of a 503, in seconds. A key cache without keys fetches
// again within seconds at first, and later within a minute.
const retryAfter = 5

// public returns the client's part of e.
func (e *Error) public() refusalKind {
	k := refusalKinds[e.kind()]
	if e.hidesReason {
		k.description = notValid
	}
	if k.reason == ErrNoToken && e.api != nil && e.api.acceptsOtherSchemes() {
		k.description = "An access token is needed, sent with a scheme that the challenge names."
	}
	return k
}

// Status returns the HTTP status: 400, 401, 403 or 503, and 500 for a
// configuration error.
func (e *Error) Status() int { return e.public().status }

// Code returns the error code: invalid_request, invalid_token or insufficient_scope (RFC
// 6750 §3.1), invalid_dpop_proof or use_dpop_nonce (RFC 9449 §7.1, §9), or
// insufficient_user_authentication (RFC 9470 §3). It is empty if no token
// was sent. A 503 has temporarily_unavailable and a 500 server_error, from RFC 6749
// §4.1.2.1, which are only in the body.
func (e *Error) Code() string { return e.public().code }

// Description returns the error_description of RFC 6750 §3: a constant, safe to
// show to the client.
func (e *Error) Description() string { return e.public().description }

// SetHeaders sets the header fields of the response: Cache-Control: no-store;
// WWW-Authenticate (RFC 6750 §3, RFC 9449 §7.1), added to challenges that are there
// already; Retry-After for a 503; and those of e.Header. A second call changes nothing,
// except that there may be a newer DPoP-Nonce.
func (e *Error) SetHeaders(h http.Header) {
	k := e.public()
	h.Set("Cache-Control", "no-store")
	switch {
	case k.status == http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(retryAfter))
	case k.status < http.StatusInternalServerError:
		e.setChallenges(h, k)
	}
	addHeaders(h, e.Header)
}

func addHeaders(h, more http.Header) {
	for name, values := range more {
		for _, value := range values {
			addHeader(h, http.CanonicalHeaderKey(name), value)
		}
	}
}

// setHeaders sets the fields of a binding, such as a nonce, of which the newest counts.
// The list of fields that scripts may read grows.
func setHeaders(h, fields http.Header) {
	for name, values := range fields {
		if name == "Access-Control-Expose-Headers" {
			for _, value := range values {
				addHeader(h, name, value)
			}
			continue
		}
		h[name] = slices.Clone(values)
	}
}

// setChallenges adds one challenge for each scheme that is accepted (RFC 9110 §11.6.1),
// Bearer first: there are clients that read only that one. The error is in the challenge
// of the scheme that the token was sent with; without a token, in the first.
func (e *Error) setChallenges(h http.Header, k refusalKind) {
	if e.api == nil || len(e.api.bindings) == 0 {
		addHeader(h, "Www-Authenticate", e.challenge("Bearer", k, nil))
		return
	}
	sent := e.scheme // "" is Bearer, or none
	add := func(scheme string, algorithms []string) {
		var failed refusalKind
		if sent == "" || sent == scheme {
			sent, failed = scheme, k
		}
		addHeader(h, "Www-Authenticate", e.challenge(scheme, failed, algorithms))
	}
	if e.api.acceptsBearer(e.bound) {
		add("Bearer", nil)
	}
	for i := range e.api.bindings {
		b := &e.api.bindings[i]
		if b.Scheme != "" {
			add(b.Scheme, b.Algorithms)
		}
		if b.ChallengeHeader != nil {
			setHeaders(h, b.ChallengeHeader())
		}
	}
}

// acceptsBearer reports whether a token can be sent with Bearer: any token, or one that
// is bound.
func (a *api) acceptsBearer(bound bool) bool {
	return !bound || slices.ContainsFunc(a.bindings, func(b Binding) bool { return b.Scheme == "" })
}

// acceptsOtherSchemes reports whether tokens can be sent with another scheme than Bearer.
func (a *api) acceptsOtherSchemes() bool {
	return slices.ContainsFunc(a.bindings, func(b Binding) bool { return b.Scheme != "" })
}

func addHeader(h http.Header, name, value string) {
	if !slices.Contains(h[name], value) {
		h[name] = append(h[name], value)
	}
}

// challenge returns the challenge of RFC 6750 §3, or of RFC 9449 §7.1, which has the
// same parameters and the algorithms of proofs. Every part is a constant, the
// configured realm or address, a number, or a scope or acr whose characters were
// checked.
func (e *Error) challenge(scheme string, k refusalKind, algorithms []string) string {
	realm := defaultRealm
	if e.api != nil && e.api.realm != "" {
		realm = e.api.realm
	}
	s := scheme + ` realm="` + realm + `"`
	if k.code != "" {
		s += `, error="` + k.code + `", error_description="` + k.description + `"` + e.stepUp
	}
	scopes := e.challengeScopes
	if scopes == nil {
		scopes = e.Scopes
	}
	if scopes = scopeTokens(scopes); len(scopes) > 0 {
		s += `, scope="` + strings.Join(scopes, " ") + `"`
	}
	if e.resource != nil {
		s += `, resource_metadata="` + e.resource.document + `"`
	}
	if len(algorithms) > 0 {
		s += `, algs="` + strings.Join(algorithms, " ") + `"`
	}
	return s
}

// scopeTokens returns the scopes that are allowed in a challenge, each once.
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

// MarshalJSON returns the body of the response: {"error", "error_description"}, without
// "error" if there is no code (RFC 6750 §3.1).
func (e *Error) MarshalJSON() ([]byte, error) {
	k := e.public()
	return json.Marshal(struct {
		Code        string `json:"error,omitempty"`
		Description string `json:"error_description"`
	}{k.code, k.description})
}

// ServeHTTP writes the default response: header fields, status and, unless the method
// is HEAD, the body.
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
