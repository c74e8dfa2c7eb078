package verifier

import (
	"context"
	"maps"
	"strings"
	"sync"
	"time"
)

// logBug logs a configuration error, which only the operator can correct.
func (a *api) logBug(ctx context.Context, err *Error) {
	if err.api != nil {
		a = err.api
	}
	bugs := &sharedBugs
	if a != nil {
		bugs = &a.bugs
	}
	text := err.Error()
	if bugs.isDue(text, time.Now()) {
		a.logger().ErrorContext(ctx, "jwtguard: the API is not set up correctly", "cause", text)
	}
}

// reportBug logs that a function of Settings does not work as it should. That does not
// change the response.
func (a *api) reportBug(ctx context.Context, err error) {
	defer func() { _ = recover() }()
	a.logBug(ctx, &Error{Err: err})
}

// sharedBugs are those of routes without a Verifier.
var sharedBugs bugLog

// A bugLog limits how often configuration errors are logged. The same one occurs in
// every request, and its text may contain something of the request.
type bugLog struct {
	mu     sync.Mutex
	logged map[string]time.Time // by the text
}

const (
	bugInterval = time.Minute
	maxBugs     = 16  // per interval
	maxBugText  = 512 // bytes that are compared
)

// isDue reports whether the configuration error with that text may be logged now.
func (l *bugLog) isDue(text string, now time.Time) bool {
	text = text[:min(len(text), maxBugText)]
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.logged, func(_ string, then time.Time) bool {
		return now.Sub(then) >= bugInterval
	})
	if _, found := l.logged[text]; found || len(l.logged) >= maxBugs {
		return false
	}
	if l.logged == nil {
		l.logged = make(map[string]time.Time)
	}
	l.logged[strings.Clone(text)] = now
	return true
}
