package jwkscache

import "fmt"

// An Event is something that happened to a cache, for [Config.Observe].
type Event struct {
	Kind   EventKind
	Source string // the issuer of ForIssuer, the URL of ForURL or the path of ForFile
	Keys   int    // usable keys now, 0 if there are none or they are too old
	Err    error  // with EventFailed and EventExpired: why, as in Stats.LastError; with EventStoreFailed, as in StoreStats
}

// An EventKind is what happened.
type EventKind string

// The kinds of events. A good fetch is EventRefreshed, keys that are adopted from
// Config.Store are EventAdopted, and after either come EventRotated and EventHealed
// where they apply.
const (
	EventRefreshed EventKind = "refreshed" // a good fetch
	EventRotated   EventKind = "rotated"   // it has other keys than the last one
	EventHealed    EventKind = "healed"    // it is the first after failures
	EventFailed    EventKind = "failed"    // a fetch that failed
	EventExpired   EventKind = "expired"   // the keys are older than MaxStale

	EventAdopted     EventKind = "adopted"      // newer keys from Config.Store, which another process has fetched
	EventStoreFailed EventKind = "store_failed" // Config.Store fails, or has a document that is not good
	EventStoreHealed EventKind = "store_healed" // it works again
)

// observeFetch calls Observe with the events of a fetch that has ended. served is
// whether the keys still serve, healed whether the fetch before this good one failed.
func (r *reporter) observeFetch(old, brought *snapshot, err error, served, healed bool) {
	if err != nil {
		keys := 0
		if served {
			keys = old.keys.size
		}
		r.emit(Event{Kind: EventFailed, Keys: keys, Err: err})
		return
	}
	r.observeGood(EventRefreshed, old, brought, healed)
}

// observeGood calls Observe with the events of keys that are put to use, fetched or adopted.
func (r *reporter) observeGood(kind EventKind, old, good *snapshot, healed bool) {
	e := Event{Kind: kind, Keys: good.keys.size}
	r.emit(e)
	if e.Kind = EventRotated; old != nil && !old.keys.hasKeysOf(good.keys) {
		r.emit(e)
	}
	if e.Kind = EventHealed; healed {
		r.emit(e)
	}
}

// emit calls Observe, and logs if that panics.
func (r *reporter) emit(e Event) {
	if r.observe == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			r.warn("jwtguard: Config.Observe panicked", "panic", printable(cut(fmt.Sprint(p))))
		}
	}()
	e.Source = r.source.Value.String()
	r.observe(e)
}
