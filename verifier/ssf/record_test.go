package ssf_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/ascii"
	"github.com/seed-12ed5b1c/jwtguard/verifier/ssf"
)

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, nil)
		assert.Equal(t, ssf.Stats{Outcomes: map[ssf.Outcome]uint64{}}, s.r.Stats(), "S10 before the first")
		good := s.set(nil)
		s.push(good)
		s.push(good)
		s.push(s.set(members{"sub_id": email}))
		s.push(s.set(members{"sub_id": mallory}))
		s.push(s.set(members{"events": event(stream+"verification", `{}`)}))
		s.push(s.set(members{"events": event(stream+"stream-updated", `{}`)}))
		accepted := time.Now()
		time.Sleep(time.Second)
		s.push("x")
		s.push(s.set(members{"aud": `"x"`}))
		s.push(s.set(members{"aud": `"x"`}))
		s.failure = assert.AnError
		s.push(good)
		assert.Equal(t, ssf.Stats{Received: 10, LastAccepted: accepted, Outcomes: map[ssf.Outcome]uint64{
			ssf.Applied: 1, ssf.Replayed: 1, ssf.Unsupported: 1, ssf.OtherIssuer: 1, ssf.Verification: 1, ssf.StreamUpdated: 1,
			ssf.InvalidRequest: 1, ssf.InvalidAudience: 2, ssf.Unavailable: 1,
		}}, s.r.Stats(), "S10")
		require.Len(t, s.observe, 10, "S10 each once")
		s.r.Stats().Outcomes[ssf.Applied] = 7
		assert.EqualValues(t, 1, s.r.Stats().Outcomes[ssf.Applied], "S10 a copy")
	})
}

func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, nil)
		const hostile = "evil\nlevel=ERROR \x1b[2J"
		for range 3 {
			s.push(s.set(members{"iss": text(hostile + strings.Repeat("x", 500))}))
			s.push(s.set(members{"jti": `"other"`, "sub_id": `{"format":` + text(hostile) + `}`}))
			s.push(s.set(nil))
		}
		stranger := request("")
		stranger.Header.Set("Authorization", hostile)
		s.send(stranger)
		cause := "The iss is not one of the transmitters that are accepted: iss is " + ascii.Quote(hostile+strings.Repeat("x", 500))
		refused := "map[cause:" + cause + " count:1 msg:ssf: a security event was refused outcome:invalid_issuer]"
		unsupported := `map[cause:"a subject of format evil\nlevel=ERROR \x1b[2J" is not supported count:1 event:` + ssf.SessionRevoked + ` issuer:https://issuer.test msg:ssf: a security event has no effect outcome:unsupported]`
		assert.Equal(t, []string{refused, unsupported}, s.log.of(slog.LevelWarn), "S10 once, quoted and cut")
		assert.Equal(t, []string{
			"map[cause:The sender of the request is not authenticated. count:1 msg:ssf: a security event was refused outcome:authentication_failed]",
		}, s.log.of(slog.LevelInfo))
		debug := s.log.of(slog.LevelDebug)
		require.Len(t, debug, 7, "S10 the others at Debug")
		assert.Equal(t, "map[event:"+ssf.SessionRevoked+" issuer:https://issuer.test msg:ssf: a security event revoked tokens outcome:applied]", debug[0])
		assert.Equal(t, "map[event:"+ssf.SessionRevoked+" issuer:https://issuer.test msg:ssf: a security event came again outcome:replayed]", debug[3])

		time.Sleep(time.Minute - time.Nanosecond)
		s.push(s.set(members{"iss": `"x"`}))
		assert.Len(t, s.log.of(slog.LevelWarn), 2, "S10 not within a minute")
		time.Sleep(time.Nanosecond)
		s.push(s.set(members{"iss": `"x"`}))
		assert.Equal(t, "map[cause:The iss is not one of the transmitters that are accepted: iss is \"x\" count:4 msg:ssf: a security event was refused outcome:invalid_issuer]",
			s.log.of(slog.LevelWarn)[2], "S10 with their number since the last")
		for _, line := range append(s.log.of(slog.LevelDebug), s.log.of(slog.LevelWarn)...) {
			assert.NotContains(t, line, "\n")
			assert.NotContains(t, line, secret[7:], "S10 no secret")
		}
	})
}

// Without a Logger, the default one is used.
func TestDefaultLogger(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	synctest.Test(t, func(t *testing.T) {
		var lines logs
		slog.SetDefault(slog.New(slog.NewJSONHandler(&lines, nil)))
		s := newScene(t, func(c *ssf.Config) { c.Logger = nil })
		s.push("x")
		assert.Len(t, lines.of(slog.LevelWarn), 1, "S10")
	})
}

// A panicking handler is one of slog's.
type panicking struct{ slog.Handler }

func (panicking) Enabled(context.Context, slog.Level) bool { panic("no") }

func TestLoggerThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, func(c *ssf.Config) {
			c.Transmitters[0].JWKS.Logger = slog.Default()
			c.Logger = slog.New(panicking{})
		})
		assert.Equal(t, 202, s.push(s.set(nil)).Code, "S10")
		assert.Equal(t, 400, s.push("x").Code, "S10")
	})
}

// A hook that panics changes nothing.
func TestHooksThatPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := 0
		s := newScene(t, func(c *ssf.Config) {
			c.Observe = func(ssf.Delivery) {
				seen++
				panic("no")
			}
		})
		assert.Equal(t, 202, s.push(s.set(nil)).Code, "S10")
		assert.Equal(t, 400, s.push("x").Code, "S10")
		assert.Equal(t, 2, seen)
	})
}

// The transmitter says that it pauses or ends the stream.
func TestStreamStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, nil)
		start := time.Now()
		update := func(status string, at time.Time) {
			s.accepted(s.push(s.set(members{
				"iat": seconds(at), "sub_id": `{"format":"opaque","id":"stream-1"}`, "events": event(stream+"stream-updated", `{"status":`+status+`}`),
			})), ssf.StreamUpdated)
		}
		require.NoError(t, s.r.Health())
		update(`"paused"`, start)
		require.ErrorContains(t, s.r.Health(), "the stream is paused since 2000-01-01T00:00:00Z: no revocations arrive", "S10")
		update(`"enabled"`, start.Add(-time.Second))
		require.ErrorContains(t, s.r.Health(), "paused", "S10 an earlier event, which came late")
		for _, other := range []string{`"x"`, `null`, `1`, `""`} {
			update(other, start.Add(time.Second))
			require.ErrorContains(t, s.r.Health(), "paused", "S10 a status that is not known")
		}
		update(`"enabled"`, start.Add(time.Second))
		require.NoError(t, s.r.Health(), "S10")
		update(`"disabled"`, start.Add(time.Second))
		require.ErrorContains(t, s.r.Health(), "disabled", "S10 of the same second")
		assert.Empty(t, s.calls)
	})
}
