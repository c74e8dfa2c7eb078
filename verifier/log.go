package verifier

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"
)

// logger returns where v logs. v may be nil.
func (v *Verifier) logger() *slog.Logger {
	if v == nil || v.log.logger == nil {
		return slog.Default()
	}
	return v.log.logger
}

// logPause is how long nothing more is logged for the same reason, Debug
// excepted: anybody can cause refusals, at any rate.
const logPause = time.Minute

// A refusalLog says why requests are refused.
type refusalLog struct {
	logger *slog.Logger // nil: slog.Default()
	lines  [wiringRow]logLine
}

// unguarded is for what no Verifier has a part in.
var unguarded refusalLog

// A logLine counts the refusals of one reason.
type logLine struct {
	count atomic.Int64 // since the last line
	last  atomic.Int64 // when that was, or for 503 the last refusal; in Unix nanoseconds
}

// due reports whether a line may be written now, and how many refusals it
// speaks for.
func (l *logLine) due(now int64) (count int64, ok bool) {
	l.count.Add(1)
	last := l.last.Load()
	if last != 0 && now-last < int64(logPause) && now >= last || !l.last.CompareAndSwap(last, now) {
		return 0, false
	}
	return l.count.Swap(0), true
}

// begins reports whether no refusal came for a while before this one.
func (l *logLine) begins(now int64) bool {
	last := l.last.Swap(now)
	return last == 0 || now-last >= int64(logPause)
}

// logRefusal logs e, the answer of v, which may be nil. A Logger that panics
// changes no answer.
func (v *Verifier) logRefusal(ctx context.Context, e *Error) {
	defer func() { _ = recover() }()
	row, logger := e.row(), v.logger()
	if row == wiringRow {
		v.logBug(ctx, e)
		return
	}
	if logger.Enabled(ctx, slog.LevelDebug) {
		logger.LogAttrs(ctx, slog.LevelDebug, "jwtguard: a request was refused", append(e.attrs(), slog.Int("status", e.Status()))...)
	}
	lines := &unguarded.lines
	if v != nil {
		lines = &v.log.lines
	}
	now := time.Now().UnixNano()
	if answers[row].status == http.StatusServiceUnavailable {
		if lines[row].begins(now) {
			logger.LogAttrs(ctx, slog.LevelWarn, "jwtguard: tokens cannot be checked, so requests get 503", e.attrs()...)
		}
		return
	}
	if count, ok := lines[row].due(now); ok {
		logger.LogAttrs(ctx, slog.LevelInfo, "jwtguard: requests were refused", append(e.attrs(), slog.Int64("count", count))...)
	}
}

// attrs is what operators read of e: why, and who, as far as the signature
// vouches for it.
func (e *Error) attrs() []slog.Attr {
	var attrs []slog.Attr
	add := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	if e.Reason != nil {
		add("reason", e.Reason.Error())
	}
	if e.Err != nil {
		add("cause", e.Err.Error())
	}
	c := e.caller
	for _, a := range [...][2]string{{"issuer", c.Issuer}, {"client_id", c.ClientID}, {"sub", c.Subject}, {"jti", c.ID}} {
		add(a[0], a[1][:min(len(a[1]), maxQuoted)])
	}
	return attrs
}

// A Caller is who sent a token that was refused after its signature was
// verified.
type Caller struct {
	Issuer   string // iss
	ClientID string // as Token.ClientID
	Subject  string // sub
	ID       string // jti
}

// Caller returns who was refused, for logs. It is zero where no signature
// vouches for that: where there was no token, or it was refused before its
// signature was verified.
func (e *Error) Caller() Caller { return e.caller }

func (t *Token) caller() Caller {
	return Caller{Issuer: t.issuer, ClientID: t.clientID, Subject: t.subject, ID: t.id}
}
