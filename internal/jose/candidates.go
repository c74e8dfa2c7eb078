package jose

import (
	"crypto"
	"errors"
	"fmt"
	"slices"
)

// MaxCandidates is how many keys are tried at once. Of one key source, a token causes at
// most twice as many trials: of the keys that it has, and of newer ones.
const MaxCandidates = 4

// ErrManyKeys is wrapped by the error for more keys than MaxCandidates.
var ErrManyKeys = errors.New("keys match")

// FindKey returns the key that verifies the signature of c, or nil if none of keys does.
// Keys that are also in tried are skipped. More keys than MaxCandidates are an error, and
// none is tried.
func (a *Algorithm) FindKey(keys, tried []crypto.PublicKey, c *Compact) (crypto.PublicKey, error) {
	if len(keys) > MaxCandidates {
		return nil, fmt.Errorf("%d %w; at most %d are tried", len(keys), ErrManyKeys, MaxCandidates)
	}
	for _, k := range keys {
		if Contains(tried, k) {
			continue
		}
		if good := a.Verify(k, c.Signed, c.Signature); good {
			return k, nil
		}
	}
	return nil, nil
}

// Contains reports whether k is one of keys, as [Equal] does.
func Contains(keys []crypto.PublicKey, k crypto.PublicKey) bool {
	return slices.ContainsFunc(keys, func(other crypto.PublicKey) bool { return Equal(k, other) })
}

// PublicKeyAlgorithms returns the algorithms with these names, by name, all of which use
// public keys. Nil means all of them; an empty list is an error.
func PublicKeyAlgorithms(names []string) (map[string]*Algorithm, error) {
	if names != nil && len(names) == 0 {
		return nil, errors.New("an empty list in Algorithms; nil means the default")
	}
	chosen := make(map[string]*Algorithm)
	for _, name := range names {
		a := ByName(name)
		if a == nil || a.MinSecret > 0 {
			return nil, fmt.Errorf("%q in Algorithms is not an asymmetric signature algorithm that is known", name)
		}
		chosen[name] = a
	}
	for _, a := range algorithms {
		if names == nil && a.MinSecret == 0 {
			chosen[a.Name] = a
		}
	}
	return chosen, nil
}
