package verifier

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// logger returns the Logger of a, which may be nil.
func (a *api) logger() *slog.Logger {
	if a == nil || a.log.logger == nil {
		return slog.Default()
	}
	return a.log.logger
}

// logPause is the time between two lines for the same reason, except at Debug:
// unauthenticated clients can cause refusals at any rate.
const logPause = time.Minute

// A refusalLog limits the lines about refused requests.
type refusalLog struct {
	logger *slog.Logger // nil means slog.Default()
	lines  [configurationKind + 1]logLine
}

// noRoomLine is the line for tenants that there is no room for, in place of that for
// configuration errors, which have a log of their own.
const noRoomLine = configurationKind

// sharedLog is the log of refusals on routes without a Verifier.
var sharedLog refusalLog

// A logLine counts the refusals of one reason.
type logLine struct {
	count atomic.Int64 // since the last line
	last  atomic.Int64 // time of that line, or for 503 of the last refusal, in Unix nanoseconds
}

// isDue counts a refusal. It reports whether a line may be written now, and the number
// of refusals that the line is about.
func (l *logLine) isDue(now int64) (count int64, ok bool) {
	l.count.Add(1)
	last := l.last.Load()
	if now-last < int64(logPause) && now >= last || !l.last.CompareAndSwap(last, now) {
		return count, false
	}
	return l.count.Swap(0), true
}

// begins notes a refusal, and reports whether there was none in the minute before.
func (l *logLine) begins(now int64) bool {
	return now-l.last.Swap(now) >= int64(logPause)
}

// logRefusal logs e, a refusal by a, which may be nil. A Logger that panics does not
// change the response. While FirstOf may still admit the request, only responses 500
// and 503 are logged.
func (a *api) logRefusal(ctx context.Context, e *Error) {
	defer func() { _ = recover() }()
	kind, logger := e.kind(), a.logger()
	if kind == configurationKind {
		a.logBug(ctx, e)
		return
	}
	status := refusalKinds[kind].status
	if status < http.StatusInternalServerError && trialOf(ctx) != nil {
		return
	}
	if logger.Enabled(ctx, slog.LevelDebug) {
		logger.LogAttrs(ctx, slog.LevelDebug, "jwtguard: a request was refused", append(e.attrs(), slog.Int("status", status))...)
	}
	lines := &sharedLog.lines
	if a != nil {
		lines = &a.log.lines
	}
	now := time.Now().UnixNano()
	if e.Err == errNoRoom { // apart, so that strangers cannot hide an issuer's outage
		if count, ok := lines[noRoomLine].isDue(now); ok {
			logger.LogAttrs(ctx, slog.LevelWarn, "jwtguard: tokens of further tenants get 503", append(e.attrs(), slog.Int64("count", count))...)
		}
		return
	}
	if status == http.StatusServiceUnavailable {
		if lines[kind].begins(now) {
			logger.LogAttrs(ctx, slog.LevelWarn, "jwtguard: tokens cannot be checked, so requests get 503", e.attrs()...)
		}
		return
	}
	if count, ok := lines[kind].isDue(now); ok {
		logger.LogAttrs(ctx, slog.LevelInfo, "jwtguard: requests were refused", append(e.attrs(), slog.Int64("count", count))...)
	}
}

// attrs returns reason, cause and caller for the log. e is not a configuration error, so
// it has a reason.
func (e *Error) attrs() []slog.Attr {
	var attrs []slog.Attr
	add := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	add("reason", e.Reason.Error())
	if e.Err != nil {
		add("cause", e.Err.Error())
	}
	c := e.caller
	for _, a := range [...][2]string{{"issuer", c.Issuer}, {"client_id", c.ClientID}, {"sub", c.Subject}, {"jti", c.ID}} {
		add(a[0], a[1][:min(len(a[1]), maxQuoted)])
	}
	return attrs
}

// A trial is the context of a request that another Guard of FirstOf may still admit. A
// refusal is not logged there, except a 500 or 503.
type trial struct {
	context.Context
	over atomic.Bool // set before a handler gets the context

	err error // of its Guard

	mu       sync.Mutex     // guards refusals
	refusals []triedRefusal // for observers
}

type trialKey struct{}

func (t *trial) Value(key any) any {
	if key == (trialKey{}) && !t.over.Load() {
		return t
	}
	return t.Context.Value(key)
}

// trialOf returns the innermost trial that ctx is in, or nil.
func trialOf(ctx context.Context) *trial {
	t, _ := ctx.Value(trialKey{}).(*trial)
	return t
}
