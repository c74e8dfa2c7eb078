package jwkscache

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// A statusError is a response with a status other than 200.
type statusError struct {
	status     int
	retryAfter time.Duration
	location   string // where a redirect leads, safe to print
}

func newStatusError(res *http.Response) *statusError {
	e := &statusError{status: res.StatusCode, retryAfter: parseRetryAfter(res.Header.Get("Retry-After"), time.Now())}
	if to, err := res.Location(); err == nil && res.StatusCode/100 == 3 {
		e.location = cut(to.Redacted())
	}
	return e
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("the server responded with %d %s", e.status, http.StatusText(e.status))
	if e.location != "" {
		text += fmt.Sprintf(", a redirect to %q", e.location)
	}
	return text
}

// isNotFound reports whether err says that nothing is at the address, or nothing
// any more.
func isNotFound(err error) bool {
	var e *statusError
	return errors.As(err, &e) && (e.status == http.StatusNotFound || e.status == http.StatusGone)
}

// A redirectError is the reason why our own client does not follow a redirect.
type redirectError struct {
	*statusError
	reason string
}

func (e *redirectError) Error() string { return e.statusError.Error() + ": " + e.reason }
func (e *redirectError) Unwrap() error { return e.statusError }
