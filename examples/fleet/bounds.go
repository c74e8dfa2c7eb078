package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// The bounds of the story. A run that is not within them fails.
const (
	maxRefused  = 0               // good tokens that are refused, whatever fails
	respondsIn  = 5 * time.Second // to a good token, at the latest
	maxFetches  = 2               // requests for keys in one step, of all replicas
	readyWithin = 5 * time.Second // from the start of a replica

	// revokedWithin is after how long a revoked token is refused everywhere, whatever
	// fails then.
	revokedWithin = time.Second

	// redisBackWithin is how long after the return of Redis a replica may still accept
	// what it would accept while Redis was away: a proof that another one has seen, and a
	// token that was revoked on another one meanwhile. go-redis looks once a second, and
	// redisstore for revocations at least every one and a half, whether Redis is back.
	redisBackWithin = 3 * time.Second
)

// A limit is a bound, and what was seen.
type limit struct {
	promise, seen string
	kept          bool
}

func (r *report) limits() []limit {
	count := func(promise string, of func(figures) int, most int) limit {
		n := r.sum(of)
		return limit{promise, number(n), n <= most}
	}
	refused := count("good tokens refused: none", func(f figures) int { return f.refused }, maxRefused)
	if !refused.kept {
		how := slices.Sorted(maps.Keys(r.refusals))
		refused.seen += " (" + strings.Join(how[:min(len(how), 3)], ", ") + ")"
	}
	fetches, slow := 0, time.Duration(0)
	for _, f := range r.figures {
		fetches, slow = max(fetches, f.fetches), max(slow, f.slowest)
	}
	ready := time.Duration(0)
	for _, s := range r.launches {
		ready = max(ready, s.took)
	}
	return []limit{
		refused,
		{fmt.Sprintf("a good token is served within %v", respondsIn), milliseconds(slow), slow <= respondsIn},
		count(fmt.Sprintf("a revoked token served %v after that, or %v after Redis is back: never", revokedWithin, redisBackWithin), func(f figures) int { return f.revoked }, 0),
		count("a proof served twice by a replica, or by two while Redis works: never", func(f figures) int { return f.replayed }, 0),
		count("an expired token served: never", func(f figures) int { return f.expired }, 0),
		{fmt.Sprintf("requests for keys in a step, of all replicas: at most %d", maxFetches), number(fetches), fetches <= maxFetches},
		{fmt.Sprintf("a replica is ready within %v of its start", readyWithin), milliseconds(ready), ready <= readyWithin},
		r.complete(),
	}
}

// complete is the bound without which the others say nothing.
func (r *report) complete() limit {
	l := limit{promise: "requests of every kind in every step", kept: len(r.figures) > 0}
	least := -1
	for _, f := range r.figures {
		for _, k := range []kind{good, bound, sameReplay, farReplay, revoked, revokedAway, expired} {
			if least < 0 || f.sent[k] < least {
				least = f.sent[k]
			}
		}
	}
	l.seen, l.kept = fmt.Sprintf("at least %d", max(least, 0)), least > 0
	return l
}

// broken returns an error for each limit that is not kept.
func (r *report) broken() (errs []error) {
	for _, l := range r.limits() {
		if !l.kept {
			errs = append(errs, fmt.Errorf("%s, but it is: %s", l.promise, l.seen))
		}
	}
	return errs
}

// number writes n with a comma before each three digits.
func number(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func milliseconds(d time.Duration) string {
	return number(int(d.Round(time.Millisecond).Milliseconds())) + " ms"
}
