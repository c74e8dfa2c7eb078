package verifier

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Config describes an issuer to trust, and what its tokens must have. The zero value
// of each optional field is the safe choice.
//
// Printed by fmt or log/slog, or marshaled, a Config shows only its issuer and its
// audiences. It shows SharedSecrets nevertheless if it is in an unexported field of
// another struct, and with the verbs %p and %w, which go vet reports.
type Config struct {
	// Whom to trust.

	// Issuer is the only accepted iss, compared byte for byte. If keys are
	// discovered from it, it is an https URL (http for loopback hosts, or with
	// JWKS.AllowHTTP), unless JWKS.MetadataURL has the address of the metadata;
	// otherwise any non-empty string.
	Issuer string

	// Keys verify the issuer's signatures. Nil means a jwkscache.Cache that finds
	// them through the issuer's metadata, and that Close stops. Keys given here
	// are closed by whoever made them.
	Keys KeySource

	// JWKS configures that default cache; together with Keys it is an error. Its
	// Logger is that of [Settings] unless it is set.
	JWKS jwkscache.Config

	// SharedSecrets make HS256, HS384 and HS512 the only algorithms. Each secret
	// is tried with the algorithms that it is long enough for (RFC 7518 §3.2):
	// 32, 48 and 64 bytes. During a rotation give the new and the old one; there
	// are at most four. Everyone who can check such a token can also issue one:
	// prefer public keys.
	SharedSecrets [][]byte

	// Algorithms are those accepted, by their exact names (RFC 7518 §3.1). Empty
	// means RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA
	// and Ed25519; with SharedSecrets, the HMAC ones. "none" is never accepted.
	Algorithms []string

	// What every token of this issuer must have.

	// Audiences are all the names of this API; aud must contain one of them. With
	// several, put an Audience rule on every route.
	Audiences []string

	// AnyAudience omits that check, for issuers that send no usable aud. New then
	// requires at least one rule in Rules, such as Client or Scope, to refuse
	// other callers. No rule prevents replay: a service that receives a client's
	// token can send it to this API as that client.
	AnyAudience bool

	// RFC9068 requires what the JWT profile for access tokens does: typ at+jwt
	// (unless Types is set) and the required claims (RFC 9068 §2.2), with iat not
	// in the future. Only this type separates an access token from every other
	// JWT of the same issuer with certainty: set it where the issuer follows the
	// profile.
	RFC9068 bool

	// Types are the accepted values of typ, each with or without "application/"
	// before it (RFC 7515 §4.1.9); an empty string accepts a token without typ.
	// Nil means at+jwt, JWT and none; with RFC9068, only at+jwt.
	Types []string

	// Leeway is how much other machines' clocks may differ, for exp, nbf and iat.
	// Zero means 60 seconds, and a negative value none. More than 5 minutes is an
	// error, and so is less than a millisecond, where the unit is missing.
	Leeway time.Duration

	// MaxLifetime is the longest accepted lifetime: a token is refused if its exp
	// is later than this after its iat, or later than this and the leeway from
	// now. Zero means no limit. Less than a second is an error.
	MaxLifetime time.Duration

	// Rules are checked for every token of this issuer, before a route's own.
	Rules []Rule

	// Claims are the places of the client id, the scopes and the roles.
	Claims Claims

	fixedRules []Rule // of With
}

// Claims are the places where an issuer has what RFC 9068 has in client_id, scope and
// roles. A place is the name of a claim or, if it begins with a slash, a JSON Pointer
// (RFC 6901) of object members, such as /realm_access/roles.
type Claims struct {
	// ClientID are the possible places of the client id; the first that is not
	// empty is used. Nil means client_id, azp. Okta has cid, Entra ID v1 appid.
	ClientID []string

	// Scopes are the places of the scopes. The token's scopes are the union of
	// all, each a string with spaces between scopes (RFC 8693 §4.2) or an array
	// with one in each element. Nil means scope, scp.
	Scopes []string

	// Roles are the places of the roles. The token's roles are the union of all,
	// each an array of strings or a single string. Nil means roles (RFC 9068
	// §2.2.3.1).
	Roles []string

	// ClientCredentials is a rule that only tokens of a client-credentials grant
	// pass, for example Claim("idtyp", "app"). If it is set, it decides alone for
	// the rule [ClientCredentials]. It must not depend on a claim that a user can
	// choose.
	ClientCredentials Rule
}

// With returns a copy of c with rules that every token must pass in addition to
// c.Rules. Assigning to Rules does not remove them.
func (c Config) With(rules ...Rule) Config {
	c.fixedRules = slices.Concat(c.fixedRules, rules)
	return c
}

// summary is the part of c that is not secret.
func (c Config) summary() string {
	return fmt.Sprintf("Config(issuer=%q audiences=%q)", c.Issuer, c.Audiences)
}

// Format writes the issuer and the audiences, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.summary())) }

// MarshalText returns the issuer and the audiences, for log/slog and
// encoding/json.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.summary()), nil }
