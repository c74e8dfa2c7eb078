package jwkscache

import "time"

// A moment is one reading of two clocks. The wall clock may be set to another
// time; the monotonic clock stands still while the machine is suspended.
type moment struct{ wall, mono time.Time }

func now() moment { return momentOf(time.Now()) }

func momentOf(t time.Time) moment { return moment{wall: t.Round(0), mono: t} }

// since returns how long ago u was, by the clock that says longer.
func (m moment) since(u moment) time.Duration {
	return max(m.wall.Sub(u.wall), m.mono.Sub(u.mono))
}

// until returns how long it is to u, by the clock that says shorter.
func (m moment) until(u moment) time.Duration { return -m.since(u) }

// before reports whether m is before u by both clocks.
func (m moment) before(u moment) bool { return m.wall.Before(u.wall) && m.mono.Before(u.mono) }

func (m moment) add(d time.Duration) moment {
	return moment{wall: m.wall.Add(d), mono: m.mono.Add(d)}
}

// earlier returns the earlier reading of each clock.
func (m moment) earlier(u moment) moment {
	if u.wall.Before(m.wall) {
		m.wall = u.wall
	}
	if u.mono.Before(m.mono) {
		m.mono = u.mono
	}
	return m
}

// atWall returns the moment, no later than m, at which m's wall clock showed t.
func (m moment) atWall(t time.Time) moment { return m.add(min(t.Sub(m.wall), 0)) }
