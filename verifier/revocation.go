package verifier

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Revocation reports whether a verified token was revoked, for
// [Settings.Revocation]. Package verifier/revocation has a list of revoked tokens that
// implements it.
type Revocation interface {
	// Revoked reports whether t was revoked. It is called concurrently, for each request
	// whose token is valid and whose binding is confirmed, also if the token is
	// remembered, and the request waits for it. If it returns an error, the request
	// gets 503.
	Revoked(ctx context.Context, t *Token) (bool, error)
}

// A ManagedRevocation is a [Revocation] that keeps a list whose entries end, such as
// the List of package verifier/revocation.
type ManagedRevocation interface {
	Revocation

	// Lifetime returns how long an entry is kept at least. [Settings.New] returns an
	// error if it is shorter than the MaxLifetime of a Config, or if a Config has no
	// MaxLifetime: a revoked token could outlive its entry.
	Lifetime() time.Duration

	// Stats returns figures, for metrics and status pages. It is called concurrently,
	// and does not wait.
	Stats() RevocationStats
}

// RevocationStats are the figures of a [ManagedRevocation].
type RevocationStats struct {
	Entries    int // revocations that are in force now
	MaxEntries int // the limit of Entries

	// Age is how long ago the list was last known to be complete. It is 0 if only this
	// process fills the list.
	Age time.Duration

	Refuses bool  // Revoked returns an error for every token
	Err     error // why the list may be incomplete: it is full, or cannot be synchronized
}

// checkRevocable returns why a token with this MaxLifetime could outlive the entry that
// revokes it, or nil.
func (x *extensions) checkRevocable(maxLifetime time.Duration) error {
	list, ok := x.revocation.(ManagedRevocation)
	switch {
	case !ok:
		return nil
	case maxLifetime == 0:
		return errors.New("no MaxLifetime, which Settings.Revocation needs: a revoked token could outlive its entry")
	case maxLifetime > list.Lifetime():
		return fmt.Errorf("a MaxLifetime of %s, but Settings.Revocation keeps its entries for %s: a revoked token could outlive its entry", maxLifetime, list.Lifetime())
	}
	return nil
}

func (a *api) checkRevocation(ctx context.Context, t *Token) *Error {
	switch revoked, err := a.revocation.Revoked(ctx, t); {
	case err != nil:
		return t.refused(&Error{Reason: ErrUnavailable, Err: err})
	case revoked:
		return t.refused(&Error{Reason: ErrRevoked})
	}
	return nil
}

// revocationStats returns the figures of a ManagedRevocation, and whether there is one.
func (x *extensions) revocationStats() (s RevocationStats, managed bool) {
	if list, ok := x.revocation.(ManagedRevocation); ok {
		return list.Stats(), true
	}
	return s, false
}

// revocationHealth returns why every token is refused, or nil.
func (x *extensions) revocationHealth() error {
	s, _ := x.revocationStats()
	switch {
	case !s.Refuses:
		return nil
	case s.Err == nil:
		return errors.New("verifier: the revocation list refuses every token")
	}
	return fmt.Errorf("verifier: the revocation list refuses every token: %w", s.Err)
}
