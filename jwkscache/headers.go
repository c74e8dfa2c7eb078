package jwkscache

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	defaultPeriod = 15 * time.Minute // without Cache-Control
	shortPeriod   = 5 * time.Minute  // the shortest that Cache-Control may choose
	longPeriod    = time.Hour        // and the longest
	minPeriod     = 10 * time.Second // where Age is nearly MaxStale
	maxRetryAfter = 5 * time.Minute
	maxSeconds    = 1 << 31 // a larger number of seconds counts as this (RFC 9111 §1.2.2)
)

// parseAge returns the Age of a response with header h: how long ago the server
// made it. Of several values it takes the largest, which is stricter than RFC 9111
// §5.1, where the first counts. A value that is not a number is ignored, as §5.1
// says.
func parseAge(h http.Header) (age time.Duration) {
	for v := range strings.SplitSeq(strings.Join(h.Values("Age"), ","), ",") {
		if n, ok := parseSeconds(strings.TrimSpace(v)); ok {
			age = max(age, n)
		}
	}
	return age
}

// parseSeconds reads delta-seconds (RFC 9111 §1.2.2).
func parseSeconds(v string) (d time.Duration, ok bool) {
	n, err := strconv.ParseUint(v, 10, 64)
	return time.Duration(min(n, maxSeconds)) * time.Second, err == nil || errors.Is(err, strconv.ErrRange)
}

// parseRetryAfter reads seconds or a date (RFC 9110 §10.2.3), up to 5 minutes.
func parseRetryAfter(v string, now time.Time) time.Duration {
	if d, ok := parseSeconds(v); ok {
		return min(d, maxRetryAfter)
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(t.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// cachePeriod returns how long a response with header h is fresh, by Cache-Control
// and Age (RFC 9111 §4.2.1, §5.1, §5.2) and within our bounds.
func cachePeriod(h http.Header) time.Duration {
	p := defaultPeriod
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(name) {
		case "no-cache", "no-store":
			return shortPeriod
		case "max-age":
			if d, ok := parseSeconds(strings.Trim(value, `"`)); ok {
				age := parseAge(h)
				p = min(d, longPeriod+age) - age
			}
		}
	}
	return min(max(p, shortPeriod), longPeriod)
}

// clockDifference returns how far the clock of the server that sent h is ahead of
// ours, which says now; it is negative if behind, and 0 without a Date (RFC 9110
// §6.6.1). The Date is when the response was made, so its age is added.
func clockDifference(h http.Header, now time.Time) time.Duration {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return date.Add(parseAge(h)).Sub(now).Round(time.Second)
}
