package jwkscache

import (
	"errors"
	"net/http"
	"slices"
	"time"
)

// A failure is what the error of a fetch means for the next one.
type failure struct {
	retryAfter    time.Duration // that the server asked for
	fewerRequests bool          // the server asked for them
	permanent     int           // see permanence
}

// judge reads err. A part of it may be from a caller's transport, so a panic in one
// of its methods must not end the process.
func judge(err error) (f failure) {
	defer func() { _ = recover() }()
	f.retryAfter, f.fewerRequests = retryAfter(err), wantsFewerRequests(err)
	f.permanent = permanence(err)
	return f
}

// retryAfter returns the longest Retry-After among the errors in err.
func retryAfter(err error) (longest time.Duration) {
	switch e := err.(type) {
	case *statusError:
		return e.retryAfter
	case interface{ Unwrap() error }:
		return retryAfter(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			longest = max(longest, retryAfter(one))
		}
	}
	return longest
}

// wantsFewerRequests reports whether the server has limited us.
func wantsFewerRequests(err error) bool {
	var status *statusError
	return retryAfter(err) > 0 || errors.As(err, &status) && status.status == http.StatusTooManyRequests
}

// surelyPermanent is the permanence, added up over the failures in a row, at which
// Ready returns.
const surelyPermanent = 2

// permanence returns the weight of a failure that lasts until somebody changes the
// server or the configuration. Every place for metadata has responded then: one with
// another issuer's, which is certain; or all with 404 or 410, which a server that is
// starting up may do, too. It is 0 for other failures.
func permanence(err error) int {
	var e *discoveryError
	switch {
	case !errors.As(err, &e):
		return 0
	case slices.ContainsFunc(e.errs, isOtherIssuer) && !slices.ContainsFunc(e.errs, isTemporary):
		return surelyPermanent
	case !slices.ContainsFunc(e.errs, func(err error) bool { return !isNotFound(err) }):
		return 1
	}
	return 0
}

func isOtherIssuer(err error) bool {
	var e *metadataError
	return errors.As(err, &e) && e.otherIssuer
}

// isTemporary reports whether err is from the network, or from a server that is busy
// or broken.
func isTemporary(err error) bool {
	var document *metadataError
	var status *statusError
	switch {
	case errors.As(err, &document):
		return false
	case errors.As(err, &status):
		return status.status >= 500 || status.status == http.StatusTooManyRequests || status.status == http.StatusRequestTimeout
	}
	return true
}
