package revocation

import (
	"sync/atomic"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A record is an Entry in the list. Its times are in milliseconds since 1970, and only
// ever become later.
type record struct {
	sum uint64 // a hash of key
	key
	issuedBefore atomic.Int64
	expires      atomic.Int64 // the record ends a leeway later
	due          atomic.Int64 // when it may end at the earliest, by the monotonic clock
}

// matches reports whether r is about t, apart from times.
func (r *record) matches(t *verifier.Token, k kind) bool {
	if r.kind != k || r.issuer.Value() != t.Issuer() {
		return false
	}
	switch k {
	case byTokenID:
		return r.a == t.ID()
	case bySubject:
		return r.a == t.Subject()
	case byClient:
		return r.a == t.ClientID()
	case bySubjectAndClient:
		return r.a == t.Subject() && r.b == t.ClientID()
	}
	return true
}

func (r *record) hasEnded(now instant) bool {
	return now.wall >= r.expires.Load()+leeway && now.monotonic >= r.due.Load()
}

// A table is a hash table of records that is read without a lock. One goroutine at a time
// changes it.
type table struct {
	buckets []atomic.Pointer[[]*record]

	// tags has a Bloom filter of 64 bits for each bucket, with two bits for each record.
	// Most lookups of what is not in the table read nothing else.
	tags []atomic.Uint64
}

const (
	minBuckets = 8
	maxLoad    = 4 // records in a bucket, on average
)

func newTable(buckets int) *table {
	return &table{make([]atomic.Pointer[[]*record], buckets), make([]atomic.Uint64, buckets)}
}

// tag returns the bits of a record. Its bucket depends on other bits of its sum.
func tag(sum uint64) uint64 { return 1<<(sum>>58) | 1<<(sum>>52&63) }

// bucket returns the records among which one with that sum is.
func (t *table) bucket(sum uint64) []*record {
	i := sum & uint64(len(t.tags)-1)
	if bits := tag(sum); t.tags[i].Load()&bits != bits {
		return nil
	}
	return *t.buckets[i].Load() // stored before the tags
}

func (t *table) find(sum uint64, k *key) *record {
	for _, r := range t.bucket(sum) {
		if r.sum == sum && r.key == *k {
			return r
		}
	}
	return nil
}

func (t *table) insert(r *record) {
	var list []*record
	if old := t.buckets[r.sum&uint64(len(t.buckets)-1)].Load(); old != nil {
		list = *old
	}
	t.set(r.sum, append(list[:len(list):len(list)], r))
}

func (t *table) remove(r *record) {
	var list []*record
	for _, other := range t.bucket(r.sum) {
		if other != r {
			list = append(list, other)
		}
	}
	t.set(r.sum, list)
}

// set replaces the bucket of sum. A lookup at the same time may find the new records or
// the old ones.
func (t *table) set(sum uint64, list []*record) {
	var bits uint64
	for _, r := range list {
		bits |= tag(r.sum)
	}
	i := sum & uint64(len(t.tags)-1)
	t.buckets[i].Store(&list)
	t.tags[i].Store(bits)
}
