package main

import (
	"fmt"
	"net/http"
	"time"
)

// A report is what a record says of the steps.
type report struct {
	*record
	steps   []step
	figures []figures // of each step

	lastServed map[kind]lateEvent // the last request that was served with a revoked token
	launches   []launch
	refusals   map[string]bool // how good tokens were refused
}

// figures are those of one step.
type figures struct {
	served, refused int           // requests with good tokens
	slowest         time.Duration // of them
	revoked         int           // served later than a bound allows
	replayed        int           // served, though Redis worked or the replica was the same
	fallback        int           // served by another replica while Redis was away
	expired         int           // served
	cutOff          int           // got no response, since the replica was killed
	fetches         int           // requests to the issuer for its keys
	sent            map[kind]int
}

// A lateEvent is a request that was served by a replica that had to know the revocation.
type lateEvent struct {
	by    time.Duration
	event event
}

// A launch is the start of a replica.
type launch struct {
	name     string
	took     time.Duration
	noIssuer bool
}

func (r *record) report(steps []step) *report {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := &report{record: r, steps: steps, lastServed: make(map[kind]lateEvent), refusals: make(map[string]bool)}
	for _, s := range steps {
		f := figures{sent: make(map[kind]int)}
		for _, e := range r.events {
			if s.from <= e.at && e.at < s.to {
				all.count(&f, e)
			}
		}
		for _, at := range r.fetches {
			if s.from <= at && at < s.to {
				f.fetches++
			}
		}
		all.figures = append(all.figures, f)
	}
	for number := range replicas {
		name := replicaName(number + 1)
		for _, s := range r.spans(name, r.now()) {
			if s.state == starting {
				all.launches = append(all.launches, launch{name, s.to - s.from, r.wasDown("issuer", s.from, s.to)})
			}
		}
	}
	return all
}

func (r *report) count(f *figures, e event) {
	if e.status == 0 && r.wasDown(replicaName(e.replica), e.at, e.at+e.took) {
		f.cutOff++
		return
	}
	f.sent[e.kind]++
	served := e.status == http.StatusOK
	switch e.kind {
	case good, bound:
		r.countGood(f, e)
	case revoked, revokedAway:
		v, found := r.revocations[e.kind]
		switch late := e.at - r.everywhere(v, e.replica); {
		case !found || e.at+e.took < v.asked:
			r.countGood(f, e)
		case served && late > 0:
			if late > r.lastServed[e.kind].by {
				r.lastServed[e.kind] = lateEvent{late, e}
			}
			f.revoked += one(late > r.revokedWithin(v, e.replica))
		}
	case expired:
		f.expired += one(served)
	case farReplay:
		if r.wasDown("Redis", e.at-redisBackWithin, e.at+e.took) {
			f.fallback += one(served)
			return
		}
		f.replayed += one(served)
	case sameReplay:
		f.replayed += one(served)
	}
}

// revokedWithin is how long a revoked token may be served by a replica that has to know.
func (r *report) revokedWithin(v revocation, replica int) time.Duration {
	if r.everywhere(v, replica) > v.confirmed {
		return redisBackWithin
	}
	return revokedWithin
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (r *report) countGood(f *figures, e event) {
	if e.status == http.StatusOK {
		f.served++
		f.slowest = max(f.slowest, e.took)
		return
	}
	f.refused++
	if e.err != nil {
		r.refusals["no response: "+e.err.Error()] = true
		return
	}
	r.refusals[fmt.Sprintf("status %d", e.status)] = true
}

// sum adds up one of the figures over all steps.
func (r *report) sum(of func(figures) int) (all int) {
	for _, f := range r.figures {
		all += of(f)
	}
	return all
}
