package verifier

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultMaxTenants = 1000

	// How long a tenant is kept after its last good token, and after it was first
	// named while none has come: anybody can name one.
	minTenantIdle = 10 * time.Minute
	minTenantNew  = time.Minute

	// maxTenantIssuer is how long an issuer may be that Settings.Tenants is asked
	// for, in bytes.
	maxTenantIssuer = 2048

	// maxTenantsCall is how long Settings.Tenants may take before it is reported.
	maxTenantsCall = 10 * time.Millisecond
)

// tenants are the issuers that [Settings.Tenants] has named, as far as they are
// kept: at most max. One that was not used for a while makes room for another.
// Where none was, the other is refused, so that more live tenants than there is
// room for do not push each other out in turn.
type tenants struct {
	ask func(issuer string) (Config, bool)
	api *api
	max int

	mu     sync.RWMutex // guards what follows
	live   map[string]*tenant
	full   time.Time // until when none can make room
	closed bool

	leaving sync.WaitGroup // of key caches that are being closed
}

// A tenant is one of them.
type tenant struct {
	policy *issuerPolicy
	keys   io.Closer // nil where the Config brought keys of its own
	named  time.Time // when its first token came
	used   atomic.Int64
	gone   atomic.Bool // it has made room: its remembered tokens do not count
}

// markUsed notes that a signature vouches for a token of t.
func (t *tenant) markUsed(now time.Time) { t.used.Store(now.UnixNano()) }

// freeAt returns when t may make room for another.
func (t *tenant) freeAt() time.Time {
	if used := t.used.Load(); used != 0 {
		return time.Unix(0, used).Add(minTenantIdle)
	}
	return t.named.Add(minTenantNew)
}

// find returns the policy of an issuer that is not configured. Anybody's token
// may name it, so nothing is kept of one that is not a tenant.
func (ts *tenants) find(iss string, now time.Time) (*issuerPolicy, *Error) {
	ts.mu.RLock()
	t := ts.live[iss]
	ts.mu.RUnlock()
	if t != nil {
		return t.policy, nil
	}
	if len(iss) > maxTenantIssuer {
		return nil, ts.api.wrongIssuer(iss)
	}
	began := time.Now()
	cfg, ok := ts.ask(iss)
	if time.Since(began) > maxTenantsCall {
		ts.api.reportSlowTenants()
	}
	switch {
	case !ok:
		return nil, ts.api.wrongIssuer(iss)
	case cfg.Issuer != iss:
		return nil, configurationError(fmt.Errorf("Settings.Tenants was asked for the issuer %s and returned the Config of %s", quote(iss), quote(cfg.Issuer)))
	}
	return ts.add(&cfg, now)
}

func (ts *tenants) add(cfg *Config, now time.Time) (*issuerPolicy, *Error) {
	p, err := newPolicy(cfg, ts.api)
	if err != nil {
		return nil, configurationError(fmt.Errorf("Settings.Tenants, issuer %s: %w", quote(cfg.Issuer), err))
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t := ts.live[cfg.Issuer]; t != nil { // another request was quicker
		return t.policy, nil
	}
	if ts.closed {
		return nil, keysUnavailable(errors.New("the Verifier is closed"))
	}
	if len(ts.live) >= ts.max && !ts.makeRoom(now) {
		return nil, keysUnavailable(fmt.Errorf("all %d tenants of MaxTenants are in use", ts.max))
	}
	t := &tenant{policy: p, named: now}
	if p.keys == nil {
		cache, err := discoverKeys(cfg, ts.api.log.logger)
		if err != nil {
			return nil, configurationError(fmt.Errorf("Settings.Tenants, issuer %s: %w", quote(cfg.Issuer), err))
		}
		p.keys, t.keys = cache, cache
	}
	p.tenant = t
	ts.live[p.issuer] = t
	return p, nil
}

// makeRoom drops the tenant that was not used for longest, if that was long
// enough. ts.mu is held.
func (ts *tenants) makeRoom(now time.Time) bool {
	if now.Before(ts.full) {
		return false
	}
	var oldest *tenant
	for _, t := range ts.live {
		if oldest == nil || t.freeAt().Before(oldest.freeAt()) {
			oldest = t
		}
	}
	if now.Before(oldest.freeAt()) {
		// Without this, each token of the excess would look through all tenants.
		ts.full = now.Add(min(oldest.freeAt().Sub(now), time.Second))
		return false
	}
	oldest.gone.Store(true)
	delete(ts.live, oldest.policy.issuer)
	if oldest.keys != nil {
		ts.leaving.Go(func() { _ = oldest.keys.Close() }) // it waits for a fetch to end
	}
	return true
}

// policies returns those of all tenants that are kept.
func (ts *tenants) policies() []*issuerPolicy {
	if ts == nil {
		return nil
	}
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	all := make([]*issuerPolicy, 0, len(ts.live))
	for _, t := range ts.live {
		all = append(all, t.policy)
	}
	return all
}

// close stops the key caches of all tenants. Their last keys serve on.
func (ts *tenants) close() (errs []error) {
	if ts == nil {
		return nil
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.closed = true
	for _, t := range ts.live {
		if t.keys != nil {
			errs = append(errs, t.keys.Close())
		}
	}
	ts.leaving.Wait()
	return errs
}
