package jwkscache

import (
	"context"
	"log/slog"
	"time"
)

// maxClockDifference is the default leeway of package verifier.
const maxClockDifference = time.Minute

// A reporter logs changes, each of them once, and calls the observer. Only the
// scheduler's goroutine uses it.
type reporter struct {
	logger  *slog.Logger
	source  slog.Attr
	locator *locator
	observe func(Event) // or nil

	// What was logged last.
	fetchFails, expired, metadataFails, clockDiffers bool
}

func newReporter(f *fetcher) *reporter {
	r := &reporter{logger: f.cfg.Logger, observe: f.cfg.Observe, locator: &f.locator, source: slog.String("issuer", f.locator.issuer)}
	switch {
	case f.locator.file != "":
		r.source = slog.String("file", f.locator.file)
	case f.locator.issuer == "":
		r.source = slog.String("jwks_uri", f.locator.address)
	}
	return r
}

// reportFetch logs what the end of a fetch has changed. served says whether the
// keys of before, old, serve on.
func (r *reporter) reportFetch(old, brought *snapshot, err error, served bool) {
	works := err == nil
	r.observeFetch(old, brought, err, served, works && r.fetchFails)
	if !works && !r.fetchFails {
		r.fetchFails = true
		if served {
			r.warn("jwtguard: fetching the issuer's keys fails; the last known keys stay in use", "error", err)
		} else {
			r.warn("jwtguard: fetching the issuer's keys fails; there are none to use, so tokens of this issuer get 503", "error", err)
		}
	}
	r.reportMetadata()
	if !works {
		return
	}
	r.reportClock(brought.clockDiff)
	r.expired = false
	if r.fetchFails {
		r.fetchFails = false
		r.info("jwtguard: fetching the issuer's keys works again")
	}
	r.reportWarnings(old, brought)
}

// reportAdopted logs what keys that another process has fetched have changed.
func (r *reporter) reportAdopted(old, adopted *snapshot) {
	r.observeGood(EventAdopted, old, adopted, r.fetchFails)
	r.reportMetadata()
	r.expired = false
	if r.fetchFails {
		r.fetchFails = false
		r.info("jwtguard: another process has fetched the issuer's keys, and the Store has them")
	}
	r.reportWarnings(old, adopted)
}

// reportWarnings logs the warnings about keys that are new.
func (r *reporter) reportWarnings(old, s *snapshot) {
	if warnings := s.keys.warnings; len(warnings) > 0 && (old == nil || old.keys != s.keys) {
		r.warn("jwtguard: some of the issuer's keys are not used, or are unusual", "count", len(warnings), "first", texts(warnings, 5))
	}
}

// reportStore logs that the Store has begun to fail with err, or the end of that.
func (r *reporter) reportStore(err error, served *snapshot, now moment) {
	e := Event{Kind: EventStoreHealed}
	if served.serves(now) {
		e.Keys = served.keys.size
	}
	if err != nil {
		e.Kind, e.Err = EventStoreFailed, err
		r.warn("jwtguard: the Store of the issuer's keys fails, or has something that is not good; keys are fetched without it", "error", err)
	} else {
		r.info("jwtguard: the Store of the issuer's keys works again")
	}
	r.emit(e)
}

// reportMetadata logs that reading the metadata has begun to fail while a
// discovered address is in use, and the end of that.
func (r *reporter) reportMetadata() {
	l := r.locator
	switch fails := l.err != nil; {
	case fails == r.metadataFails:
	case !fails:
		r.metadataFails = false
		r.info("jwtguard: fetching the issuer's metadata works again", "jwks_uri", cut(l.address))
	case l.address != "":
		r.metadataFails = true
		r.warn("jwtguard: fetching the issuer's metadata fails; the address of its keys stays in use for now",
			"jwks_uri", cut(l.address), "until", l.tooOld.wall, "error", l.err)
	}
}

func (r *reporter) reportClock(difference time.Duration) {
	differs := difference.Abs() > maxClockDifference
	if differs == r.clockDiffers {
		return
	}
	r.clockDiffers = differs
	if differs {
		r.warn("jwtguard: the clock of the issuer's server differs from ours, so tokens may count as expired or not yet valid", "ahead", difference)
	} else {
		r.info("jwtguard: the clock of the issuer's server agrees with ours again")
	}
}

func (r *reporter) reportExpired(err error) {
	r.expired = true
	r.warn("jwtguard: the issuer's keys are too old to be used, so tokens of this issuer get 503", "error", err)
	r.emit(Event{Kind: EventExpired, Err: err})
}

func (r *reporter) warn(text string, args ...any) { r.log(slog.LevelWarn, text, args) }
func (r *reporter) info(text string, args ...any) { r.log(slog.LevelInfo, text, args) }

// log logs a line. A Logger that panics must not end the process.
func (r *reporter) log(level slog.Level, text string, args []any) {
	defer func() { _ = recover() }()
	r.logger.With(r.source).Log(context.Background(), level, text, args...)
}
