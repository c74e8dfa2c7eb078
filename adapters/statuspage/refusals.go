package statuspage

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// reasons are those that are counted, in the order in which the page shows them. The last
// one stands for all others: errors of the configuration.
var reasons = [...]error{
	verifier.ErrNoToken, verifier.ErrBadRequest, verifier.ErrMalformed, verifier.ErrAlgorithm, verifier.ErrType,
	verifier.ErrSignature, verifier.ErrIssuer, verifier.ErrAudience, verifier.ErrExpired, verifier.ErrNotYetValid,
	verifier.ErrClaims, verifier.ErrBinding, verifier.ErrProof, verifier.ErrReplay, verifier.ErrNonce, verifier.ErrRevoked,
	verifier.ErrAuthentication, verifier.ErrScope, verifier.ErrDenied, verifier.ErrUnavailable, nil,
}

const otherReason = len(reasons) - 1

// Refusals are counted in slots of 10 seconds, over the last hour.
const (
	slotLength      = 10 * time.Second
	slotsPerMinute  = int64(time.Minute / slotLength)
	slotsOfLastHour = 60 * slotsPerMinute
)

// refusals counts by reason, in a ring of slots that are used again after an hour.
type refusals struct {
	began time.Time  // its monotonic clock counts, so that setting the wall clock loses nothing
	mu    sync.Mutex // held while a slot is opened

	slots [slotsOfLastHour + 1]slot
}

type slot struct {
	number atomic.Int64 // of its 10 seconds, from 1 on; 0 before its first use
	counts [len(reasons)]atomic.Uint32
}

func newRefusals() *refusals { return &refusals{began: time.Now()} }

func (r *refusals) now() int64 { return int64(time.Since(r.began)/slotLength) + 1 }

func (r *refusals) add(reason error) {
	now := r.now()
	s := &r.slots[now%int64(len(r.slots))]
	if s.number.Load() != now {
		r.open(s, now)
	}
	s.counts[indexOf(reason)].Add(1)
}

// indexOf finds a reason of package verifier, which Decision.Reason always is.
func indexOf(reason error) int {
	for i := range reasons {
		if reasons[i] == reason {
			return i
		}
	}
	return otherReason
}

// open begins to use a slot again.
func (r *refusals) open(s *slot, now int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.number.Load() >= now {
		return
	}
	for i := range s.counts {
		s.counts[i].Store(0)
	}
	s.number.Store(now)
}

// A refusal is what the page shows of one reason.
type refusal struct {
	Reason  string `json:"reason"`
	Meaning string `json:"meaning"`
	Last1   int    `json:"last_minute"`
	Last5   int    `json:"last_5_minutes"`
	Last60  int    `json:"last_60_minutes"`
}

// recent returns the reasons that occurred in the last hour.
func (r *refusals) recent() []refusal {
	var sums [len(reasons)]refusal
	now := r.now()
	for i := range r.slots {
		s := &r.slots[i]
		number := s.number.Load()
		age := now - number
		if number == 0 || age > slotsOfLastHour {
			continue
		}
		for j := range sums {
			n := int(s.counts[j].Load())
			sums[j].Last60 += n
			if age <= 5*slotsPerMinute {
				sums[j].Last5 += n
			}
			if age <= slotsPerMinute {
				sums[j].Last1 += n
			}
		}
	}
	all := []refusal{}
	for i, sum := range sums {
		if sum.Last60 == 0 {
			continue
		}
		sum.Reason, sum.Meaning = "misconfigured", "the API is not set up correctly"
		if i != otherReason {
			sum.Reason, sum.Meaning = verifier.ReasonName(reasons[i]), reasons[i].Error()
		}
		all = append(all, sum)
	}
	return all
}
