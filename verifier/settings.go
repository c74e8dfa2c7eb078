package verifier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Settings are those of one API, for all its issuers. The zero value is ready to use.
type Settings struct {
	// TokenFrom returns the token of a request that has it outside the
	// Authorization field (in a cookie or a WebSocket subprotocol), or "". A
	// request with a token in both places gets 400. Nil means that only the
	// Authorization field is read. A browser sends a cookie also for a page of another
	// origin: docs/recipes.md has what must stand around it.
	TokenFrom func(*http.Request) string

	// MaxTokenLength is the length limit of a token, in bytes. Zero means 16,384.
	MaxTokenLength int

	// Tenants returns the Config of an issuer that is not configured, or false if
	// it is not trusted: for issuers that are not known when the program starts. It
	// is called concurrently, with whatever a token names as iss, before anything
	// vouches for the token: once for each token of an issuer that is not kept, and
	// once a minute for one that is, so that a Config that changed holds within a
	// minute and an issuer that is not trusted any more is refused within one. So it
	// looks the issuer up in memory: a call of more than 10 ms is logged as a
	// configuration error. While nothing changed it returns an equal Config, with
	// the very same Checks, Keys and HTTPClient: each change makes remembered tokens
	// be verified again. The Config's Issuer is the one that was asked for; a
	// change of its JWKS takes effect when the tenant is dropped. Rules that name an
	// audience or an issuer are checked with the token, not when a route is made.
	Tenants func(issuer string) (Config, bool)

	// MaxTenants is how many issuers of Tenants are kept, each with its own key
	// cache. Zero means 1,000. If there is no room, one is dropped: one that no
	// signature has vouched for within 15 seconds, or the one that was not used for
	// longest, but at least 10 minutes. If there is none, tokens of further tenants
	// get 503, which anybody can cause who knows the names of more tenants than
	// there is room for: set it to the number of all tenants, if you can.
	MaxTenants int

	// Realm is the realm of challenges (RFC 9110 §11.5), in printable ASCII
	// without quotation mark and backslash. Empty means "api".
	Realm string

	// Resources are this API as its clients know it, for protected resource metadata
	// (RFC 9728): a client that has only an address finds there which authorization
	// server issues tokens for it, and every challenge names the document
	// (resource_metadata). The adapters' HandleMetadata serves the documents. With
	// several, each route needs an Audience rule, which chooses one.
	Resources []Resource

	// Bindings confirm tokens that are bound to a key of their sender: DPoP (package
	// verifier/dpop), mutual TLS (package verifier/mtls). Without the binding, a token
	// with cnf is refused. The rule [Bound] refuses those without cnf.
	Bindings []Binding

	// Revocation reports which tokens were revoked before they expire, such as a List of
	// package verifier/revocation. It is asked about each token whose signature and
	// binding were checked, remembered ones included, before the rules. With a
	// [ManagedRevocation], each Config needs a MaxLifetime. Nil means that a token is
	// good until it expires.
	Revocation Revocation

	// TokenCache is how many verified tokens are remembered, so that the next
	// request with one needs no signature check. Zero means 4,096, and a negative
	// number none. They take at most 16 MiB, which is enough for about 5,000
	// tokens of common size.
	//
	// A remembered token is still refused once it has expired, once its key is
	// withdrawn or too old, and when a rule refuses it. It is verified again after
	// an hour.
	TokenCache int

	// Logger receives the causes of refusals; nil means slog.Default(). Each
	// refusal is logged at Debug, and at Info one per reason and minute, with the
	// number of refusals since the last line. Missing keys (503) are logged at
	// Warn when they begin to be missing, and a configuration error (500) at
	// Error. The lines name the caller if the signature was verified, and quote
	// at most 200 bytes of anything else.
	Logger *slog.Logger

	// Observe is called once for each decision, after it was made and before the
	// handler runs: for metrics and audit logs. The context is the request's. It is
	// called concurrently, and the request waits for it. If it panics, that is logged
	// as a configuration error and has no other effect.
	//
	// If a handler or another Guard refuses a request that a Verifier has admitted,
	// that is one more decision of this Verifier, with Inner set. FirstOf makes one
	// decision, that of the Guard whose admission or refusal it returns; a 500 or 503
	// of another of its Guards is one more.
	Observe func(context.Context, Decision)

	// ObserveKeys is called with the events of the key caches that New makes, those of
	// tenants included, under the conditions of jwkscache.Config.Observe. Several
	// caches call it concurrently. A Config with JWKS.Observe has that instead.
	ObserveKeys func(jwkscache.Event)
}

const (
	defaultMaxTokenLength = 16 << 10
	defaultRealm          = "api"
)

// New returns a Verifier for tokens of these issuers, which must all be different. It
// calls [Settings.New] of the zero Settings.
func New(issuers ...Config) (*Verifier, error) { return Settings{}.New(issuers...) }

// New returns a Verifier for tokens of these issuers, which must all be different, or
// an error that names the wrong setting and its Config. It does no network I/O: keys
// are fetched in the background. [Verifier.Ready] waits for them, and [Verifier.Close]
// stops fetching. If New returns an error, nothing is left running.
func (s Settings) New(issuers ...Config) (*Verifier, error) {
	v, err := s.newVerifier(issuers)
	if err != nil {
		return nil, fmt.Errorf("verifier: %w", err)
	}
	return v, nil
}

func (s *Settings) newVerifier(issuers []Config) (*Verifier, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if len(issuers) == 0 && s.Tenants == nil {
		return nil, errors.New("no Config: New needs one for each issuer")
	}
	a := &api{policies: make(policies), realm: s.Realm, log: refusalLog{logger: s.Logger}, observer: observer{s.Observe, s.ObserveKeys}}
	if len(s.Bindings) > 0 {
		a.bindings = slices.Clone(s.Bindings)
	}
	a.revocation = s.Revocation
	v := &Verifier{api: a, tokenFrom: s.TokenFrom, maxTokenLength: s.MaxTokenLength}
	if v.maxTokenLength == 0 {
		v.maxTokenLength = defaultMaxTokenLength
	}
	if s.Tenants != nil {
		a.tenants = &tenants{ask: s.Tenants, api: a, max: s.MaxTenants, live: make(map[string]*tenant)}
		if a.tenants.max == 0 {
			a.tenants.max = defaultMaxTenants
		}
		v.maxLeeway = maxLeeway
	}
	for i := range issuers {
		p, err := newPolicy(&issuers[i], a)
		if err == nil && a.policies[p.issuer] != nil {
			err = errors.New("there is another Config with this Issuer")
		}
		if err != nil {
			return nil, inIssuer(issuers, i, err)
		}
		a.policies[p.issuer] = p
		v.maxLeeway = max(v.maxLeeway, p.leeway)
	}
	a.demandsBinding = a.tenants == nil
	for _, p := range a.policies {
		a.demandsBinding = a.demandsBinding && demandBinding(p.rules)
	}
	if err := a.describe(s.Resources, issuers); err != nil {
		return nil, err
	}
	for i := range issuers { // last, since it starts goroutines
		p := a.policies[issuers[i].Issuer]
		if p.keys != nil {
			continue
		}
		cache, err := a.discoverKeys(&issuers[i])
		if err != nil {
			_ = v.Close()
			return nil, inIssuer(issuers, i, err)
		}
		p.keys, v.closers = cache, append(v.closers, cache)
	}
	remembered := s.TokenCache
	if remembered == 0 {
		remembered = defaultTokenCache
	}
	v.tokens = newTokenCache(max(remembered, 0))
	if a.tenants != nil {
		a.tenants.left = v.tokens.forgetAll
	}
	v.tooLong = a.complete(refusal(ErrMalformed, "the token has more than %d bytes", v.maxTokenLength), nil, "")
	return v, nil
}

// inIssuer adds to err which Config it is about, if there are several.
func inIssuer(issuers []Config, i int, err error) error {
	if len(issuers) == 1 {
		return err
	}
	return fmt.Errorf("Config %d (issuer %s): %w", i+1, quote(issuers[i].Issuer), err)
}

func (s *Settings) check() error {
	switch {
	case s.MaxTokenLength < 0:
		return errors.New("a negative MaxTokenLength")
	case s.MaxTenants < 0:
		return errors.New("a negative MaxTenants")
	case s.MaxTenants > 0 && s.Tenants == nil:
		return errors.New("no Tenants, but MaxTenants is set")
	case isNil(s.Revocation):
		return errors.New("a nil pointer in Revocation")
	case s.Realm != "" && !isQuotable(s.Realm):
		return errors.New("a Realm with characters other than printable ASCII, or a quotation mark or backslash")
	}
	return checkBindings(s.Bindings)
}

func isQuotable(s string) bool {
	return !slices.ContainsFunc([]byte(s), func(c byte) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' })
}
