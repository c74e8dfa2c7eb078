package verifier

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/signature"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Config says whom to trust and what to demand. The zero value of each optional
// field is the safe choice.
type Config struct {
	// Whom to trust.

	// Issuer is the only iss accepted, compared byte for byte. When keys are
	// discovered from it, it is an https URL (http for loopback hosts, or with
	// JWKS.AllowHTTP); otherwise any non-empty string.
	Issuer string

	// Keys verify the issuer's signatures. Nil means a jwkscache.Cache that
	// finds them through the issuer's metadata, which Close stops. Keys given
	// here are yours to close.
	Keys KeySource

	// JWKS tunes that default cache; together with Keys it is an error.
	JWKS jwkscache.Config

	// SharedSecret makes HS256, HS384 and HS512 the only algorithms, as far as
	// it is long enough for them (RFC 7518 §3.2): 32, 48, 64 bytes. Everyone
	// who can check such a token can make one; prefer public keys.
	SharedSecret []byte

	// Algorithms accepted, by their exact names (RFC 7518 §3.1). Empty means
	// RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA and
	// Ed25519; with SharedSecret, the HMAC ones. "none" is never accepted.
	Algorithms []string

	// What to demand of every token of this issuer.

	// Audiences are all the names that this service answers to; one of them
	// must be in aud. With several, put an Audience rule on every route.
	Audiences []string

	// AnyAudience gives up that check, for issuers that send no usable aud. A
	// token that another service was sent is then good here too, so New asks
	// for a Client rule in Rules instead.
	AnyAudience bool

	// RFC9068 demands what the JWT profile for access tokens does: typ at+jwt
	// and its required claims (RFC 9068 §2.2), with iat not in the future. Only
	// it tells an access token from every other kind for certain: set it where
	// the issuer follows the profile.
	RFC9068 bool

	// Types are typ values accepted besides the default: none, JWT and at+jwt
	// (with RFC9068 at+jwt alone), each with or without "application/" before
	// it (RFC 7515 §4.1.9).
	Types []string

	// Leeway is granted to other machines' clocks at exp and nbf. Zero means 60
	// seconds, 5 minutes is the most, and a negative one means none.
	Leeway time.Duration

	// Rules are checked for every token of this issuer, before a route's own.
	Rules []Rule

	// Claims says where this issuer puts the client id and the scopes.
	Claims Claims

	// How requests carry tokens. In a Join these stand in the first part only.

	// TokenFrom returns the token of a request that carries it elsewhere (a
	// cookie, a WebSocket subprotocol), or "". A request that has one there and
	// in Authorization is refused. Beware of cross-site request forgery when
	// tokens come from cookies. It is called concurrently.
	TokenFrom func(*http.Request) string

	// TokenLength is the longest token read, in bytes. Zero means 16,384.
	TokenLength int

	// Realm is the challenge's (RFC 9110 §11.5): printable ASCII without
	// quotation mark and backslash. Empty means "api".
	Realm string

	// What to keep.

	// TokenCache is how many verified tokens are remembered, so that the next
	// request with one costs no signature. Zero means 4,096, a negative number
	// none. Together they take 16 MiB at most, some 5,000 tokens of common size;
	// a [Join] has room for the tokens of all its parts within that.
	//
	// A remembered token is still refused when it expires, when its key is
	// withdrawn or too old to be believed, and when a rule says so, and it is
	// verified again after one hour.
	TokenCache int
}

// Claims says where an issuer puts what RFC 9068 puts in client_id and scope.
type Claims struct {
	// ClientID are the claims that may hold the client id; the first that is
	// not empty counts. Nil means client_id, azp. Okta has cid, Entra ID v1
	// appid.
	ClientID []string

	// Scopes are the claims that may hold the scopes; the first that is not
	// empty counts. Nil means scope, scp.
	Scopes []string

	// ClientCredentials is a rule that this issuer's tokens pass if they come
	// from a client-credentials grant, and no others; Claim("idtyp", "app")
	// say. Where it is set, the rule ClientCredentials asks nothing else. The
	// claim must not be one that a user can choose.
	ClientCredentials Rule
}

// A trust is one issuer's part of a verifier: its keys and what is demanded of
// its tokens. It is immutable.
type trust struct {
	issuer      string
	keys        KeySource
	algorithms  map[string]*signature.Algorithm
	audiences   []string
	anyAudience bool
	profile     bool // RFC 9068
	types       []string
	leeway      time.Duration
	rules       []Rule
	clientID    []string
	scopes      []string
	machine     Rule
	remembered  bool // its tokens are
}

const (
	defaultLeeway      = 60 * time.Second
	leewayAtMost       = 5 * time.Minute
	defaultTokenLength = 16 << 10
	defaultRealm       = "api"
)

// newTrust checks cfg and copies what it needs. The default keys come last,
// since they start a goroutine: closer is theirs.
func newTrust(cfg *Config) (*trust, error) {
	t := &trust{
		issuer:      cfg.Issuer,
		keys:        cfg.Keys,
		audiences:   slices.Clone(cfg.Audiences),
		anyAudience: cfg.AnyAudience,
		profile:     cfg.RFC9068,
		types:       append([]string{"at+jwt"}, cfg.Types...),
		leeway:      cfg.Leeway,
		rules:       slices.Clone(cfg.Rules),
		clientID:    slices.Clone(cfg.Claims.ClientID),
		scopes:      slices.Clone(cfg.Claims.Scopes),
		machine:     cfg.Claims.ClientCredentials,
	}
	if !t.profile {
		t.types = append(t.types, "JWT")
	}
	if t.leeway == 0 {
		t.leeway = defaultLeeway
	}
	t.leeway = max(t.leeway, 0)
	if t.clientID == nil {
		t.clientID = []string{"client_id", "azp"}
	}
	if t.scopes == nil {
		t.scopes = []string{"scope", "scp"}
	}
	if cfg.SharedSecret != nil {
		t.keys = newSecretKeys(cfg.SharedSecret)
	}
	if err := checkConfig(cfg); err != nil {
		return nil, err
	}
	var err error
	t.algorithms, err = chooseAlgorithms(cfg)
	return t, err
}

func checkConfig(cfg *Config) error {
	isClient := func(r Rule) bool { _, ok := r.(clientRule); return ok }
	switch {
	case cfg.Issuer == "":
		return errors.New("no Issuer is configured")
	case len(cfg.Audiences) == 0 && !cfg.AnyAudience:
		return errors.New("no Audiences are configured (or AnyAudience with a Client rule)")
	case len(cfg.Audiences) > 0 && cfg.AnyAudience:
		return errors.New("both Audiences and AnyAudience are set")
	case cfg.AnyAudience && !slices.ContainsFunc(cfg.Rules, isClient):
		return errors.New("with AnyAudience a Client rule is needed in Rules")
	case slices.Contains(cfg.Audiences, ""), slices.Contains(cfg.Types, ""),
		slices.Contains(cfg.Claims.ClientID, ""), slices.Contains(cfg.Claims.Scopes, ""):
		return errors.New("an empty string in Audiences, Types or Claims can satisfy nothing")
	case isNil(cfg.Keys):
		return errors.New("a nil pointer in Keys")
	case cfg.Claims.ClientCredentials == ClientCredentials():
		return errors.New("the rule ClientCredentials asks Claims.ClientCredentials, which is that rule")
	case cfg.Keys != nil && cfg.JWKS != (jwkscache.Config{}):
		return errors.New("both Keys and JWKS are set, but JWKS tunes the default keys")
	case cfg.SharedSecret != nil && (cfg.Keys != nil || cfg.JWKS != (jwkscache.Config{})):
		return errors.New("both SharedSecret and Keys or JWKS are set")
	case cfg.Leeway > leewayAtMost:
		return fmt.Errorf("a Leeway of %s, where at most %s is accepted", cfg.Leeway, leewayAtMost)
	case cfg.TokenLength < 0:
		return errors.New("a negative TokenLength")
	case cfg.Realm != "" && !isQuotable(cfg.Realm):
		return errors.New("a Realm with characters other than printable ASCII, or a quotation mark or backslash")
	}
	return nil
}

// isNil reports whether k is an interface around nil, which would fail at
// the first request only.
func isNil(k KeySource) bool {
	switch v := reflect.ValueOf(k); v.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		return v.IsNil()
	}
	return false
}

func isQuotable(s string) bool {
	return !slices.ContainsFunc([]byte(s), func(c byte) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' })
}

func chooseAlgorithms(cfg *Config) (map[string]*signature.Algorithm, error) {
	chosen := make(map[string]*signature.Algorithm)
	for name, a := range signature.Algorithms {
		if (a.Secret > 0) == (cfg.SharedSecret != nil) && len(cfg.SharedSecret) >= a.Secret {
			chosen[name] = a
		}
	}
	if len(chosen) == 0 {
		return nil, errors.New("a SharedSecret shorter than 32 bytes (RFC 7518 section 3.2)")
	}
	if len(cfg.Algorithms) == 0 {
		return chosen, nil
	}
	asked := make(map[string]*signature.Algorithm)
	for _, name := range cfg.Algorithms {
		if asked[name] = chosen[name]; asked[name] == nil {
			return nil, fmt.Errorf("algorithm %q is unknown, never accepted, or does not fit the keys", name)
		}
	}
	return asked, nil
}

// discoverKeys makes the default KeySource.
func discoverKeys(cfg *Config) (*jwkscache.Cache, error) {
	return jwkscache.ForIssuer(cfg.Issuer, cfg.JWKS)
}
