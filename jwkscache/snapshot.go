package jwkscache

import (
	"crypto"
	"time"
)

// A snapshot is what one good fetch brought. It is immutable.
type snapshot struct {
	keys      *keySet
	static    bool          // serves without end
	fetchedAt moment        // when the fetch ended
	period    time.Duration // how long it is fresh
	tooOld    moment        // from when on the keys do not serve

	age         time.Duration // of the responses it is from, as their Age says
	clockDiff   time.Duration // how far the server's clock was ahead of ours
	metadataErr error         // why the address of the keys was not confirmed

	doc *document // what it is from, nil without a Store
}

// serves reports whether there are keys that are not too old.
func (s *snapshot) serves(now moment) bool {
	return s != nil && (s.static || now.before(s.tooOld))
}

// find returns the keys for q, and whether they are the final result: a key that
// is missing may have been published since.
func (s *snapshot) find(q *Query) (keys []crypto.PublicKey, final bool) {
	keys, known := s.keys.lookup(q)
	switch {
	case q.Tried == nil:
		return keys, known || s.static
	case !sameResult(keys, q.Tried):
		return keys, true
	}
	return nil, s.static
}

// sameResult reports whether a and b are the same slice of one key set.
func sameResult(a, b []crypto.PublicKey) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
