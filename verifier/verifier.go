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
	api     *api
	closers []io.Closer // the key caches that New started

	tokenFrom      tokenFrom
	maxTokenLength int
	maxLeeway      time.Duration // of all issuers
	tooLong        *Error        // made beforehand, since anybody can cause it at any rate
	tokens         *tokenCache
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

// Refresh fetches the metadata and keys of every issuer now, past caches in
// between, and returns when all fetches that began after the call have ended. It
// is for operators: with it a compromised key that its issuer has withdrawn is
// dropped at once. The error names each issuer for which that failed; see
// jwkscache.Cache.Refresh.
func (v *Verifier) Refresh(ctx context.Context) error {
	return v.forEach(func(k ManagedKeys) error { return k.Refresh(ctx) })
}

// forEach calls f for the keys of all issuers at once.
func (v *Verifier) forEach(f func(ManagedKeys) error) error {
	issuers := v.issuers()
	errs := make([]error, len(issuers))
	var all sync.WaitGroup
	for i, issuer := range issuers {
		if k, ok := v.api.policies[issuer].keys.(ManagedKeys); ok {
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

func (v *Verifier) issuers() []string { return slices.Sorted(maps.Keys(v.api.policies)) }

// Health reports at once, for a probe, whether tokens can be checked: nil while
// at least one issuer's can, or why none can. [Verifier.Issuers] tells them
// apart. Use it for readiness, not for liveness: a restart does not bring an
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

// An IssuerStatus says whether one issuer's tokens can be checked.
type IssuerStatus struct {
	Issuer string
	Err    error           // why its tokens cannot be checked now, or nil
	Keys   jwkscache.Stats // zero unless the keys are ManagedKeys
}

// Issuers returns the status of each issuer, sorted by issuer: for metrics and
// for status pages.
func (v *Verifier) Issuers() []IssuerStatus {
	var all []IssuerStatus
	for _, issuer := range v.issuers() {
		s := IssuerStatus{Issuer: issuer}
		if k, ok := v.api.policies[issuer].keys.(ManagedKeys); ok {
			s.Err, s.Keys = k.Health(), k.Stats()
		}
		all = append(all, s)
	}
	return all
}

// Stats are the figures of the cache of verified tokens.
type Stats struct {
	Hits   int // tokens that were remembered, and not verified again
	Misses int // all others, good or not
	Tokens int // remembered now, approximately
}

// Stats returns the figures of the cache of verified tokens, for metrics and for
// status pages. All are zero where it is switched off.
func (v *Verifier) Stats() Stats {
	if v.tokens.maxTokens == 0 {
		return Stats{}
	}
	return Stats{Hits: v.tokens.hits.sum(), Misses: v.tokens.misses.sum(), Tokens: v.tokens.entries.EstimatedSize()}
}

// Close stops what New started and waits for it to end. It may be called more
// than once. The last keys serve on until JWKS.MaxStale.
func (v *Verifier) Close() error {
	var errs []error
	for _, c := range v.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// Format writes the issuers, whatever the verb.
func (v *Verifier) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "Verifier(issuers=%q)", v.issuers())
}
