package verifier

import (
	"cmp"
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

// A Verifier decides whether access tokens are valid for this API. It is safe for
// concurrent use.
type Verifier struct {
	api     *api
	closers []io.Closer // the key caches that New started

	tokenFrom      tokenFrom
	maxTokenLength int
	maxLeeway      time.Duration // of all issuers
	tooLong        *Error        // preallocated: unauthenticated clients can cause it at any rate
	tokens         *tokenCache
}

// Ready waits until the keys of every issuer are available, or until ctx is done. It
// returns early if waiting does not help, for example if an issuer's metadata names
// another issuer. The error names each issuer whose keys are missing, and wraps that of
// its last fetch. Keys of your own that are not [ManagedKeys] are always ready.
func (v *Verifier) Ready(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return forEach(v.configured(), func(k ManagedKeys) error {
		err := k.Ready(ctx)
		if err != nil {
			cancel()
		}
		return err
	})
}

// Refresh fetches the metadata and keys of every issuer now, asking intermediate caches
// for new responses, and returns when all fetches that began after the call have ended.
// It is for operators, to drop a compromised key as soon as its issuer has withdrawn it.
// The error names each issuer for which that failed; see jwkscache.Cache.Refresh.
func (v *Verifier) Refresh(ctx context.Context) error {
	return forEach(v.all(), func(k ManagedKeys) error { return k.Refresh(ctx) })
}

// forEach calls f concurrently for the keys of all policies.
func forEach(policies []*issuerPolicy, f func(ManagedKeys) error) error {
	errs := make([]error, len(policies))
	var all sync.WaitGroup
	for i, p := range policies {
		if k, ok := p.keys.(ManagedKeys); ok {
			all.Go(func() {
				if err := f(k); err != nil {
					errs[i] = fmt.Errorf("verifier: issuer %q: %w", p.issuer, err)
				}
			})
		}
	}
	all.Wait()
	return errors.Join(errs...)
}

// configured returns the policies of the issuers that New was given, sorted by
// issuer.
func (v *Verifier) configured() []*issuerPolicy {
	return slices.SortedFunc(maps.Values(v.api.policies), byIssuer)
}

// all returns the policies of those and of the tenants that are kept.
func (v *Verifier) all() []*issuerPolicy {
	all := slices.Concat(v.configured(), v.api.tenants.policies())
	slices.SortFunc(all, byIssuer)
	return all
}

func byIssuer(p, q *issuerPolicy) int { return cmp.Compare(p.issuer, q.issuer) }

// Health returns nil while tokens of at least one issuer can be checked, and otherwise
// why none can: each issuer's keys, or a revocation list that refuses every token. It
// does not wait, and tenants do not count. [Verifier.Issuers] reports each issuer. Use
// Health for readiness probes, not for liveness: a restart does not bring an issuer back.
// [Verifier.HealthHandler] is an http.Handler for them.
func (v *Verifier) Health() error {
	if err := v.api.revocationHealth(); err != nil {
		return err
	}
	var errs []error
	for _, p := range v.configured() {
		s := p.status()
		if s.Err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("verifier: issuer %q: %w", s.Issuer, s.Err))
	}
	return errors.Join(errs...)
}

// An IssuerStatus reports whether one issuer's tokens can be checked.
type IssuerStatus struct {
	Issuer string
	Tenant bool            // named by Settings.Tenants, not given to New
	Err    error           // why its tokens cannot be checked now, or nil
	Keys   jwkscache.Stats // zero unless the keys are ManagedKeys
}

// Issuers returns the status of each issuer, sorted by issuer, for metrics and status
// pages.
func (v *Verifier) Issuers() []IssuerStatus {
	var all []IssuerStatus
	for _, p := range v.all() {
		all = append(all, p.status())
	}
	return all
}

func (p *issuerPolicy) status() IssuerStatus {
	s := IssuerStatus{Issuer: p.issuer, Tenant: p.tenant != nil}
	if k, ok := p.keys.(ManagedKeys); ok {
		s.Err, s.Keys = k.Health(), k.Stats()
	}
	return s
}

// Stats are the figures of what a Verifier keeps beside keys.
type Stats struct {
	// Of the cache of verified tokens. All are zero if no tokens are remembered.
	Hits   int // requests whose token was remembered
	Misses int // all other requests with a token, valid or not
	Tokens int // remembered now, approximately

	Revocation RevocationStats // zero unless Settings.Revocation is a ManagedRevocation
	Proofs     ProofStats      // those of the first of Settings.Bindings that has some
}

// Stats returns figures for metrics and status pages.
func (v *Verifier) Stats() Stats {
	s := Stats{Proofs: v.api.proofStats()}
	s.Revocation, _ = v.api.revocationStats()
	if v.tokens.maxTokens > 0 {
		s.Hits, s.Misses, s.Tokens = v.tokens.hits.sum(), v.tokens.misses.sum(), v.tokens.entries.EstimatedSize()
	}
	return s
}

// Close stops fetching keys and waits for that to end. It may be called more than once.
// The last keys are used until JWKS.MaxStale.
func (v *Verifier) Close() error {
	var errs []error
	for _, c := range v.closers {
		errs = append(errs, c.Close())
	}
	v.api.tenants.close()
	return errors.Join(errs...)
}

// Format writes the issuers, whatever the verb.
func (v *Verifier) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "Verifier(issuers=%q)", slices.Sorted(maps.Keys(v.api.policies)))
}
