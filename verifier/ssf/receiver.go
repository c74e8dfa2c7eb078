package ssf

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

// A Receiver is the endpoint to which transmitters push SETs. It is safe for concurrent
// use. [New] makes one.
type Receiver struct {
	transmitters map[string]*transmitter // by issuer
	authenticate func(*http.Request) *refusal
	revoke       func(context.Context, ...revocation.Entry) error
	events       map[string]bool // types that revoke
	slots        chan struct{}   // one for each push that is processed
	caches       []*jwkscache.Cache
	record       *recorder
}

const (
	maxBody    = 64 << 10         // bytes; a SET with an RSA-4096 signature has about 2,000
	maxTime    = 10 * time.Second // to read a body, and to process it
	retryAfter = "5"              // seconds, after which keys may be there
)

// ErrAccessDenied is for errors of Config.Authenticate: the sender is known, but may not
// push.
var ErrAccessDenied = errors.New("ssf: this sender may not push")

// ServeHTTP receives one SET by POST (RFC 8935 §2). The response is 202 without a body if
// the SET was accepted, whether it has an effect or not. It is 400 with err and description
// (§2.3) if the SET, or its sender, never will be: a transmitter need not push it again.
// It is 503 if Revoke failed, keys are missing or too many pushes are processed: the
// transmitter has to push again.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	d, refused := r.receive(w, req)
	if refused != nil {
		d.Outcome, d.Err = refused.outcome, refused
	}
	r.record.delivery(req.Context(), d)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if refused == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if refused.status == http.StatusMethodNotAllowed {
		h.Set("Allow", http.MethodPost)
	}
	if refused.outcome == Unavailable {
		h.Set("Retry-After", retryAfter)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	body, _ := json.Marshal(map[string]string{"err": string(refused.outcome), "description": refused.description})
	h.Set("Content-Type", "application/json")
	h.Set("Content-Language", "en")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(refused.status)
	_, _ = w.Write(body)
}

// receive does all that a push causes, in this order, so that a sender who is not
// authenticated causes nothing.
func (r *Receiver) receive(w http.ResponseWriter, req *http.Request) (d Delivery, _ *refusal) {
	if refused := r.authenticate(req); refused != nil {
		return d, refused
	}
	if req.Method != http.MethodPost {
		return d, &refusal{outcome: InvalidRequest, status: http.StatusMethodNotAllowed, description: "The method is not POST."}
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	default:
		return d, unavailable(errBusy)
	}
	raw, refused := readBody(w, req)
	if refused != nil {
		return d, refused
	}
	// A transmitter that hangs up does not stop it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(req.Context()), maxTime)
	defer cancel()
	s, refused := r.verify(ctx, raw, time.Now())
	if refused != nil {
		return d, refused
	}
	d.Issuer = s.transmitter.issuer
	return r.apply(ctx, s, d)
}

var errBusy = errors.New("too many pushes are processed")

// authenticator returns the function that authenticates the sender of a push. The secrets
// are in a function, so that printing or dumping a Receiver does not show them.
func authenticator(values []string, authenticate func(*http.Request) error) func(*http.Request) *refusal {
	return func(r *http.Request) *refusal {
		if len(values) > 0 && !hasAuthorization(r, values) {
			return refuse(AuthenticationFailed, notAuthenticated)
		}
		if authenticate == nil {
			return nil
		}
		switch err := authenticate(r); {
		case err == nil:
			return nil
		case errors.Is(err, ErrAccessDenied):
			return refuse(AccessDenied, "The sender may not push.").because(err)
		default:
			return refuse(AuthenticationFailed, notAuthenticated).because(err)
		}
	}
}

const notAuthenticated = "The sender of the request is not authenticated."

// hasAuthorization reports whether r has exactly one Authorization field, whose value is
// one of values. How long it takes does not depend on where they differ.
func hasAuthorization(r *http.Request, values []string) bool {
	fields := r.Header["Authorization"]
	if len(fields) != 1 {
		return false
	}
	equal := 0
	for _, v := range values {
		equal |= subtle.ConstantTimeCompare([]byte(v), []byte(fields[0]))
	}
	return equal == 1
}

// readBody returns the body, which is the SET itself (RFC 8935 §2.1).
func readBody(w http.ResponseWriter, r *http.Request) (string, *refusal) {
	contentType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || contentType != "application/secevent+jwt" {
		return "", refuse(InvalidRequest, "The Content-Type is not application/secevent+jwt.")
	}
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Now().Add(maxTime)) // where the server can
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return "", &refusal{
			outcome: InvalidRequest, status: http.StatusRequestEntityTooLarge, description: "The body has more than 65536 bytes.",
		}
	case err != nil:
		return "", refuse(InvalidRequest, "The body could not be read.")
	}
	_ = c.SetReadDeadline(time.Time{})
	return string(body), nil
}

// A refusal is why a push is not accepted.
type refusal struct {
	outcome     Outcome
	status      int    // 0 for Unavailable
	description string // for the transmitter: a constant
	cause       error  // more, for operators, or nil
}

func refuse(o Outcome, description string) *refusal {
	return &refusal{outcome: o, status: http.StatusBadRequest, description: description}
}

func (e *refusal) because(cause error) *refusal {
	e.cause = cause
	return e
}

func unavailable(cause error) *refusal {
	return &refusal{outcome: Unavailable, description: "The SET could not be processed now.", cause: cause}
}

func (e *refusal) Error() string {
	if e.cause == nil {
		return e.description
	}
	return strings.TrimSuffix(e.description, ".") + ": " + e.cause.Error()
}

func (e *refusal) Unwrap() error { return e.cause }

// Ready waits until there are keys of every transmitter, or until ctx is done. It returns
// early if waiting does not help: see [jwkscache.Cache.Ready]. The error names the
// issuers.
func (r *Receiver) Ready(ctx context.Context) error {
	return r.each(func(t *transmitter) error {
		if m, ok := t.keys.(verifier.ManagedKeys); ok {
			return m.Ready(ctx)
		}
		return nil
	})
}

// Health returns nil while the SETs of every transmitter can be verified, and no transmitter
// has said, by an event, that it pushes none for now (stream-updated, SSF 1.0 §8.1.5). It
// does not wait.
func (r *Receiver) Health() error {
	return r.each(func(t *transmitter) error {
		if m, ok := t.keys.(verifier.ManagedKeys); ok {
			if err := m.Health(); err != nil {
				return err
			}
		}
		return t.stream.health()
	})
}

// each calls f with each transmitter, and joins the errors.
func (r *Receiver) each(f func(*transmitter) error) error {
	var errs []error
	for _, t := range r.transmitters {
		if err := f(t); err != nil {
			errs = append(errs, fmt.Errorf("ssf: transmitter %s: %w", t.issuer, err))
		}
	}
	return errors.Join(errs...)
}

// Close stops fetching keys, waits for that to end, and is idempotent. Pushes are still
// verified with the last keys, while these are not too old.
func (r *Receiver) Close() error {
	for _, c := range r.caches {
		_ = c.Close()
	}
	return nil
}
