package jwkscache

import (
	"hash/maphash"
	"time"
)

const (
	budgetSize      = 2
	rememberAtMost  = 1000
	rememberLongest = 30 * time.Second
)

// A budget bounds what unknown kids may cost: two fetches, one regained per
// cooldown, and none for a kid that the server has just denied.
type budget struct {
	spent  int       // of budgetSize
	since  time.Time // when regaining the next one began
	denied map[uint64]struct{}
	reset  time.Time // when denied was last empty
	seed   maphash.Seed
}

func (b *budget) take(now time.Time, cooldown time.Duration) bool {
	if b.spent > 0 {
		n := min(now.Sub(b.since)/cooldown, budgetSize)
		b.spent = max(0, b.spent-int(n))
		b.since = b.since.Add(n * cooldown)
	}
	if b.spent == budgetSize {
		return false
	}
	if b.spent == 0 {
		b.since = now
	}
	b.spent++
	return true
}

// refill returns when the next fetch is regained; the budget is spent.
func (b *budget) refill(cooldown time.Duration) time.Time { return b.since.Add(cooldown) }

// remember notes that the server denied kid. It keeps a hash, so long kids
// cost nothing, for at most a cooldown or 30 seconds, and at most 1,000. The
// seed is random: nobody can make another's kid collide.
func (b *budget) remember(kid string, now time.Time, cooldown time.Duration) {
	if kid == "" {
		return
	}
	b.expire(now, cooldown)
	if b.denied == nil {
		b.denied, b.reset, b.seed = make(map[uint64]struct{}), now, maphash.MakeSeed()
	}
	if len(b.denied) < rememberAtMost {
		b.denied[maphash.String(b.seed, kid)] = struct{}{}
	}
}

func (b *budget) knows(kid string, now time.Time, cooldown time.Duration) bool {
	b.expire(now, cooldown)
	if b.denied == nil {
		return false
	}
	_, ok := b.denied[maphash.String(b.seed, kid)]
	return ok
}

func (b *budget) expire(now time.Time, cooldown time.Duration) {
	if now.Sub(b.reset) >= min(rememberLongest, cooldown) {
		b.forget()
	}
}

func (b *budget) forget() { b.denied = nil }
