package jwkscache

import "time"

// A moment is one reading of both clocks: the wall clock may be stepped, the
// monotonic one stands still while the machine is suspended.
type moment struct{ wall, mono time.Time }

func now() moment { return momentOf(time.Now()) }

func momentOf(t time.Time) moment { return moment{wall: t.Round(0), mono: t} }

// since returns how long ago u was, by whichever clock says longer.
func (m moment) since(u moment) time.Duration {
	return max(m.wall.Sub(u.wall), m.mono.Sub(u.mono))
}

// before reports whether m is before u by both clocks.
func (m moment) before(u moment) bool { return m.wall.Before(u.wall) && m.mono.Before(u.mono) }

func (m moment) add(d time.Duration) moment {
	return moment{wall: m.wall.Add(d), mono: m.mono.Add(d)}
}
