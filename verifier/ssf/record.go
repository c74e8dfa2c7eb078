package ssf

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"sync"
	"time"
)

// An Outcome is what became of a push. Its text does not change.
type Outcome string

// The outcomes with a response of 202.
const (
	Applied       Outcome = "applied"        // tokens were revoked
	Replayed      Outcome = "replayed"       // the same, by a SET that was accepted before
	Verification  Outcome = "verification"   // an event that verifies the stream
	StreamUpdated Outcome = "stream_updated" // the stream was paused, disabled or enabled
	Unsupported   Outcome = "unsupported"    // the event or its subject is not supported
	OtherIssuer   Outcome = "other_issuer"   // the subject is not of this transmitter
)

// The outcomes with a response of 400, which are the error codes of RFC 8935 §2.4. Those of
// 405 and 413 are InvalidRequest, too.
const (
	InvalidRequest       Outcome = "invalid_request"
	InvalidKey           Outcome = "invalid_key"
	InvalidIssuer        Outcome = "invalid_issuer"
	InvalidAudience      Outcome = "invalid_audience"
	AuthenticationFailed Outcome = "authentication_failed"
	AccessDenied         Outcome = "access_denied"
)

// Unavailable is the outcome with a response of 503.
const Unavailable Outcome = "unavailable"

// A Delivery is one push, for Config.Observe.
type Delivery struct {
	Issuer  string // of the transmitter; empty before the signature is verified
	Event   string // its type; empty if that is not supported
	Outcome Outcome
	Entries int   // how many were given to Revoke
	Err     error // why it was refused or has no effect, or nil; text of the SET is quoted in it
}

// Stats are the figures of a [Receiver] since it was made.
type Stats struct {
	Received     uint64             // all pushes
	Outcomes     map[Outcome]uint64 // how many had each outcome; those of none are missing
	LastAccepted time.Time          // when a SET was last accepted, with or without effect
}

// Stats returns the figures, for metrics and status pages.
func (r *Receiver) Stats() Stats {
	rec := r.record
	rec.mu.Lock()
	defer rec.mu.Unlock()
	s := Stats{Outcomes: make(map[Outcome]uint64), LastAccepted: rec.accepted}
	for o, t := range rec.tallies {
		s.Received += t.count
		s.Outcomes[o] = t.count
	}
	return s
}

const (
	maxRemembered = 1024        // SETs, to count replays
	logPause      = time.Minute // between two lines of one outcome
)

// A recorder counts, logs and remembers pushes.
type recorder struct {
	logger  *slog.Logger
	observe func(Delivery)

	mu         sync.Mutex
	tallies    map[Outcome]*tally
	accepted   time.Time
	remembered map[[sha256.Size]byte]bool
	order      [maxRemembered][sha256.Size]byte // a ring
	next       int                              // in order
}

// A tally counts the pushes with one outcome.
type tally struct {
	count, logged uint64 // now, and when the last line was written
	at            time.Time
}

func newRecorder(logger *slog.Logger, observe func(Delivery)) *recorder {
	if logger == nil {
		logger = slog.Default()
	}
	return &recorder{logger: logger, observe: observe, tallies: make(map[Outcome]*tally), remembered: make(map[[sha256.Size]byte]bool)}
}

// isReplay reports whether s was accepted before, as far as that is remembered, and remembers
// it.
func (r *recorder) isReplay(s *set) bool {
	id := sha256.Sum256([]byte(s.transmitter.issuer + "\x00" + s.id))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.remembered[id] {
		return true
	}
	delete(r.remembered, r.order[r.next])
	r.remembered[id], r.order[r.next] = true, id
	r.next = (r.next + 1) % maxRemembered
	return false
}

// delivery counts, logs and reports d.
func (r *recorder) delivery(ctx context.Context, d Delivery) {
	now := time.Now()
	r.mu.Lock()
	t := r.tallies[d.Outcome]
	if t == nil {
		t = new(tally)
		r.tallies[d.Outcome] = t
	}
	t.count++
	level, ok := levels[d.Outcome]
	if !ok {
		level = slog.LevelDebug
	}
	due := now.Sub(t.at) >= logPause
	unlogged := t.count - t.logged
	if due {
		t.at, t.logged = now, t.count
	}
	if _, accepted := acceptedTexts[d.Outcome]; accepted {
		r.accepted = now
	}
	r.mu.Unlock()
	if !due {
		level = slog.LevelDebug
	}
	r.log(ctx, level, &d, unlogged)
	if r.observe != nil {
		defer func() { _ = recover() }()
		r.observe(d)
	}
}

// levels are those of the first line in a minute: what may be a revocation that did not take
// effect is a warning. Others are Debug.
var levels = map[Outcome]slog.Level{
	AuthenticationFailed: slog.LevelInfo, AccessDenied: slog.LevelInfo, // anybody can cause them
	StreamUpdated: slog.LevelWarn, Unsupported: slog.LevelWarn, OtherIssuer: slog.LevelWarn, Unavailable: slog.LevelWarn,
	InvalidRequest: slog.LevelWarn, InvalidKey: slog.LevelWarn, InvalidIssuer: slog.LevelWarn, InvalidAudience: slog.LevelWarn,
}

// acceptedTexts are the messages for SETs that were accepted.
var acceptedTexts = map[Outcome]string{
	Applied:       "ssf: a security event revoked tokens",
	Replayed:      "ssf: a security event came again",
	Verification:  "ssf: the stream of security events was verified",
	StreamUpdated: "ssf: the transmitter changed the status of its stream",
	Unsupported:   "ssf: a security event has no effect",
	OtherIssuer:   "ssf: a security event has no effect",
}

func (r *recorder) log(ctx context.Context, level slog.Level, d *Delivery, count uint64) {
	defer func() { _ = recover() }() // a Logger that panics does not change the response
	text := acceptedTexts[d.Outcome]
	if text == "" {
		text = "ssf: a security event was refused"
	}
	attrs := []slog.Attr{slog.String("outcome", string(d.Outcome))}
	if d.Issuer != "" {
		attrs = append(attrs, slog.String("issuer", d.Issuer))
	}
	if d.Event != "" {
		attrs = append(attrs, slog.String("event", d.Event))
	}
	if d.Err != nil {
		attrs = append(attrs, slog.String("cause", d.Err.Error()))
	}
	if level > slog.LevelDebug {
		attrs = append(attrs, slog.Uint64("count", count))
	}
	r.logger.LogAttrs(ctx, level, text, attrs...)
}
