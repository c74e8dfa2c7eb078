package jwkscache

import (
	"hash/maphash"
	"time"
)

const (
	maxMissing  = 1000
	retryPeriod = 5 * time.Second  // between the later fetches for one key
	longMissing = 2 * time.Minute  // since the first fetch for it
	rarePeriod  = 30 * time.Second // between the fetches from then on
)

// firstRetries are the waits between the first fetches for a key that the server
// did not have: its key set may be seconds behind its tokens.
var firstRetries = [...]time.Duration{time.Second, time.Second, 2 * time.Second, 2 * time.Second}

// A missingKey is one that the last fetch for it did not bring.
type missingKey struct {
	fetches   int       // for it, so far
	last      int       // the number of the last of them
	first     time.Time // when the first of them ended
	notBefore time.Time // when to fetch for it again
}

// missingKeys remembers which keys the server did not have, by a hash of what
// identifies them, so that long names cost nothing. The seed is random, so that
// nobody can make up a name whose hash is another's. scheduler.mu guards it.
type missingKeys struct {
	seed   maphash.Seed
	keys   map[uint64]*missingKey
	pruned int // the number of the fetch at which prune last ran
}

// id returns a hash of what identifies the key that q asks for: a kid, a
// thumbprint or, without either, the algorithm.
func (m *missingKeys) id(q *Query) uint64 {
	name := "alg " + q.Algorithm
	switch {
	case q.KeyID != "":
		name = "kid " + q.KeyID
	case q.X5TS256 != "":
		name = "x5t#S256 " + q.X5TS256
	case q.X5T != "":
		name = "x5t " + q.X5T
	}
	return maphash.String(m.seed, name)
}

// has reports whether the server was asked for q's key too recently to be asked
// again.
func (m *missingKeys) has(q *Query, now time.Time) bool {
	k := m.keys[m.id(q)]
	return k != nil && now.Before(k.notBefore)
}

// add notes that the fetch with this number did not bring the key. It counts once,
// however many callers wanted the key. If there is no room, the key is not
// remembered, and only the fetch limit holds back the next fetch for it.
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
	wait := retryPeriod
	switch {
	case k.fetches < len(firstRetries):
		wait = firstRetries[k.fetches]
	case now.Sub(k.first) >= longMissing:
		wait = rarePeriod
	}
	k.fetches, k.last, k.notBefore = k.fetches+1, fetch, now.Add(wait)
}

// prune drops the keys that could have been fetched for since long, but were not.
func (m *missingKeys) prune(now time.Time) {
	for id, k := range m.keys {
		if now.Sub(k.notBefore) >= rarePeriod {
			delete(m.keys, id)
		}
	}
}

// clear is for a key set that has changed.
func (m *missingKeys) clear() { m.keys = nil }
