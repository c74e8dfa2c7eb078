package verifier_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	stdlog "log"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A lockedBuffer is what is logged, from whichever goroutine.
type lockedBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

func (b *lockedBuffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all.Reset()
}

// captureLog returns what slog's default logger writes until the test ends.
func captureLog(t *testing.T) *lockedBuffer {
	var log lockedBuffer
	before, writer, flags := slog.Default(), stdlog.Writer(), stdlog.Flags()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() {
		slog.SetDefault(before)
		stdlog.SetOutput(writer) // which slog.SetDefault changes, and leaves so
		stdlog.SetFlags(flags)
	})
	return &log
}

// A configuration error that only shows with a request is a 500 and is logged, with what
// to change, whichever way it is found.
func TestConfigurationErrorsAreLogged(t *testing.T) {
	raw := signerOf("ES256").good()
	unknown := &verifier.Error{Reason: errors.New("my own reason")}
	for name, tt := range map[string]struct {
		use  func(v *verifier.Verifier, inside context.Context) error
		want string
	}{
		"Verify": {func(v *verifier.Verifier, _ context.Context) error {
			_, err := v.Verify(ctx, raw, verifier.Audience("x"))
			return err
		}, `rule Audience(\"x\"): no Config.Audiences lists it`},
		"Authenticate": {func(v *verifier.Verifier, _ context.Context) error {
			_, err := v.Authenticate(bearer(raw), verifier.Issuer("x"))
			return err
		}, `rule Issuer(\"x\"): not a trusted issuer`},
		"Require": {func(_ *verifier.Verifier, inside context.Context) error {
			return verifier.Require(inside, verifier.Scope())
		}, "rule Scope: the list is empty"},
		"RequireGuard": {func(_ *verifier.Verifier, inside context.Context) error {
			return guardError(verifier.RequireGuard(verifier.Audience("x")), anonymous().WithContext(inside))
		}, `rule Audience(\"x\"): no Config.Audiences lists it`},
		"Require outside": {func(*verifier.Verifier, context.Context) error {
			return verifier.Require(ctx, verifier.Scope("a"))
		}, "outside Protect and Optional"},
		"RequireGuard outside": {func(*verifier.Verifier, context.Context) error {
			return guardError(verifier.RequireGuard(), bearer(raw))
		}, "outside Protect and Optional"},
		"a Check": {func(v *verifier.Verifier, _ context.Context) error {
			return guardError(v.Protect(verifier.Check(func(context.Context, *verifier.Token) error { return unknown })), bearer(raw))
		}, "my own reason"},
		"a handler that refuses": {func(_ *verifier.Verifier, inside context.Context) error {
			return verifier.AsError(inside, unknown)
		}, "my own reason"},
		"a handler that refuses, outside": {func(*verifier.Verifier, context.Context) error {
			return verifier.AsError(ctx, unknown)
		}, "my own reason"},
	} {
		t.Run("R10 "+name, func(t *testing.T) {
			verifier.ForgetBugs()
			log := captureLog(t)
			v, _ := setup(t)
			inside := verifier.NewContext(ctx, verified(t, v, raw))
			for range 3 {
				err := tt.use(v, inside)
				var e *verifier.Error
				if assert.ErrorAs(t, err, &e) {
					assert.Equal(t, 500, e.Status())
				}
			}
			assert.Contains(t, log.String(), "level=ERROR")
			assert.Contains(t, log.String(), tt.want)
			assert.Equal(t, 1, strings.Count(log.String(), "\n"), "not once per request")
		})
	}
	t.Run("R10 no other refusal is an ERROR", func(t *testing.T) {
		log := captureLog(t)
		v, keys := setup(t)
		inside := verifier.NewContext(ctx, verified(t, v, raw))
		for reason := range promised {
			_ = verifier.AsError(inside, reason)
		}
		_, _ = v.Authenticate(anonymous(), verifier.Scope("a"))
		keys.err = errors.New("down")
		_, _ = v.Verify(ctx, signerOf("RS256").good())
		assert.NotContains(t, log.String(), "level=ERROR")
	})
}

// What tells one bug from another is the beginning of its text: a text of any
// length takes no more memory.
func TestConfigurationErrorsDiffer(t *testing.T) {
	log := captureLog(t)
	v, _ := setup(t)
	inside := verifier.NewContext(ctx, verified(t, v, signerOf("ES256").good()))
	bug := func(text string) { _ = verifier.AsError(inside, &verifier.Error{Reason: errors.New(text)}) }
	const prefix = "jwtguard: "
	same := strings.Repeat("x", 511-len(prefix))
	for range 2 {
		bug(same + "a")
		bug(same + "b")
		bug(same + "b" + strings.Repeat("y", 1<<20))
		bug(same + "b" + strings.Repeat("z", 1<<20))
	}
	assert.Equal(t, 2, strings.Count(log.String(), "level=ERROR"))
	assert.Equal(t, 2, verifier.Bugs(v))
}

// A configuration error shows with each request, and a rule may have been made of the
// request itself: a stranger can neither flood the log nor grow memory.
func TestConfigurationErrorsDoNotFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := captureLog(t)
		v, _ := setup(t)
		lines := func() int { return strings.Count(log.String(), "\n") }
		bug := func(scope string) { _, _ = v.Verify(ctx, "x", verifier.Scope(scope)) }
		for range 120 { // for two minutes
			bug("a b")
			bug("c d")
			<-time.After(time.Second)
		}
		assert.Equal(t, 2*2, lines(), "R10 each once a minute")
		log.Reset()
		<-time.After(time.Minute)
		for i := range 300 {
			bug(fmt.Sprint(strings.Repeat("x", 1<<10), " ", i))
			bug(fmt.Sprint(i, " ", strings.Repeat("x", 1<<16)))
		}
		assert.Equal(t, 16, lines(), "R10 16 a minute")
		assert.LessOrEqual(t, verifier.Bugs(v), 16)
		assert.Less(t, len(log.String()), 16*1000, "R9 quoted, and cut")
		log.Reset()
		<-time.After(time.Minute)
		bug("a b")
		assert.Equal(t, 1, lines())
		assert.Equal(t, 1, verifier.Bugs(v))
	})
}
