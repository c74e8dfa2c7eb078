package jwkscache

import "time"

const (
	maxFetches  = 5                // at once
	maxCooldown = 30 * time.Second // after the server asked for fewer requests
)

// A fetchLimit is a token bucket of fetches: five at once, then one per cooldown,
// so with the default cooldown at most 17 in any minute. scheduler.mu guards it.
type fetchLimit struct {
	used     int           // of maxFetches
	since    time.Time     // when the wait for the next fetch to be returned began
	cooldown time.Duration // from base to maxCooldown
	base     time.Duration // Config.Cooldown
}

// refill returns the fetches that the time since the last call has earned.
func (l *fetchLimit) refill(now time.Time) {
	n := min(now.Sub(l.since)/l.cooldown, maxFetches)
	l.used = max(0, l.used-int(n))
	l.since = l.since.Add(n * l.cooldown)
}

// allows reports whether a fetch may begin now.
func (l *fetchLimit) allows(now time.Time) bool {
	l.refill(now)
	return l.used < maxFetches
}

// take counts a fetch, if one is left; Refresh fetches without, too.
func (l *fetchLimit) take(now time.Time) {
	if !l.allows(now) {
		return
	}
	if l.used == 0 {
		l.since = now
	}
	l.used++
}

// wait returns how long it is until a fetch may begin.
func (l *fetchLimit) wait(now time.Time) time.Duration {
	if l.allows(now) {
		return 0
	}
	return l.since.Add(l.cooldown).Sub(now)
}

// doubleCooldown is for a server that asked for fewer requests.
func (l *fetchLimit) doubleCooldown() {
	l.cooldown = max(l.base, min(2*l.cooldown, maxCooldown))
}

// halveCooldown is for a server that answered well.
func (l *fetchLimit) halveCooldown() {
	l.cooldown = max(l.base, l.cooldown/2)
}
