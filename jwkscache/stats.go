package jwkscache

import "time"

// State is where a cache stands in its life.
type State string

// The states of a cache:
//
//	       good fetch           period is over         MaxStale is over
//	Empty ────────────► Fresh ────────────────► Stale ──────────────────► Expired
//	                      ▲       good fetch      │      good fetch          │
//	                      └───────────────────────┴──────────────────────────┘
//
// Close leads from each of them to Closed. Fresh and Stale serve keys, and so does
// Closed until MaxStale is over. A failed fetch changes no state. Keys that are adopted
// from Config.Store come from a good fetch of another process, and are as old as that.
const (
	Empty   State = "empty"   // no keys yet
	Fresh   State = "fresh"   // the last good fetch is younger than its period
	Stale   State = "stale"   // a refresh is overdue
	Expired State = "expired" // the keys are older than MaxStale
	Closed  State = "closed"  // final
)

// Stats is what a cache has seen so far. A fetch is one attempt to bring keys, of
// 1 to 6 HTTP requests.
type Stats struct {
	State       State
	Keys        int          // usable keys of the last good fetch, even if State is Expired
	KeySet      []KeyInfo    // those keys, in the order of the set; shared, and must not be modified
	KeyWarnings []KeyWarning // about the key set of that fetch
	LastSuccess time.Time    // when the last good fetch ended, by this machine's clock
	LastError   error        // of the last fetch, nil if it was good
	Fetches     int          // begun
	Failures    int          // fetches that failed
	UnknownKeys int          // lookups without result, because the issuer has no such key
	NextRefresh time.Time    // when the next fetch is due; zero while one is running, and if there is none
	Store       StoreStats   // of Config.Store

	// Period is how long the keys of the last good fetch are fresh, by Config.Refresh
	// or the server's Cache-Control. It is 0 for keys that never age.
	Period time.Duration

	// ClockDifference is how far the server's clock was ahead of this machine's at
	// the last good fetch, to the second; negative if it was behind. It is 0 if the
	// server sent no Date.
	ClockDifference time.Duration
}

// A KeyWarning is about one key of a set: why it is not used, or what is unusual in it.
type KeyWarning struct {
	KeyID      string // the first 200 bytes of its kid, "" if there is none
	Used       bool   // it verifies tokens nevertheless
	Encryption bool   // it is published for encryption only (RFC 7517 §4.2)
	Text       string // one sentence that names the key
}

// String returns the Text.
func (w KeyWarning) String() string { return w.Text }

func stateOf(s *snapshot, now moment, closed bool) State {
	switch {
	case closed:
		return Closed
	case s == nil:
		return Empty
	case !s.serves(now):
		return Expired
	case s.static || now.since(s.fetchedAt) <= s.period:
		return Fresh
	}
	return Stale
}
