package verifier

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Config says whom to trust and what to demand. The zero value of each optional
// field is the safe choice.
//
// Printed by fmt or log/slog, or marshaled, a Config shows its issuer and its
// audiences only. That cannot be had for a Config in an unexported field of
// another struct, nor for the verbs %p and %w, which go vet refuses: those show
// SharedSecrets.
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

	// Audiences are all the names that this service answers to; one of them
	// must be in aud. With several, put an Audience rule on every route.
	Audiences []string

	// AnyAudience gives up that check, for issuers that send no usable aud. New
	// then asks for at least one rule in Rules, such as Client or Scope, to keep
	// other callers out. No rule prevents replay: a service that receives a client's
	// token can send it to this API as that client.
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
	// seconds, 5 minutes is the most, and a negative one means none. One below a
	// millisecond is an error: it lacks its unit.
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

	// What to keep, and who hears of it.

	// Logger hears why requests are refused; nil means slog.Default(). Each
	// refusal is logged at Debug, and at Info at most one per reason and minute,
	// with the number of those since the last. That nobody can tell (503) is
	// logged at Warn when it begins, and what is set up wrongly at Error. The
	// lines say who was refused where a signature vouches for it, and quote at
	// most 200 bytes of what does not. JWKS.Logger is this one, too, unless it is
	// set. In a Join the first part's hears of refusals.
	Logger *slog.Logger

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
	algorithms  map[string]*jose.Algorithm
	audiences   []string
	audienceSet map[string]bool // of many; nil for a few
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
	if len(t.audiences) > 8 {
		t.audienceSet = make(map[string]bool)
		for _, a := range t.audiences {
			t.audienceSet[a] = true
		}
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
	if cfg.SharedSecrets != nil {
		t.keys = newSecretKeys(cfg.SharedSecrets)
	}
	if err := checkConfig(cfg); err != nil {
		return nil, err
	}
	var err error
	t.algorithms, err = chooseAlgorithms(cfg)
	return t, err
}

func checkConfig(cfg *Config) error {
	switch {
	case cfg.Issuer == "":
		return errors.New("no Issuer is configured")
	case len(cfg.Audiences) == 0 && !cfg.AnyAudience:
		return errors.New("no Audiences are configured (or AnyAudience with a rule in Rules)")
	case len(cfg.Audiences) > 0 && cfg.AnyAudience:
		return errors.New("both Audiences and AnyAudience are set")
	case cfg.AnyAudience && len(cfg.Rules) == 0:
		return errors.New("with AnyAudience a rule is needed in Rules, such as Client")
	case slices.Contains(cfg.Audiences, ""), slices.Contains(cfg.Types, ""),
		slices.Contains(cfg.Claims.ClientID, ""), slices.Contains(cfg.Claims.Scopes, ""):
		return errors.New("an empty string in Audiences, Types or Claims can satisfy nothing")
	case isNil(cfg.Keys):
		return errors.New("a nil pointer in Keys")
	case cfg.Claims.ClientCredentials == ClientCredentials():
		return errors.New("the rule ClientCredentials asks Claims.ClientCredentials, which is that rule")
	case cfg.Keys != nil && !reflect.ValueOf(cfg.JWKS).IsZero():
		return errors.New("both Keys and JWKS are set, but JWKS tunes the default keys")
	case cfg.SharedSecrets != nil && (cfg.Keys != nil || !reflect.ValueOf(cfg.JWKS).IsZero()):
		return errors.New("both SharedSecrets and Keys or JWKS are set")
	case len(cfg.SharedSecrets) > candidatesAtMost:
		return fmt.Errorf("%d SharedSecrets, where at most %d are tried", len(cfg.SharedSecrets), candidatesAtMost)
	case cfg.Leeway > 0 && cfg.Leeway < time.Millisecond:
		return fmt.Errorf("a Leeway of %d ns: is the unit missing?", cfg.Leeway)
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

func chooseAlgorithms(cfg *Config) (map[string]*jose.Algorithm, error) {
	secrets := cfg.SharedSecrets
	names := cfg.Algorithms
	if len(names) == 0 {
		for _, a := range jose.Algorithms() {
			names = append(names, a.Name)
		}
	}
	chosen := make(map[string]*jose.Algorithm)
	useful := make([]bool, len(secrets))
	for _, name := range names {
		a := jose.ByName(name)
		ok := a != nil && a.MinSecret == 0 && secrets == nil
		for i, secret := range secrets {
			if a != nil && a.MinSecret > 0 && len(secret) >= a.MinSecret {
				ok, useful[i] = true, true
			}
		}
		switch {
		case ok:
			chosen[name] = a
		case len(cfg.Algorithms) > 0:
			return nil, fmt.Errorf("algorithm %q is unknown, never accepted, or does not fit the keys", name)
		}
	}
	switch i := slices.Index(useful, false); {
	case secrets != nil && len(secrets) == 0:
		return nil, errors.New("SharedSecrets is empty")
	case i >= 0:
		return nil, fmt.Errorf("SharedSecrets[%d] has %d bytes, which is too short (RFC 7518 section 3.2: 32 bytes for HS256, 48 for HS384, 64 for HS512)", i, len(secrets[i]))
	}
	return chosen, nil
}
