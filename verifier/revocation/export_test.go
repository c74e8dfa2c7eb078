package revocation

import "time"

// SetClock makes l read these clocks.
func SetClock(l *List, wall func() time.Time, elapsed func() time.Duration) {
	l.now = func() instant { return instant{wall().UnixMilli(), elapsed().Milliseconds()} }
}
