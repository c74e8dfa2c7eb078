package dpop

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"
)

// A ReplayStore remembers which proofs were used (RFC 9449 §11.1). [NewMemory] makes one
// for a single process. It is safe for concurrent use.
type ReplayStore interface {
	// Record remembers the proof with this key until a time, and reports whether it
	// is new. Only one of several concurrent calls with one key gets true, and none
	// after the time: a call that comes so late may be of a proof that was remembered
	// and forgotten. The client is a hash of the key that signed it. Any error refuses
	// the request with 503; one that wraps ErrFull says that there is no room.
	Record(ctx context.Context, proof, client [32]byte, until time.Time) (isNew bool, err error)

	// Stats returns figures for metrics and status pages.
	Stats() ReplayStats
}

// ReplayStats are the figures of a [ReplayStore].
type ReplayStats struct {
	Proofs    int // remembered now, approximately
	MaxProofs int
	Replays   int // proofs that were not new
	Full      int // proofs that there was no room for
}

// ErrFull is the cause of a 503 for lack of room in a [ReplayStore].
var ErrFull = errors.New("there is no room to remember another proof")

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

// NewMemory returns a ReplayStore in memory for at most maxProofs proofs, of which one
// client's key can have a quarter. Zero means 1,048,576, which take about 80 MB if that
// many are ever in use, or 125 MB if each is of another client. It starts no goroutine.
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
