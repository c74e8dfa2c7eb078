package verifier

import (
	"errors"
	"net/http"
)

// The reasons for refusing a request. Test with errors.Is. An error of your own that
// wraps one of these, from a [Check], a [Guard] or given to an adapter's Refuse, has
// its status and code.
var (
	ErrNoToken        = errors.New("no access token in the request")                                    // 401, no error code
	ErrBadRequest     = errors.New("not exactly one well-formed credential")                            // 400 invalid_request
	ErrMalformed      = errors.New("not a well-formed JWT")                                             // 401 invalid_token
	ErrAlgorithm      = errors.New("algorithm not allowed")                                             // 401 invalid_token
	ErrType           = errors.New("not an access token")                                               // 401 invalid_token
	ErrSignature      = errors.New("no key of the issuer verifies the signature")                       // 401 invalid_token
	ErrIssuer         = errors.New("issuer not trusted")                                                // 401 invalid_token
	ErrAudience       = errors.New("token is for another audience")                                     // 401 invalid_token
	ErrExpired        = errors.New("token has expired")                                                 // 401 invalid_token
	ErrNotYetValid    = errors.New("token is not valid yet")                                            // 401 invalid_token
	ErrClaims         = errors.New("a claim is missing or not acceptable")                              // 401 invalid_token
	ErrBinding        = errors.New("token is not bound to a key that the sender has proved to possess") // 401 invalid_token
	ErrProof          = errors.New("the DPoP proof is missing or not valid")                            // 401 invalid_dpop_proof
	ErrReplay         = errors.New("the DPoP proof was used before")                                    // 401 invalid_dpop_proof
	ErrNonce          = errors.New("the DPoP proof needs a nonce of this API")                          // 401 use_dpop_nonce
	ErrRevoked        = errors.New("token has been revoked")                                            // 401 invalid_token
	ErrAuthentication = errors.New("the user must authenticate again")                                  // 401 insufficient_user_authentication
	ErrScope          = errors.New("a scope is missing")                                                // 403 insufficient_scope
	ErrDenied         = errors.New("this client may not do that")                                       // 403 insufficient_scope
	ErrUnavailable    = errors.New("the token cannot be checked at the moment")                         // 503, Retry-After
)

// A refusalKind is the client's part of a refusal. Descriptions are constants, in the
// characters of RFC 6750 §3. After the issuer was looked up, all failures that a forger
// can cause have the same description, which reveals nothing of the configuration.
type refusalKind struct {
	name        string // see ReasonName
	reason      error
	status      int
	code        string // RFC 6750 §3.1, RFC 9470 §3; for 5xx the names of RFC 6749 §4.1.2.1
	description string
}

const notValid = "The access token is not valid for this API."

// refusalKinds is the one table of refusals. An error that wraps several reasons is of
// the first one's kind: what is wrong with the token comes before what the token does
// not permit, and both come before what cannot be decided.
var refusalKinds = [...]refusalKind{
	{"no_token", ErrNoToken, http.StatusUnauthorized, "", "An access token is needed, sent as Authorization: Bearer."},
	{"bad_request", ErrBadRequest, http.StatusBadRequest, "invalid_request", "The request must carry exactly one well-formed access token."},
	{"malformed", ErrMalformed, http.StatusUnauthorized, "invalid_token", "The access token is not a well-formed JWT."},
	{"algorithm", ErrAlgorithm, http.StatusUnauthorized, "invalid_token", notValid},
	{"type", ErrType, http.StatusUnauthorized, "invalid_token", notValid},
	{"signature", ErrSignature, http.StatusUnauthorized, "invalid_token", notValid},
	{"issuer", ErrIssuer, http.StatusUnauthorized, "invalid_token", notValid},
	{"audience", ErrAudience, http.StatusUnauthorized, "invalid_token", notValid},
	{"expired", ErrExpired, http.StatusUnauthorized, "invalid_token", "The access token has expired."},
	{"not_yet_valid", ErrNotYetValid, http.StatusUnauthorized, "invalid_token", "The access token is not valid yet."},
	{"claims", ErrClaims, http.StatusUnauthorized, "invalid_token", notValid},
	{"binding", ErrBinding, http.StatusUnauthorized, "invalid_token", notValid},
	{"proof", ErrProof, http.StatusUnauthorized, "invalid_dpop_proof", "The DPoP proof is missing or not valid."},
	{"replay", ErrReplay, http.StatusUnauthorized, "invalid_dpop_proof", "The DPoP proof is missing or not valid."},
	{"nonce", ErrNonce, http.StatusUnauthorized, "use_dpop_nonce", "The DPoP proof needs the nonce of the field DPoP-Nonce."},
	{"revoked", ErrRevoked, http.StatusUnauthorized, "invalid_token", "The access token has been revoked."},
	{"authentication", ErrAuthentication, http.StatusUnauthorized, "insufficient_user_authentication", "The user must authenticate again as the challenge says."},
	{"scope", ErrScope, http.StatusForbidden, "insufficient_scope", "The access token lacks a scope that this needs."},
	{"denied", ErrDenied, http.StatusForbidden, "insufficient_scope", "The access token does not permit this."},
	{"unavailable", ErrUnavailable, http.StatusServiceUnavailable, "temporarily_unavailable", "The access token cannot be checked at the moment."},
	{"misconfigured", nil, http.StatusInternalServerError, "server_error", "The API is not set up correctly."},
}

// configurationKind is the index in refusalKinds of errors without a reason.
const configurationKind = len(refusalKinds) - 1

// kindOf returns the index in refusalKinds of a reason, or of an error that wraps one.
func kindOf(reason error) int {
	for i := range refusalKinds[:configurationKind] {
		if reason == refusalKinds[i].reason {
			return i
		}
	}
	for i := range refusalKinds[:configurationKind] {
		if errors.Is(reason, refusalKinds[i].reason) {
			return i
		}
	}
	return configurationKind
}
