package jwkscache

import (
	"hash/maphash"
	"time"
)

const (
	maxMissing       = 1000
	missingSteady    = 5 * time.Second  // between the later fetches for one key
	missingLongAfter = 2 * time.Minute  // from then on
	missingRare      = 30 * time.Second // between them
)

// missingSteps are the waits between the first fetches for a key that the
// server did not have. Its key set may lag behind its tokens by seconds.
var missingSteps = [...]time.Duration{time.Second, time.Second, 2 * time.Second, 2 * time.Second}

// A missing key is one that the last fetch for it did not bring.
type missingKey struct {
	fetches   int       // for it, so far
	last      int       // the number of the last of them
	first     time.Time // when that one ended
	notBefore time.Time // when to fetch for it again
}

// missingKeys remembers which keys the server did not have, by Query.id, so that
// long names cost nothing. The seed is random: nobody can make the name of
// another's key collide. It is guarded by Cache.mu.
type missingKeys struct {
	seed   maphash.Seed
	keys   map[uint64]*missingKey
	pruned int // the number of the fetch after which old ones were last dropped
}

// id returns a hash of what identifies the key that q asks for: a kid, a
// thumbprint or, without either, all keys of an algorithm.
func (q *Query) id(seed maphash.Seed) uint64 {
	name := "alg " + q.Algorithm
	switch {
	case q.KeyID != "":
		name = "kid " + q.KeyID
	case q.X5TS256 != "":
		name = "x5t#S256 " + q.X5TS256
	case q.X5T != "":
		name = "x5t " + q.X5T
	}
	return maphash.String(seed, name)
}

// denies reports whether the server said too recently that it has no such key.
func (m *missingKeys) denies(id uint64, now time.Time) bool {
	k := m.keys[id]
	return k != nil && now.Before(k.notBefore)
}

// add notes that the fetch with this number did not bring the key. However many
// asked for the key, one fetch counts once. When the set is full of keys that
// were asked for lately, the key is not remembered: its next fetch then depends
// on the bucket alone.
func (m *missingKeys) add(id uint64, now time.Time, fetch int) {
	if m.keys == nil {
		m.keys = make(map[uint64]*missingKey)
	}
	k := m.keys[id]
	if k == nil {
		if len(m.keys) >= maxMissing && m.pruned != fetch {
			m.prune(now)
			m.pruned = fetch
		}
		if len(m.keys) >= maxMissing {
			return
		}
		k = &missingKey{first: now}
		m.keys[id] = k
	}
	if k.last == fetch {
		return
	}
	wait := missingSteady
	switch {
	case k.fetches < len(missingSteps):
		wait = missingSteps[k.fetches]
	case now.Sub(k.first) >= missingLongAfter:
		wait = missingRare
	}
	k.fetches, k.last, k.notBefore = k.fetches+1, fetch, now.Add(wait)
}

// prune drops what nobody has asked for since it could be.
func (m *missingKeys) prune(now time.Time) {
	for id, k := range m.keys {
		if now.Sub(k.notBefore) >= missingRare {
			delete(m.keys, id)
		}
	}
}

// clear is for a key set that changed.
func (m *missingKeys) clear() { m.keys = nil }
