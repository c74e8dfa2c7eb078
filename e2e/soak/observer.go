package main

import (
	"context"
	"sync/atomic"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// An observer counts what an API's verifier and key cache report.
type observer struct{ decisions, admitted, fetched, failed atomic.Int64 }

func (o *observer) decision(_ context.Context, d verifier.Decision) {
	o.decisions.Add(1)
	if d.Outcome == verifier.OutcomeAdmitted {
		o.admitted.Add(1)
	}
}

func (o *observer) event(e jwkscache.Event) {
	switch e.Kind {
	case jwkscache.EventRefreshed:
		o.fetched.Add(1)
	case jwkscache.EventFailed:
		o.fetched.Add(1)
		o.failed.Add(1)
	}
}

// observedCounts are what an observer has counted so far.
type observedCounts struct{ decisions, admitted, fetched, failed int }

func (o *observer) counts() observedCounts {
	return observedCounts{int(o.decisions.Load()), int(o.admitted.Load()), int(o.fetched.Load()), int(o.failed.Load())}
}
