package verifier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultMaxTenants = 1000

	// How long a tenant is kept at least: after its last good token, or after it was
	// first named while no signature vouches for one of its tokens.
	minTenantIdle = 10 * time.Minute
	minTenantNew  = 15 * time.Second

	// tenantPeriod is how often Settings.Tenants is asked for a tenant that is kept.
	tenantPeriod = time.Minute

	// maxTenantIssuer is the length limit of an issuer that Settings.Tenants is asked
	// for, in bytes.
	maxTenantIssuer = 2048

	// maxTenantsCall is how long Settings.Tenants may take before it is reported.
	maxTenantsCall = 10 * time.Millisecond
)

// tenants are the issuers that [Settings.Tenants] has named, as far as they are
// kept: at most max. One that was not used for a while makes room for another. If
// there is none, the other is refused: more tenants than there is room for do not
// push each other out in turn.
type tenants struct {
	ask  func(issuer string) (Config, bool)
	api  *api
	max  int
	left func(*issuerPolicy) // is called with a policy that does not hold any more

	mu     sync.RWMutex // guards what follows; not held while anything waits
	live   map[string]*tenant
	full   time.Time // until then, nobody can make room
	closed bool

	leaving sync.WaitGroup // key caches that are being closed; added to under mu, until closed
}

// A tenant is one of them.
type tenant struct {
	named time.Time // when it was added
	keys  io.Closer // nil if the Config brought keys of its own
	used  atomic.Int64

	leaves bool // was taken out before the Verifier was closed: leave closes its keys

	policy  atomic.Pointer[issuerPolicy]
	checked atomic.Int64 // when Settings.Tenants last named it
}

// markUsed notes that a signature vouches for a token of t.
func (t *tenant) markUsed(now time.Time) { t.used.Store(now.UnixNano()) }

// isDue reports whether Settings.Tenants is to be asked again.
func (t *tenant) isDue(now time.Time) bool {
	return now.UnixNano()-t.checked.Load() >= int64(tenantPeriod)
}

// find returns the policy of an issuer that is not configured. Anybody's token can
// name it, so nothing is kept here of one that is not kept already.
func (ts *tenants) find(iss string, now time.Time) (*issuerPolicy, *Error) {
	ts.mu.RLock()
	t := ts.live[iss]
	ts.mu.RUnlock()
	if t != nil && !t.isDue(now) {
		return t.policy.Load(), nil
	}
	if len(iss) > maxTenantIssuer {
		return nil, ts.api.wrongIssuer(iss)
	}
	iss = strings.Clone(iss) // of which the Config may have parts that stay: without the token
	began := time.Now()
	cfg, ok := ts.ask(iss)
	if time.Since(began) > maxTenantsCall {
		ts.api.reportBug(context.Background(), fmt.Errorf("Settings.Tenants took more than %s: it has to look the issuer up in memory", maxTenantsCall))
	}
	switch {
	case !ok && t != nil:
		ts.remove(t)
		return nil, ts.api.wrongIssuer(iss)
	case !ok:
		return nil, ts.api.wrongIssuer(iss)
	case t != nil && isSameConfig(cfg, *t.policy.Load().config):
		t.checked.Store(now.UnixNano())
		return t.policy.Load(), nil
	case cfg.Issuer != iss:
		return nil, configurationError(errors.New("Settings.Tenants returned the Config of another issuer than it was asked for"))
	}
	p, err := newPolicy(&cfg, ts.api)
	if err != nil {
		return nil, configurationError(fmt.Errorf("Settings.Tenants returned a Config that New would refuse: %w", err))
	}
	p.config = &cfg
	switch {
	case t == nil:
	case p.keys == nil && t.keys == nil: // it had keys of its own, which must not stay
		ts.remove(t)
	default:
		ts.replace(t, p, now)
	}
	return p, nil
}

// isSameConfig reports whether a and b are equal, JWKS.Observe aside: functions cannot be
// compared, and the key cache of a tenant keeps its own.
func isSameConfig(a, b Config) bool {
	a.JWKS.Observe, b.JWKS.Observe = nil, nil
	return reflect.DeepEqual(a, b)
}

// kept returns the policy of a tenant that is kept, or nil.
func (ts *tenants) kept(iss string) *issuerPolicy {
	if ts == nil {
		return nil
	}
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	if t := ts.live[iss]; t != nil {
		return t.policy.Load()
	}
	return nil
}

// replace puts p in place of the policy of t. The key cache of t stays.
func (ts *tenants) replace(t *tenant, p *issuerPolicy, now time.Time) {
	old := t.policy.Load()
	if p.keys == nil {
		p.keys = old.keys
	}
	p.tenant = t
	t.policy.Store(p)
	t.checked.Store(now.UnixNano())
	ts.end(old)
}

// end ends the policy: remembered tokens do not count any more.
func (ts *tenants) end(p *issuerPolicy) {
	p.ended.Store(true)
	ts.left(p)
}

// keep makes p the policy of a tenant that is kept, if there is room, and starts its
// key cache. It returns the policy to use.
func (ts *tenants) keep(p *issuerPolicy, now time.Time) (*issuerPolicy, *Error) {
	left, p, err := ts.add(p, now)
	if left != nil {
		ts.leave(left)
	}
	return p, err
}

func (ts *tenants) add(p *issuerPolicy, now time.Time) (left *tenant, _ *issuerPolicy, _ *Error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t := ts.live[p.issuer]; t != nil { // another request was quicker
		return nil, t.policy.Load(), nil
	}
	if ts.closed {
		return nil, nil, keysUnavailable(errors.New("the Verifier is closed"))
	}
	if len(ts.live) >= ts.max {
		if left = ts.makeRoom(now); left == nil {
			return nil, nil, &Error{Reason: ErrUnavailable, Err: errNoRoom, ours: true}
		}
	}
	t := &tenant{named: now}
	if p.keys == nil {
		cache, err := ts.api.discoverKeys(p.config)
		if err != nil {
			return left, nil, configurationError(fmt.Errorf("Settings.Tenants returned a Config that New would refuse: %w", err))
		}
		p.keys, t.keys = cache, cache
	}
	p.tenant = t
	t.policy.Store(p)
	t.checked.Store(now.UnixNano())
	ts.live[p.issuer] = t
	return left, p, nil
}

var errNoRoom = errors.New("as many tenants as MaxTenants are in use")

// makeRoom takes out a tenant that no signature has vouched for, or else the one
// that was not used for longest. It returns nil if all are to be kept. ts.mu is
// held.
func (ts *tenants) makeRoom(now time.Time) *tenant {
	if now.Before(ts.full) {
		return nil
	}
	var least *tenant
	for _, t := range ts.live { // in random order, so that nobody can choose
		used := t.used.Load()
		if used == 0 && now.Sub(t.named) >= minTenantNew {
			least = t
			break
		}
		if used != 0 && now.UnixNano()-used >= int64(minTenantIdle) && (least == nil || used < least.used.Load()) {
			least = t
		}
	}
	if least == nil {
		ts.full = now.Add(time.Second) // or each token of the excess would go through all tenants
		return nil
	}
	ts.takeOut(least)
	return least
}

// takeOut takes t out. The caller calls leave after it has unlocked ts.mu, which is
// held. Of a Verifier that is closed, close closes all keys.
func (ts *tenants) takeOut(t *tenant) {
	delete(ts.live, t.policy.Load().issuer)
	if t.keys != nil && !ts.closed {
		ts.leaving.Add(1)
		t.leaves = true
	}
}

// remove takes out a tenant that Settings.Tenants does not know any more.
func (ts *tenants) remove(t *tenant) {
	ts.mu.Lock()
	known := ts.live[t.policy.Load().issuer] == t
	if known {
		ts.takeOut(t)
	}
	ts.mu.Unlock()
	if known {
		ts.leave(t)
	}
}

// leave ends what was kept of a tenant that was taken out.
func (ts *tenants) leave(t *tenant) {
	ts.end(t.policy.Load())
	if t.leaves {
		go func() {
			defer ts.leaving.Done()
			_ = t.keys.Close() // it waits for a fetch to end
		}()
	}
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
		all = append(all, t.policy.Load())
	}
	return all
}

// close stops the key caches of all tenants. Their last keys go on serving.
func (ts *tenants) close() {
	if ts == nil {
		return
	}
	ts.mu.Lock()
	first := !ts.closed
	ts.closed = true
	var all []io.Closer
	for _, t := range ts.live {
		if t.keys != nil {
			all = append(all, t.keys)
		}
	}
	ts.mu.Unlock()
	var closing sync.WaitGroup
	for _, c := range all {
		closing.Go(func() { _ = c.Close() })
	}
	closing.Wait()
	if first {
		ts.leaving.Wait()
	}
}
