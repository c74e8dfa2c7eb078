package httpauth

import (
	"bufio"
	"fmt"
	"maps"
	"net"
	"net/http"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// runHook calls OnError and reports whether it responded. What it did beside a
// refusal is undone, and a panic does not turn one into a broken connection.
func (m Middleware) runHook(w http.ResponseWriter, r *http.Request, err *verifier.Error) (answered bool) {
	before := w.Header().Clone()
	hw := &hookWriter{ResponseWriter: w, status: err.Status()}
	defer func() {
		mistake := ""
		switch p := recover(); {
		case p == http.ErrAbortHandler:
			panic(p)
		case p != nil:
			mistake = fmt.Sprintf("panicked: %v", p)
		case hw.dropped:
			mistake = fmt.Sprintf("responded with status %d, which is not a refusal", hw.status)
		default:
			return
		}
		if answered = hw.answered; !answered {
			clear(w.Header())
			maps.Copy(w.Header(), before)
		}
		bug := *err // which knows whose refusal it is
		bug.Reason, bug.Scopes, bug.Err = nil, nil, fmt.Errorf("httpauth: OnError %s", mistake)
		verifier.AsError(r.Context(), &bug) // logs it
	}()
	m.OnError(hw, r, err)
	return hw.answered
}

// A hookWriter passes on a refusal only: what comes with another status is
// dropped.
type hookWriter struct {
	http.ResponseWriter
	status            int // of the refusal, until another is written
	answered, dropped bool
}

func (w *hookWriter) WriteHeader(status int) {
	if w.answered || w.dropped {
		return
	}
	w.status = status
	if status < http.StatusBadRequest || status > 999 { // net/http panics over those
		w.dropped = true
		return
	}
	w.answered = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *hookWriter) Write(b []byte) (int, error) {
	w.WriteHeader(w.status)
	if w.dropped {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// Flush is for what asks for an http.Flusher.
func (w *hookWriter) Flush() { _ = w.FlushError() }

// FlushError sends what was written. Unlike net/http's it writes no header by
// itself: the default response may follow.
func (w *hookWriter) FlushError() error {
	if !w.answered {
		return nil
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack leaves the response to the hook altogether.
func (w *hookWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.answered = w.answered || err == nil
	return conn, buffered, err
}

// Unwrap is for http.ResponseController's deadlines.
func (w *hookWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
