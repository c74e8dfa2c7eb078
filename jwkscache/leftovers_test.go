package jwkscache_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// A watchedContext counts the contexts that are derived from it and not yet
// cancelled. Each of them holds memory, and a timer.
type watchedContext struct {
	context.Context
	done chan struct{}
	held atomic.Int32
}

func watched(ctx context.Context) *watchedContext {
	return &watchedContext{Context: ctx, done: make(chan struct{})}
}

func (w *watchedContext) Done() <-chan struct{} { return w.done }

// AfterFunc is what package context asks for where it does not know a type.
func (w *watchedContext) AfterFunc(func()) (stop func() bool) {
	w.held.Add(1)
	return func() bool {
		w.held.Add(-1)
		return true
	}
}

func TestCallersLeaveNothingBehind(t *testing.T) {
	a := newKey("a")
	for name, row := range map[string]struct {
		served answer // when the call comes
		first  bool   // nothing was accepted before it
		call   func(ctx context.Context, c *jwkscache.Cache) error
	}{
		"K12 the first lookup": {slow(time.Second, publish(a)), true, func(ctx context.Context, c *jwkscache.Cache) error {
			_, err := c.Lookup(ctx, jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
			return err
		}},
		"K12 an unknown kid": {slow(time.Second, publish(a)), false, func(ctx context.Context, c *jwkscache.Cache) error {
			_, err := c.Lookup(ctx, jwkscache.Query{KeyID: "x", Algorithm: "ES256"})
			return err
		}},
		"K12 another look": {slow(time.Second, publish(a)), false, func(ctx context.Context, c *jwkscache.Cache) error {
			tried, err := c.Lookup(ctx, jwkscache.Query{Algorithm: "ES256"})
			if err != nil {
				return err
			}
			_, err = c.Lookup(ctx, jwkscache.Query{Algorithm: "ES256", Tried: tried})
			return err
		}},
	} {
		t.Run(name, inBubble(func(t *testing.T) {
			s := newServer(publish(a))
			if row.first {
				s.serve(row.served)
			}
			c := open(t, s, jwkscache.Config{})
			s.serve(row.served)
			ctx := watched(t.Context())
			require.NoError(t, row.call(ctx, c))
			assert.Zero(t, ctx.held.Load())
		}))
	}
}

// A countedBody tells when it is closed.
type countedBody struct {
	io.Reader
	open *atomic.Int32
}

func (b countedBody) Close() error {
	b.open.Add(-1)
	return nil
}

func TestFetchesLeaveNothingBehind(t *testing.T) {
	set := setOf(newKey("a"))
	for name, a := range map[string]answer{
		"K12 200":                 reply(200, set, "ETag", `"1"`),
		"K12 304":                 reply(304, ""),
		"K12 500":                 fail(500),
		"K12 200 with no key set": reply(200, "{}"),
		"K12 200 over 512 KiB":    reply(200, set+strings.Repeat(" ", 512<<10)),
		"K12 200 that breaks off": cutOff(set, errors.New("connection reset")),
	} {
		t.Run(name+": its body is closed and its context done", inBubble(func(t *testing.T) {
			var requests []*http.Request
			var bodies atomic.Int32
			s := newServer(func(r *http.Request) (*http.Response, error) {
				requests = append(requests, r)
				res, err := a(r)
				bodies.Add(1)
				res.Body = countedBody{res.Body, &bodies}
				return res, err
			})
			c := open(t, s, jwkscache.Config{})
			_ = c.Refresh(t.Context()) // some of them are failures
			synctest.Wait()
			require.GreaterOrEqual(t, len(requests), 2)
			assert.Zero(t, bodies.Load())
			for _, r := range requests {
				assert.ErrorIs(t, r.Context().Err(), context.Canceled)
			}
		}))
	}
}
