package verifier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
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
	v.prepare(tokens)
	for _, p := range parts {
		p.joined = true
	}
	return v, nil
}

// Ready waits until every issuer's keys are there, or until ctx is done; the
// error then wraps the last fetch's. A Keys of your own that is not
// [ManagedKeys] counts as ready.
func (v *Verifier) Ready(ctx context.Context) error {
	for issuer, t := range v.trusts {
		if k, ok := t.keys.(ManagedKeys); ok {
			if err := k.Ready(ctx); err != nil {
				return fmt.Errorf("verifier: issuer %q: %w", issuer, err)
			}
		}
	}
	return nil
}

// Health tells at once, for a probe, whether every issuer's tokens can be
// checked: nil, or why not. Take it for readiness, not for liveness: a restart
// does not bring an issuer back.
func (v *Verifier) Health() error {
	var sick []error
	for issuer, t := range v.trusts {
		if k, ok := t.keys.(ManagedKeys); ok {
			if err := k.Health(); err != nil {
				sick = append(sick, fmt.Errorf("verifier: issuer %q: %w", issuer, err))
			}
		}
	}
	return errors.Join(sick...)
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
		if slices.Contains(t.audiences, a) {
			return true
		}
	}
	return false
}
