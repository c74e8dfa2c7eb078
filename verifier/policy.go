package verifier

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// An issuerPolicy is a Config that was checked, with its defaults. It is immutable,
// except that a tenant's may end.
type issuerPolicy struct {
	api         *api
	tenant      *tenant     // nil if the issuer is configured, or not kept
	config      *Config     // of a tenant
	ended       atomic.Bool // another one holds for the tenant, or none
	issuer      string
	keys        KeySource
	algorithms  map[string]*jose.Algorithm
	audiences   []string
	audienceSet map[string]bool // nil for a few audiences
	anyAudience bool
	rfc9068     bool
	types       []string
	leeway      time.Duration
	maxLifetime time.Duration // 0: no limit
	rules       []Rule

	clientID, scopes, roles places
	clientCredentials       Rule // or nil
}

// policies are those of one Verifier, by issuer.
type policies map[string]*issuerPolicy

// hasAudience reports whether a is configured. A token can have hundreds of audiences,
// so many configured ones are not compared one by one.
func (p *issuerPolicy) hasAudience(a string) bool {
	if p.audienceSet != nil {
		return p.audienceSet[a]
	}
	return slices.Contains(p.audiences, a)
}

// accepts reports whether aud contains a configured audience.
func (p *issuerPolicy) accepts(aud []string) bool {
	return p.anyAudience || slices.ContainsFunc(aud, p.hasAudience)
}

const (
	defaultLeeway = 60 * time.Second
	maxLeeway     = 5 * time.Minute
)

// newPolicy checks and copies cfg. The keys are nil if they will be discovered.
func newPolicy(cfg *Config, a *api) (*issuerPolicy, error) {
	if err := checkRules(cfg.fixedRules, nil); err != nil { // first: see Invalid
		return nil, err
	}
	if err := checkConfig(cfg); err != nil {
		return nil, err
	}
	if err := a.checkRevocable(cfg.MaxLifetime); err != nil {
		return nil, err
	}
	p := &issuerPolicy{
		api:               a,
		issuer:            cfg.Issuer,
		keys:              cfg.Keys,
		audiences:         slices.Clone(cfg.Audiences),
		anyAudience:       cfg.AnyAudience,
		rfc9068:           cfg.RFC9068,
		types:             slices.Clone(cfg.Types),
		leeway:            cfg.Leeway,
		maxLifetime:       cfg.MaxLifetime,
		rules:             slices.Concat(cfg.fixedRules, cfg.Rules),
		clientCredentials: cfg.Claims.ClientCredentials,
	}
	if len(p.audiences) > 8 {
		p.audienceSet = make(map[string]bool)
		for _, a := range p.audiences {
			p.audienceSet[a] = true
		}
	}
	switch {
	case cfg.Types != nil:
	case cfg.RFC9068:
		p.types = []string{"at+jwt"}
	default:
		p.types = []string{"at+jwt", "JWT", ""}
	}
	if p.leeway == 0 {
		p.leeway = defaultLeeway
	}
	p.leeway = max(p.leeway, 0)
	if cfg.SharedSecrets != nil {
		p.keys = newSecretKeys(cfg.SharedSecrets)
	}
	var errs [4]error
	p.clientID, errs[0] = newPlaces("ClientID", cfg.Claims.ClientID, "client_id", "azp")
	p.scopes, errs[1] = newPlaces("Scopes", cfg.Claims.Scopes, "scope", "scp")
	p.roles, errs[2] = newPlaces("Roles", cfg.Claims.Roles, "roles")
	p.algorithms, errs[3] = chooseAlgorithms(cfg)
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	only := &api{policies: policies{p.issuer: p}, extensions: a.extensions}
	if err := checkRules(p.rules, only); err != nil {
		return nil, fmt.Errorf("in Rules: %w", err)
	}
	if p.clientCredentials != nil {
		if err := checkRules([]Rule{p.clientCredentials}, only); err != nil {
			return nil, fmt.Errorf("in Claims: %w", err)
		}
	}
	return p, nil
}

func checkConfig(cfg *Config) error {
	switch {
	case cfg.Issuer == "":
		return errors.New("no Issuer is configured")
	case len(cfg.Audiences) == 0 && !cfg.AnyAudience:
		return errors.New("no Audiences are configured (or AnyAudience with a rule in Rules)")
	case len(cfg.Audiences) > 0 && cfg.AnyAudience:
		return errors.New("both Audiences and AnyAudience are set")
	case cfg.AnyAudience && len(cfg.Rules)+len(cfg.fixedRules) == 0:
		return errors.New("AnyAudience needs a rule in Rules, such as Client")
	case slices.Contains(cfg.Audiences, ""):
		return errors.New("there is an empty string in Audiences")
	case cfg.Types != nil && len(cfg.Types) == 0:
		return errors.New("an empty list in Types, so no token could pass; nil means the default")
	case isNil(cfg.Keys):
		return errors.New("a nil pointer in Keys")
	case cfg.Claims.ClientCredentials == ClientCredentials():
		return errors.New("Claims.ClientCredentials must not be ClientCredentials(), which uses it")
	case cfg.Keys != nil && !reflect.ValueOf(cfg.JWKS).IsZero():
		return errors.New("both Keys and JWKS are set, but JWKS configures the default keys")
	case cfg.SharedSecrets != nil && (cfg.Keys != nil || !reflect.ValueOf(cfg.JWKS).IsZero()):
		return errors.New("both SharedSecrets and Keys or JWKS are set")
	case len(cfg.SharedSecrets) > jose.MaxCandidates:
		return fmt.Errorf("there are %d SharedSecrets; at most %d are tried", len(cfg.SharedSecrets), jose.MaxCandidates)
	case cfg.Leeway > 0 && cfg.Leeway < time.Millisecond:
		return fmt.Errorf("a Leeway of %d ns: is the unit missing?", cfg.Leeway)
	case cfg.Leeway > maxLeeway:
		return fmt.Errorf("a Leeway of %s; at most %s is accepted", cfg.Leeway, maxLeeway)
	case cfg.MaxLifetime != 0 && cfg.MaxLifetime < time.Second:
		return fmt.Errorf("a MaxLifetime of %d ns: negative, or is the unit missing?", cfg.MaxLifetime)
	}
	return nil
}

// isNil reports whether an interface has a nil pointer, which would fail only at the
// first request.
func isNil(part any) bool {
	switch v := reflect.ValueOf(part); v.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		return v.IsNil()
	}
	return false
}

func chooseAlgorithms(cfg *Config) (map[string]*jose.Algorithm, error) {
	secrets := cfg.SharedSecrets
	if secrets != nil && len(secrets) == 0 {
		return nil, errors.New("SharedSecrets is empty")
	}
	fits := func(a *jose.Algorithm) bool {
		if secrets == nil {
			return a.MinSecret == 0
		}
		return a.MinSecret > 0 && slices.ContainsFunc(secrets, func(s []byte) bool { return len(s) >= a.MinSecret })
	}
	chosen := make(map[string]*jose.Algorithm)
	for _, a := range jose.Algorithms() {
		if len(cfg.Algorithms) == 0 && fits(a) {
			chosen[a.Name] = a
		}
	}
	for _, name := range cfg.Algorithms {
		switch a := jose.ByName(name); {
		case name == "none":
			return nil, errors.New("algorithm none is never accepted")
		case a == nil:
			return nil, fmt.Errorf("algorithm %q is unknown", name)
		case a.MinSecret > 0 && secrets == nil:
			return nil, fmt.Errorf("algorithm %q needs SharedSecrets", name)
		case a.MinSecret == 0 && secrets != nil:
			return nil, fmt.Errorf("algorithm %q does not use SharedSecrets", name)
		case !fits(a):
			return nil, fmt.Errorf("algorithm %q needs a secret of at least %d bytes", name, a.MinSecret)
		default:
			chosen[name] = a
		}
	}
	for i, secret := range secrets {
		useful := false
		for _, a := range chosen {
			useful = useful || len(secret) >= a.MinSecret
		}
		if !useful {
			return nil, fmt.Errorf("SharedSecrets[%d] has %d bytes, which is too short (RFC 7518 section 3.2: 32 bytes for HS256, 48 for HS384, 64 for HS512)", i, len(secret))
		}
	}
	return chosen, nil
}

// A place is the name of a claim or a JSON Pointer: see [Claims].
type place struct {
	name string // as configured
	path jose.Path
}

func newPlace(name string) (place, error) {
	if name == "" {
		return place{}, errors.New("the name is empty")
	}
	path, err := jose.ParsePath(name)
	if err != nil {
		return place{}, fmt.Errorf("%q is %w", name, err)
	}
	return place{name, path}, nil
}

type places []place

func newPlaces(field string, names []string, defaults ...string) (all places, err error) {
	if names == nil {
		names = defaults
	}
	for _, name := range names {
		p, err := newPlace(name)
		if err != nil {
			return nil, fmt.Errorf("in Claims.%s: %w", field, err)
		}
		all = append(all, p)
	}
	return all, nil
}

func (all places) contain(name string) bool {
	return slices.ContainsFunc(all, func(p place) bool { return p.name == name })
}

func (all places) String() string {
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = p.name
	}
	return strings.Join(names, ", ")
}
