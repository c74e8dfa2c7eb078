package conformance

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// realmVerifier is one with the realm orders.
func realmVerifier(t *testing.T) (*verifier.Verifier, *verifiertest.Issuer) {
	t.Helper()
	iss := verifiertest.NewIssuer(t)
	v, err := verifier.Settings{Realm: "orders"}.New(iss.Config(OrdersAPI))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	return v, iss
}

// A lockedText is what is logged, from whichever goroutine.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// captureLog returns what slog's default logger writes until the test ends.
func captureLog(t *testing.T) *lockedText {
	log := &lockedText{}
	before, writer, flags := slog.Default(), stdlog.Writer(), stdlog.Flags()
	slog.SetDefault(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelError})))
	t.Cleanup(func() {
		slog.SetDefault(before)
		stdlog.SetOutput(writer) // which slog.SetDefault changes, and leaves so
		stdlog.SetFlags(flags)
	})
	return log
}

// hooks has what an OnError may do, and what the client then sees: its
// answer, if that refuses, and otherwise the default one, as if there were no
// hook.
func hooks(t *testing.T, f Framework) {
	type hookError = *verifier.Error
	ok := func(w http.ResponseWriter, _ *http.Request, _ hookError) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Length", "2")
		w.Header().Set("Content-Encoding", "identity")
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write([]byte("ok"))
	}
	refused := answer{401, noToken.challenges, "", "hi"}
	rows := []struct {
		name   string
		hook   Hook
		want   answer
		kept   string // a header that the hook set, and that stays
		logged string // and otherwise nothing
	}{
		{"R6 it writes nothing", func(http.ResponseWriter, *http.Request, hookError) {}, noToken, "", ""},
		{"R6 it only sets a header", func(w http.ResponseWriter, _ *http.Request, _ hookError) {
			w.Header().Set("X-Request-Id", "7")
		}, noToken, "X-Request-Id", ""},
		{"R6 it answers", func(w http.ResponseWriter, _ *http.Request, err hookError) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(err.Status())
			_, _ = fmt.Fprintf(w, `{"title":%q}`, err.Description())
		}, answer{401, noToken.challenges, "", `{"title":"An access token is needed, sent as Authorization: Bearer."}`}, "Content-Type", ""},
		{"R6 it answers with a status alone", func(w http.ResponseWriter, _ *http.Request, _ hookError) {
			w.WriteHeader(http.StatusTeapot)
		}, answer{418, noToken.challenges, "", ""}, "", ""},
		{"R6 it writes without a status", func(w http.ResponseWriter, _ *http.Request, _ hookError) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write([]byte("h"))
			_, _ = io.WriteString(w, "i")
		}, refused, "Content-Type", ""},
		{"R6 it writes without a status, through http.Flusher", func(w http.ResponseWriter, _ *http.Request, _ hookError) {
			_, _ = w.Write([]byte("hi"))
			w.(http.Flusher).Flush()
		}, refused, "", ""},
		{"R6 it flushes before it writes", func(w http.ResponseWriter, _ *http.Request, _ hookError) {
			w.(http.Flusher).Flush()
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write([]byte("hi"))
		}, refused, "", ""},
		{"R6 it only flushes", func(w http.ResponseWriter, _ *http.Request, _ hookError) {
			w.(http.Flusher).Flush()
		}, noToken, "", ""},
		{"R6 it redirects", func(w http.ResponseWriter, r *http.Request, _ hookError) {
			http.SetCookie(w, &http.Cookie{Name: "back", Value: "orders"})
			http.Redirect(w, r, "/login", http.StatusFound)
		}, noToken, "", "OnError responded with status 302"},
		{"R6 it says 200", ok, noToken, "", "OnError responded with status 200"},
		{"R6 it says 204", func(w http.ResponseWriter, _ *http.Request, _ hookError) {
			w.WriteHeader(http.StatusNoContent)
		}, noToken, "", "OnError responded with status 204"},
		{"R6 it says 40101", func(w http.ResponseWriter, _ *http.Request, _ hookError) {
			w.WriteHeader(40101)
			_, _ = w.Write([]byte("hi"))
		}, noToken, "", "OnError responded with status 40101"},
		{"R6 it says 200 and then flushes", func(w http.ResponseWriter, r *http.Request, err hookError) {
			ok(w, r, err)
			w.(http.Flusher).Flush()
		}, noToken, "", "OnError responded with status 200"},
		{"R6 it redirects and then refuses", func(w http.ResponseWriter, r *http.Request, _ hookError) {
			http.Redirect(w, r, "/login", http.StatusFound)
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte("hi"))
		}, noToken, "", "OnError responded with status 302"},
		{"R6 it takes the challenge away and redirects", func(w http.ResponseWriter, r *http.Request, _ hookError) {
			w.Header().Del("WWW-Authenticate")
			http.Redirect(w, r, "/login", http.StatusFound)
		}, noToken, "", "OnError responded with status 302"},
		{"R6 it panics", func(w http.ResponseWriter, _ *http.Request, _ hookError) {
			w.Header().Set("Location", "/login")
			panic("bug-4711")
		}, noToken, "", "OnError panicked: bug-4711"},
		{"R6 it panics with an error", func(http.ResponseWriter, *http.Request, hookError) {
			panic(errors.New("bug-4712"))
		}, noToken, "", "OnError panicked: bug-4712"},
		{"R6 it panics after a status below 400", func(w http.ResponseWriter, r *http.Request, err hookError) {
			ok(w, r, err)
			panic("bug")
		}, noToken, "", "OnError panicked: bug"},
		{"R6 it panics after its answer", func(w http.ResponseWriter, _ *http.Request, _ hookError) {
			_, _ = w.Write([]byte("hi"))
			panic("bug")
		}, refused, "", "OnError panicked: bug"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			v, _ := realmVerifier(t)
			log := captureLog(t)
			app := f.Build([]Route{{Path: "/", Layers: []Layer{{Kind: Protect, Verifier: v}}, Handle: whoami, Hook: row.hook}})
			res := Send(app, "", "/", "", nil)
			assert.Equal(t, row.want, seen(res))
			assert.Empty(t, res.Header().Get(Ran), "the handler ran")
			assert.Equal(t, "no-store", res.Header().Get("Cache-Control"), "R5")
			if row.want.body == noToken.body {
				assert.Equal(t, jsonType, res.Header().Get("Content-Type"), "R5")
			}
			for _, name := range []string{"Location", "Set-Cookie", "Content-Length", "Content-Encoding"} {
				assert.Empty(t, res.Header().Get(name), name)
			}
			if row.kept != "" {
				assert.NotEmpty(t, res.Header().Get(row.kept))
			}
			if row.logged == "" {
				assert.Empty(t, log.String())
				return
			}
			assert.Contains(t, log.String(), "level=ERROR", "R10")
			assert.Contains(t, log.String(), row.logged, "R10")
			Send(app, "", "/", "", nil)
			assert.Equal(t, 1, strings.Count(log.String(), "\n"), "R10 once a minute")
		})
	}
}

// R10: a hook's mistake is logged where its Verifier logs.
func hookMistakesAreLogged(t *testing.T, f Framework) {
	iss := verifiertest.NewIssuer(t)
	log := &lockedText{}
	v, err := verifier.Settings{Logger: slog.New(slog.NewTextHandler(log, nil))}.New(iss.Config(OrdersAPI))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	app := f.Build([]Route{{Path: "/", Layers: []Layer{{Kind: Protect, Verifier: v}}, Handle: whoami, Hook: func(w http.ResponseWriter, _ *http.Request, _ *verifier.Error) {
		w.WriteHeader(http.StatusOK)
	}}})
	assert.Equal(t, 401, Send(app, "", "/", "", nil).Code)
	assert.Contains(t, log.String(), "level=ERROR")
	assert.Contains(t, log.String(), "OnError responded with status 200")
}

// A hook's writer still has what net/http's has: the hook may flush piece by
// piece, set deadlines, and take the connection over.
func hookWriters(t *testing.T, f Framework) {
	serve := func(t *testing.T, h Hook) *http.Response {
		v, _ := realmVerifier(t)
		srv := httptest.NewServer(f.Build([]Route{{Path: "/", Layers: []Layer{{Kind: Protect, Verifier: v}}, Handle: whoami, Hook: h}}))
		t.Cleanup(srv.Close)
		res, err := srv.Client().Get(srv.URL + "/")
		require.NoError(t, err)
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	t.Run("R6 the client reads what was flushed before the hook ends", func(t *testing.T) {
		read := make(chan struct{})
		defer close(read)
		res := serve(t, func(w http.ResponseWriter, _ *http.Request, _ *verifier.Error) {
			_, _ = io.WriteString(w, "first\n")
			assert.NoError(t, http.NewResponseController(w).Flush())
			<-read
		})
		assert.Equal(t, 401, res.StatusCode)
		line, err := bufio.NewReader(res.Body).ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, "first\n", line)
	})
	t.Run("R6 deadlines", func(t *testing.T) {
		res := serve(t, func(w http.ResponseWriter, _ *http.Request, _ *verifier.Error) {
			assert.NoError(t, http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)))
		})
		assert.Equal(t, 401, res.StatusCode)
	})
	t.Run("R6 a connection that the hook took over is its own", func(t *testing.T) {
		log := captureLog(t)
		res := serve(t, func(w http.ResponseWriter, _ *http.Request, _ *verifier.Error) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if assert.NoError(t, err) {
				_, _ = io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
				_ = conn.Close()
			}
		})
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		assert.Equal(t, "403 hi", fmt.Sprint(res.StatusCode, " ", string(body)))
		assert.Empty(t, log.String())
	})
}

// net/http's own way to abort a request still aborts it.
func hooksMayAbort(t *testing.T, f Framework) {
	v, _ := realmVerifier(t)
	app := f.Build([]Route{{Path: "/", Layers: []Layer{{Kind: Protect, Verifier: v}}, Handle: whoami,
		Hook: func(http.ResponseWriter, *http.Request, *verifier.Error) { panic(http.ErrAbortHandler) }}})
	assert.Equal(t, 500, Send(app, "", "/", "", nil).Code, "as recovering answers")
}

// Where a handler refuses, the hook is asked as well.
func hooksOfRefuse(t *testing.T, f Framework) {
	v, iss := realmVerifier(t)
	app := f.Build([]Route{{Path: "/", Layers: []Layer{{Kind: Protect, Verifier: v}}, Hook: func(w http.ResponseWriter, _ *http.Request, err *verifier.Error) {
		_, _ = fmt.Fprintf(w, "%d", err.Status())
	}, Handle: func(*http.Request, *verifier.Token, bool) (string, error) { return "", verifier.ErrRevoked }}})
	assert.Equal(t, answer{401, revoked.challenges, "", "401"}, seen(Send(app, "", "/", iss.Token(nil), nil)))
}
