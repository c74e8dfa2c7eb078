package revocation

import (
	"math/bits"
	"time"
)

// SetClock makes l read these clocks.
func SetClock(l *List, wall func() time.Time, elapsed func() time.Duration) {
	l.now = func() instant { return instant{wall().UnixMilli(), elapsed().Milliseconds()} }
}

// Lock locks l, as Revoke does, and returns a function that unlocks it.
func Lock(l *List) (unlock func()) {
	l.mu.Lock()
	return l.mu.Unlock
}

// Collide adds e to l as if its hash were that of other.
func Collide(l *List, e, other Entry) {
	k, o := e.key(), other.key()
	r := &record{sum: l.sumOf(&o), key: k}
	r.issuedBefore.Store(always)
	r.expires.Store(always)
	r.due.Store(always)
	l.insert(r)
	l.present.Store(1<<kinds - 1)
}

// Buckets returns the size of l's table.
func Buckets(l *List) int { return len(l.table.Load().tags) }

// Kinds returns of how many kinds l knows that there are entries.
func Kinds(l *List) int { return bits.OnesCount32(l.present.Load()) }
