package jwkscache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Store keeps key sets outside of the process: for replicas that share them, or
// for the next start. Its methods are called concurrently, by the background
// goroutines of all caches that have it, and never by a Lookup.
//
// A name has 1 to 100 characters from a-z, 0-9 and the hyphen. A document is opaque
// and at most 1.1 MiB long. A call that has not returned after a second is given up:
// a method should return when its ctx is done. An error, a panic and a document that
// is not good cost shared keys, but nothing else: the cache goes on as it does without
// a Store, and tries again within 10 seconds.
type Store interface {
	// Load returns the document that was last saved under name, or (nil, nil) if
	// there is none. Neither the Store nor the cache modifies it afterwards.
	Load(ctx context.Context, name string) ([]byte, error)

	// Save replaces the document under name, so that a concurrent Load returns all of
	// the old or all of the new one. It does not keep the slice.
	Save(ctx context.Context, name string, document []byte) error

	// Lease reports whether the caller, and nobody else for the next d, is to fetch
	// the document under name. It does not wait. A lease ends by itself. It saves
	// requests only: nothing breaks if there are two.
	Lease(ctx context.Context, name string, d time.Duration) (bool, error)
}

// minStoreSecret is the length of an HMAC-SHA-256 key (RFC 2104 §3), in bytes.
const minStoreSecret = 32

// checkStore returns why c's Store cannot be used, or nil.
func (c *Config) checkStore() error {
	_, private := c.Store.(*directory)
	switch {
	case c.Store == nil && (c.StoreSecrets != nil || c.UnauthenticatedStore):
		return errors.New("jwkscache: StoreSecrets or UnauthenticatedStore is set, but no Store")
	case c.StoreSecrets != nil && c.UnauthenticatedStore:
		return errors.New("jwkscache: both StoreSecrets and UnauthenticatedStore are set")
	case c.Store != nil && !private && len(c.StoreSecrets) == 0 && !c.UnauthenticatedStore:
		return errors.New("jwkscache: a Store without StoreSecrets: whoever can write to it could sign tokens; set UnauthenticatedStore if only those may write who may sign tokens")
	}
	for i, secret := range c.StoreSecrets {
		if len(secret) < minStoreSecret {
			return fmt.Errorf("jwkscache: StoreSecrets[%d] has %d bytes, fewer than %d", i, len(secret), minStoreSecret)
		}
	}
	return nil
}

func cloneSecrets(secrets [][]byte) (clones [][]byte) {
	for _, s := range secrets {
		clones = append(clones, slices.Clone(s))
	}
	return clones
}

// StoreStats is what a cache has seen of its Store so far. It is zero without one.
type StoreStats struct {
	Adopted   int   // documents of other processes, or of an earlier one, whose keys were put to use
	Saves     int   // documents saved
	Failures  int   // calls that failed, and documents that were refused
	LastError error // why the Store cannot be used now, nil if it can

	// Age is how long ago the key set was fetched that the Store has, as far as this
	// cache knows; 0 if it knows of none.
	Age time.Duration
}
