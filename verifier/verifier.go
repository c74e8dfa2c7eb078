package verifier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// A Verifier decides whether access tokens are good for this API. It is safe
// for concurrent use.
type Verifier struct {
	trusts  map[string]*trust // by issuer
	closers []io.Closer       // what New started

	leeway       time.Duration // the longest of all trusts
	lengthAtMost int
	realm        string
	tokenFrom    tokenFrom
	perRequest   bool // a setting that concerns requests was made

	headers headerCache
	log     refusalLog
	tokens  *tokenCache
	tooLong *Error // to say so of a token costs nothing
	bugs    bugLog

	joined bool // under joining
}

// New returns a Verifier for one issuer, or says what is wrong with cfg. It
// does no network I/O: fetching keys starts in the background. Use
// [Verifier.Ready] to wait for them, and [Verifier.Close] to stop.
func New(cfg Config) (*Verifier, error) {
	v, err := newVerifier(&cfg)
	if err != nil {
		return nil, fmt.Errorf("verifier: %w", err)
	}
	return v, nil
}

func newVerifier(cfg *Config) (*Verifier, error) {
	t, err := newTrust(cfg)
	if err != nil {
		return nil, err
	}
	v := &Verifier{
		trusts:       map[string]*trust{t.issuer: t},
		leeway:       t.leeway,
		lengthAtMost: cfg.TokenLength,
		realm:        cfg.Realm,
		tokenFrom:    cfg.TokenFrom,
		log:          refusalLog{logger: cfg.Logger},
		perRequest:   cfg.TokenLength != 0 || cfg.Realm != "" || cfg.TokenFrom != nil,
	}
	if v.lengthAtMost == 0 {
		v.lengthAtMost = defaultTokenLength
	}
	tokens := cfg.TokenCache
	if tokens == 0 {
		tokens = defaultTokenCache
	}
	v.prepare(tokens)
	t.remembered = tokens > 0
	if err := v.checkRules(t.rules); err != nil {
		return nil, fmt.Errorf("in Rules: %w", err)
	}
	if t.machine != nil {
		if err := v.checkRules([]Rule{t.machine}); err != nil {
			return nil, fmt.Errorf("in Claims: %w", err)
		}
	}
	if t.keys == nil {
		cache, err := discoverKeys(cfg)
		if err != nil {
			return nil, err
		}
		t.keys, v.closers = cache, append(v.closers, cache)
	}
	return v, nil
}

// prepare makes what v has for itself and not of its parts.
func (v *Verifier) prepare(tokens int) {
	v.tokens = newTokenCache(max(tokens, 0))
	v.tooLong = v.complete(refusal(ErrMalformed, "the token has more than %d bytes", v.lengthAtMost), nil)
}

// joining is held by Join, so that no part is taken over twice at one moment.
var joining sync.Mutex

// Join returns a Verifier that trusts every issuer its parts trust, each with
// its own keys, audiences and rules. Settings that concern the request, before
// the issuer is known (TokenFrom, TokenLength, Realm), must stand in the first
// part only. Two parts with one issuer are an error.
//
// On success the parts are taken over: close only the result. On error they
// stay yours. A Verifier joins once.
func Join(parts ...*Verifier) (*Verifier, error) {
	if len(parts) == 0 {
		return nil, errors.New("verifier: Join: nothing to join")
	}
	joining.Lock()
	defer joining.Unlock()
	v := &Verifier{trusts: make(map[string]*trust)}
	tokens := 0
	for i, p := range parts {
		switch {
		case p == nil:
			return nil, fmt.Errorf("verifier: Join: part %d is nil", i)
		case p.joined:
			return nil, fmt.Errorf("verifier: Join: part %d is joined already", i)
		case i > 0 && p.perRequest:
			return nil, fmt.Errorf("verifier: Join: part %d sets TokenFrom, TokenLength or Realm, which only the first may", i)
		}
		for issuer, t := range p.trusts {
			if v.trusts[issuer] != nil {
				return nil, fmt.Errorf("verifier: Join: issuer %q twice", issuer)
			}
			v.trusts[issuer] = t
		}
		v.closers = append(v.closers, p.closers...)
		v.leeway = max(v.leeway, p.leeway)
		tokens = min(tokens+p.tokens.atMost, tokenCacheBytes)
	}
	first := parts[0]
	v.lengthAtMost, v.realm, v.perRequest = first.lengthAtMost, first.realm, first.perRequest
	v.tokenFrom = first.tokenFrom
	v.log.logger = first.log.logger
	v.prepare(tokens)
	for _, p := range parts {
		p.joined = true
	}
	return v, nil
}

// Ready waits until every issuer's keys are there, or until ctx is done. It
// returns early where waiting does not help, such as when an issuer's metadata
// names another one. The error names each issuer whose keys are missing, and
// wraps the last fetch's. Keys of your own that are not [ManagedKeys] count as
// ready.
func (v *Verifier) Ready(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return v.forEach(func(k ManagedKeys) error {
		err := k.Ready(ctx)
		if err != nil {
			cancel()
		}
		return err
	})
}

// Refresh looks for newer metadata and keys of every issuer now, past caches in
// between, and returns when all that began after the call have ended. It is for
// operators: with it a compromised key that its issuer has withdrawn goes at
// once. The error names each issuer for which that failed; see
// jwkscache.Cache.Refresh.
func (v *Verifier) Refresh(ctx context.Context) error {
	return v.forEach(func(k ManagedKeys) error { return k.Refresh(ctx) })
}

// forEach calls f for the keys of all issuers at once.
func (v *Verifier) forEach(f func(ManagedKeys) error) error {
	issuers := slices.Sorted(maps.Keys(v.trusts))
	errs := make([]error, len(issuers))
	var all sync.WaitGroup
	for i, issuer := range issuers {
		if k, ok := v.trusts[issuer].keys.(ManagedKeys); ok {
			all.Go(func() {
				if err := f(k); err != nil {
					errs[i] = fmt.Errorf("verifier: issuer %q: %w", issuer, err)
				}
			})
		}
	}
	all.Wait()
	return errors.Join(errs...)
}

// Health reports at once, for a probe, whether tokens can be checked: nil while
// at least one issuer's can, or why none can. [Verifier.Issuers] tells them
// apart. Take it for readiness, not for liveness: a restart does not bring an
// issuer back.
func (v *Verifier) Health() error {
	var errs []error
	for _, s := range v.Issuers() {
		if s.Err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("verifier: issuer %q: %w", s.Issuer, s.Err))
	}
	return errors.Join(errs...)
}

// An IssuerStatus says how one issuer's keys are.
type IssuerStatus struct {
	Issuer string
	Err    error           // why its tokens cannot be checked now, or nil
	Keys   jwkscache.Stats // zero unless the keys are ManagedKeys
}

// Issuers returns how the keys of each issuer are, sorted by issuer: for metrics
// and for status pages.
func (v *Verifier) Issuers() []IssuerStatus {
	var all []IssuerStatus
	for _, issuer := range slices.Sorted(maps.Keys(v.trusts)) {
		s := IssuerStatus{Issuer: issuer}
		if k, ok := v.trusts[issuer].keys.(ManagedKeys); ok {
			s.Err, s.Keys = k.Health(), k.Stats()
		}
		all = append(all, s)
	}
	return all
}

// Close stops what New started, waits for it to end, and is idempotent. The
// last keys go on serving until JWKS.MaxStale.
func (v *Verifier) Close() error {
	var errs []error
	for _, c := range v.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

func (v *Verifier) hasAudience(a string) bool {
	for _, t := range v.trusts {
		if t.hasAudience(a) {
			return true
		}
	}
	return false
}
