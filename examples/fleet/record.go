package main

import (
	"math"
	"sync"
	"time"
)

// A kind is what a request is an example of.
type kind int

const (
	good        kind = iota // a bearer token
	bound                   // a token that is bound to a key, with a new proof
	sameReplay              // the proof of such a request again, to the same replica
	farReplay               // and to another replica
	revoked                 // the token that is revoked, also before it is
	revokedAway             // the token that is revoked while Redis is away, also before it is
	expired                 // a token that has expired
)

// An event is one request.
type event struct {
	kind     kind
	replica  int           // its number
	at, took time.Duration // since the beginning of the record
	status   int           // 0 if there was no response
	kid      string        // of the token
	err      error         // if there was no response
}

// A state is that of a process.
type state int

const (
	down state = iota
	starting
	up
)

// A change is when a process got into a state.
type change struct {
	at    time.Duration
	state state
}

// A record is all that happened. It is safe for concurrent use.
type record struct {
	start time.Time

	mu          sync.Mutex
	events      []event
	changes     map[string][]change // by the name of the process
	fetches     []time.Duration     // when the issuer was asked for its keys
	revocations map[kind]revocation
}

func newRecord() *record {
	return &record{start: time.Now(), changes: make(map[string][]change), revocations: make(map[kind]revocation)}
}

// now returns the time since the beginning.
func (r *record) now() time.Duration { return time.Since(r.start) }

func (r *record) add(e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *record) change(process string, to state) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes[process] = append(r.changes[process], change{r.now(), to})
}

// asked records a request to the issuer.
func (r *record) asked(path string) {
	if path != "/jwks.json" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fetches = append(r.fetches, r.now())
}

// A span is a time in which a process is in one state.
type span struct {
	from, to time.Duration
	state    state
}

// spans returns the states of a process until end.
func (r *record) spans(process string, end time.Duration) (all []span) {
	for i, c := range r.changes[process] {
		s := span{c.at, end, c.state}
		if i+1 < len(r.changes[process]) {
			s.to = r.changes[process][i+1].at
		}
		all = append(all, s)
	}
	return all
}

// wasDown reports whether a process was down at some time from from to to.
func (r *record) wasDown(process string, from, to time.Duration) bool {
	for _, s := range r.spans(process, to+1) {
		if s.state == down && s.from <= to && from <= s.to {
			return true
		}
	}
	return false
}

// A revocation is of the token that is sent in one kind of request.
type revocation struct {
	replica          int           // where it was requested
	asked, confirmed time.Duration // when
}

// revokes records a revocation that f requests.
func (r *record) revokes(k kind, replica int, f func() error) error {
	asked := r.now()
	if err := f(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.revocations[k] = revocation{replica, asked, r.now()}
	return nil
}

// everywhere returns when a replica has to know of a revocation: when it was confirmed
// or, for another replica without Redis, when Redis is back.
func (r *record) everywhere(v revocation, replica int) time.Duration {
	if replica == v.replica || !r.wasDown("Redis", v.asked, v.confirmed) {
		return v.confirmed
	}
	for _, c := range r.changes["Redis"] {
		if c.state == up && c.at > v.confirmed {
			return c.at
		}
	}
	return math.MaxInt64 // it is not back
}
