package jwkscache

import "time"

const (
	bucketSize  = 5
	maxCooldown = 30 * time.Second
)

// A bucket bounds how often the server is asked: five fetches at once, then one
// per cooldown, so at most 17 in any minute. It is guarded by Cache.mu.
type bucket struct {
	spent    int           // of bucketSize
	since    time.Time     // when regaining the next fetch began
	cooldown time.Duration // from base to maxCooldown
	base     time.Duration // Config.Cooldown
}

// regain gives back what the time since the last call has earned.
func (b *bucket) regain(now time.Time) {
	if b.spent == 0 {
		return
	}
	n := min(max(now.Sub(b.since), 0)/b.cooldown, bucketSize)
	b.spent = max(0, b.spent-int(n))
	b.since = b.since.Add(n * b.cooldown)
}

// has reports whether there is a fetch to take.
func (b *bucket) has(now time.Time) bool {
	b.regain(now)
	return b.spent < bucketSize
}

// take takes a fetch, if there is one.
func (b *bucket) take(now time.Time) {
	if !b.has(now) {
		return
	}
	if b.spent == 0 {
		b.since = now
	}
	b.spent++
}

// next returns when there is a fetch to take, which may be now.
func (b *bucket) next(now time.Time) time.Time {
	if b.has(now) {
		return now
	}
	return b.since.Add(b.cooldown)
}

// slow is for a server that asked for fewer requests.
func (b *bucket) slow(now time.Time) {
	b.regain(now)
	b.cooldown = max(b.base, min(2*b.cooldown, maxCooldown))
}

// quicken is for a server that answered well: a part of what slow did ends.
func (b *bucket) quicken(now time.Time) {
	b.regain(now)
	b.cooldown = max(b.base, b.cooldown/2)
}
