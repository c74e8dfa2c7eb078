package verifier

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Config says whom to trust and what to demand of the tokens of one issuer. The
// zero value of each optional field is the safe choice.
//
// Printed by fmt or log/slog, or marshaled, a Config shows its issuer and its
// audiences only. Two cases show SharedSecrets all the same: a Config in an
// unexported field of another struct, and the verbs %p and %w, which go vet
// reports.
type Config struct {
	// Whom to trust.

	// Issuer is the only iss accepted, compared byte for byte. When keys are
	// discovered from it, it is an https URL (http for loopback hosts, or with
	// JWKS.AllowHTTP), unless JWKS.MetadataURL says where the metadata is;
	// otherwise any non-empty string.
	Issuer string

	// Keys verify the issuer's signatures. Nil means a jwkscache.Cache that
	// finds them through the issuer's metadata, which Close stops. Keys given
	// here are yours to close.
	Keys KeySource

	// JWKS configures that default cache; together with Keys it is an error. Its
	// Logger is that of [Settings] unless it is set.
	JWKS jwkscache.Config

	// SharedSecrets make HS256, HS384 and HS512 the only algorithms. Any of them
	// verifies, so that one can replace another while tokens of both are in use;
	// each serves the algorithms that it is long enough for (RFC 7518 §3.2): 32,
	// 48, 64 bytes. There are at most four. Everyone who can check such a token
	// can make one; prefer public keys.
	SharedSecrets [][]byte

	// Algorithms accepted, by their exact names (RFC 7518 §3.1). Empty means
	// RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA and
	// Ed25519; with SharedSecrets, the HMAC ones. "none" is never accepted.
	Algorithms []string

	// What to demand of every token of this issuer.

	// Audiences are all the names of this API; one of them must be in aud. With
	// several, put an Audience rule on every route.
	Audiences []string

	// AnyAudience omits that check, for issuers that send no usable aud. New then
	// asks for at least one rule in Rules, such as Client or Scope, to keep other
	// callers out. No rule prevents replay: a service that receives a client's
	// token can send it to this API as that client.
	AnyAudience bool

	// RFC9068 demands what the JWT profile for access tokens does: typ at+jwt
	// (unless Types says otherwise) and the required claims (RFC 9068 §2.2), with
	// iat not in the future. Only this type tells an access token from every
	// other JWT of the same issuer for certain: set it where the issuer follows
	// the profile.
	RFC9068 bool

	// Types are the typ values accepted, each with or without "application/"
	// before it (RFC 7515 §4.1.9); an empty string accepts a token without typ.
	// Nil means at+jwt, JWT and none; with RFC9068, at+jwt alone.
	Types []string

	// Leeway is granted to other machines' clocks at exp, nbf and iat. Zero means
	// 60 seconds, a negative one none. More than 5 minutes is an error, and so is
	// less than a millisecond: its unit is missing.
	Leeway time.Duration

	// MaxLifetime refuses tokens that are valid for longer: whose exp is later
	// than this after iat, or, with or without iat, later than this and the
	// leeway from now. Zero means no limit. Less than a second is an error.
	MaxLifetime time.Duration

	// Rules are checked for every token of this issuer, before a route's own.
	Rules []Rule

	// Claims says where this issuer puts the client id, the scopes and the roles.
	Claims Claims

	demanded []Rule // by With
}

// Claims says where an issuer puts what RFC 9068 puts into client_id, scope and
// roles. A place is the name of a claim or, if it begins with a slash, a JSON
// Pointer (RFC 6901) of object members, such as /realm_access/roles.
type Claims struct {
	// ClientID are the places that may hold the client id; the first that is
	// not empty counts. Nil means client_id, azp. Okta has cid, Entra ID v1
	// appid.
	ClientID []string

	// Scopes are the places that hold scopes, which are the union of all: each is
	// a string with spaces between scopes (RFC 8693 §4.2) or an array with one in
	// each element. Nil means scope, scp.
	Scopes []string

	// Roles are the places that hold roles, which are the union of all: each is
	// an array of strings, or one string alone. Nil means roles (RFC 9068
	// §2.2.3.1).
	Roles []string

	// ClientCredentials is a rule that tokens of this issuer pass if they come
	// from a client-credentials grant, and no others; for example Claim("idtyp",
	// "app"). Where it is set, the rule [ClientCredentials] asks it alone. The
	// claim must not be one that a user can choose.
	ClientCredentials Rule
}

// With returns a copy of c that also demands rules of every token. Assigning to
// Rules does not remove them.
func (c Config) With(rules ...Rule) Config {
	c.demanded = slices.Concat(c.demanded, rules)
	return c
}

// summary is what anybody may read of c.
func (c Config) summary() string {
	return fmt.Sprintf("Config(issuer=%q audiences=%q)", c.Issuer, c.Audiences)
}

// Format writes the issuer and the audiences, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.summary())) }

// MarshalText returns the issuer and the audiences, for log/slog and
// encoding/json.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.summary()), nil }
