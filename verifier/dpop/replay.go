package dpop

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A ReplayStore records which proofs were used, so that each admits one request (RFC 9449
// §11.1). [NewMemory] makes one for a single process. One that replicas share has its
// records outside the process, such as in Redis. Its methods are called concurrently.
type ReplayStore interface {
	// Record records that a proof was used, and reports whether it is the first call
	// with this proof; if not, the request is refused as a replay. Of several
	// concurrent calls with one proof, in whichever replica, exactly one returns true,
	// so the store must look up and record in one atomic step, such as SET with NX and
	// PXAT of Redis.
	//
	// The proof is identified by a SHA-256 of its jti and its client's key, and client
	// is a SHA-256 of that key, which an implementation may use to limit the records
	// of one client. The record must exist up to and including the time until. A call
	// after that time returns false: the proof may have been recorded, and the record
	// dropped since. If the clocks of replicas differ, keep records longer by that
	// difference.
	//
	// Any error refuses the request with 503. Return one that wraps ErrFull if there
	// is no room; never drop a record before its time to make room. ctx is that of the
	// request.
	Record(ctx context.Context, proof, client [32]byte, until time.Time) (isNew bool, err error)

	// Stats returns figures for metrics; see verifier.Verifier.Stats. It does not wait.
	Stats() ReplayStats
}

// ReplayStats are the figures of a [ReplayStore]: Replays are the calls of Record that
// returned false without an error, and Full those that returned ErrFull.
type ReplayStats = verifier.ProofStats

// ErrFull is the error of [ReplayStore].Record if there is no room for another record.
var ErrFull = errors.New("there is no room to record another proof")

const (
	defaultMaxProofs = 1 << 20
	maxShards        = 16
	minShard         = 4096 // proofs; smaller ones would be filled unevenly

	// A clock that is set back by more than maxStep seconds is believed. By less, what
	// was forgotten since stays used.
	maxStep = 60

	// setBack is by how many seconds a clock must be set back for all proofs to be
	// forgotten. It is longer than any proof is remembered.
	setBack = 3 * 3600

	// clientShare is the part of the room that one client's key can take.
	clientShare = 4
)

// NewMemory returns a ReplayStore in the memory of this process, for about maxProofs
// proofs, of which one client's key can have a quarter. Zero means 1,048,576, which take
// about 80 MB if that many are ever in use, or 125 MB if each is of another client. It
// starts no goroutine.
func NewMemory(maxProofs int) ReplayStore {
	if maxProofs <= 0 {
		maxProofs = defaultMaxProofs
	}
	shards := min(max(maxProofs/minShard, 1), maxShards)
	m := &memory{maxProofs: maxProofs, shards: make([]shard, shards), now: time.Now}
	for i := range m.shards {
		m.shards[i].max = (maxProofs-1)/shards + 1
	}
	return m
}

type memory struct {
	maxProofs int
	shards    []shard
	now       func() time.Time
}

// A shard has a part of the proofs, chosen by their hash.
type shard struct {
	mu        sync.Mutex
	max       int
	proofs    map[id]struct{}
	clients   map[id]int32      // the number of each client's proofs
	expiry    map[int64][]entry // the proofs by the second in which they expire
	forgotten int64             // the last second whose proofs were forgotten
	stats     ReplayStats
}

// An id is the beginning of a SHA-256: long enough that nobody finds two with the same.
type id [16]byte

type entry struct{ proof, client id }

// Record implements ReplayStore.
func (m *memory) Record(_ context.Context, proof, client [32]byte, until time.Time) (bool, error) {
	s := &m.shards[binary.BigEndian.Uint32(proof[16:])%uint32(len(m.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(m.now().Unix()) // read under the lock, so that nobody comes with an earlier time
	return s.record(entry{id(proof[:16]), id(client[:16])}, until.Unix()+1)
}

func (s *shard) record(e entry, until int64) (bool, error) {
	if _, found := s.proofs[e.proof]; found || until <= s.forgotten {
		s.stats.Replays++
		return false, nil
	}
	if len(s.proofs) >= s.max || int(s.clients[e.client]) >= max(s.max/clientShare, 1) {
		s.stats.Full++
		return false, ErrFull
	}
	if s.proofs == nil {
		s.proofs, s.clients, s.expiry = make(map[id]struct{}), make(map[id]int32), make(map[int64][]entry)
	}
	s.proofs[e.proof] = struct{}{}
	s.clients[e.client]++
	s.expiry[until] = append(s.expiry[until], e)
	return true, nil
}

// forget drops what has expired.
func (s *shard) forget(now int64) {
	if back := s.forgotten - now; back > maxStep {
		s.forgotten = now
		if back > setBack { // those proofs are of the future, and refused as such
			s.proofs, s.clients, s.expiry = nil, nil, nil
		}
	}
	for s.forgotten < now && len(s.proofs) > 0 {
		s.forgotten++
		for _, e := range s.expiry[s.forgotten] {
			delete(s.proofs, e.proof)
			if s.clients[e.client]--; s.clients[e.client] == 0 {
				delete(s.clients, e.client)
			}
		}
		delete(s.expiry, s.forgotten)
	}
	s.forgotten = max(s.forgotten, now)
}

// Stats implements ReplayStore.
func (m *memory) Stats() ReplayStats {
	all := ReplayStats{MaxProofs: m.maxProofs}
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		s.forget(m.now().Unix())
		all.Proofs += len(s.proofs)
		all.Replays += s.stats.Replays
		all.Full += s.stats.Full
		s.mu.Unlock()
	}
	return all
}
