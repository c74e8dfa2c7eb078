package httpauth

import (
	"bufio"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// runHook calls OnError and reports whether it wrote a response. If that was not a
// refusal, or if OnError panicked, its header fields are removed.
func (m Middleware) runHook(w http.ResponseWriter, r *http.Request, err *verifier.Error) (responded bool) {
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
		if responded = hw.responded; !responded {
			clear(w.Header())
			maps.Copy(w.Header(), before)
		}
		bug := *err // keeps the Verifier that refused
		bug.Reason, bug.Scopes, bug.Err = nil, nil, fmt.Errorf("httpauth: OnError %s", mistake)
		verifier.AsError(r.Context(), &bug) // logs it
	}()
	m.OnError(hw, r, err)
	return hw.responded
}

// A hookWriter passes on only refusals: a response with another status is dropped.
type hookWriter struct {
	http.ResponseWriter
	status             int // of the refusal, until OnError sets another
	responded, dropped bool
}

func (w *hookWriter) WriteHeader(status int) {
	if w.responded || w.dropped {
		return
	}
	w.status = status
	isRefusal := http.StatusBadRequest <= status && status <= 999 // net/http panics on those beyond
	if !isRefusal && (status != http.StatusOK || !hasOwnStatus(w.Header())) {
		w.dropped = true
		return
	}
	w.responded = true
	w.ResponseWriter.WriteHeader(status)
}

// hasOwnStatus reports whether a response is of a protocol that has its status in the
// trailer or the body, and 200 in HTTP: gRPC, gRPC-Web and streams of Connect.
func hasOwnStatus(h http.Header) bool {
	t := h.Get("Content-Type")
	return strings.HasPrefix(t, "application/grpc") || strings.HasPrefix(t, "application/connect+")
}

func (w *hookWriter) Write(b []byte) (int, error) {
	w.WriteHeader(w.status)
	if w.dropped {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// Flush implements http.Flusher.
func (w *hookWriter) Flush() { _ = w.FlushError() }

// FlushError sends what was written. Unlike net/http's, it does not write the header:
// the default response may follow.
func (w *hookWriter) FlushError() error {
	if !w.responded {
		return nil
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack gives the connection to OnError, which then writes the whole response.
func (w *hookWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.responded = w.responded || err == nil
	return conn, buffered, err
}

// Unwrap is for http.ResponseController's deadlines.
func (w *hookWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
