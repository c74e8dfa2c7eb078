package verifier

import (
	"context"
	"maps"
	"strings"
	"sync"
	"time"
)

// logBug logs a mistake in how the API is put together: nobody but the operator
// can do anything about it.
func (v *Verifier) logBug(ctx context.Context, err *Error) {
	if err.verifier != nil {
		v = err.verifier
	}
	bugs := &unguardedBugs
	if v != nil {
		bugs = &v.bugs
	}
	text := err.Error()
	if bugs.isDue(text, time.Now()) {
		v.logger().ErrorContext(ctx, "jwtguard: the API is not set up correctly", "cause", text)
	}
}

// unguardedBugs are those that no Verifier has a part in.
var unguardedBugs bugLog

// A bugLog keeps the log from being flooded: a wiring bug shows with each
// request, and its text may have something of the request in it.
type bugLog struct {
	mu     sync.Mutex
	logged map[string]time.Time // by the text
}

const (
	bugInterval = time.Minute
	maxBugs     = 16  // per interval
	maxBugText  = 512 // bytes that tell one from another
)

// isDue reports whether the bug with that text is to be logged now.
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
