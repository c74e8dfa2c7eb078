package races

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

var errForged = errors.New("a forged token was accepted")

// outage lets the server answer 503 until every library's refresh is overdue,
// then sends a good token every 10 ms.
func outage(l *lap) ([]string, error) {
	tokens, err := l.signer.Good(100)
	if err != nil {
		return nil, err
	}
	l.signer.Fail(http.StatusServiceUnavailable)
	if err := l.wait(often + 2*time.Second); err != nil {
		return nil, err
	}
	before, accepted := l.signer.Fetches(), 0
	for _, raw := range tokens {
		if l.verify(raw) == nil {
			accepted++
		}
		if err := l.wait(10 * time.Millisecond); err != nil {
			return nil, err
		}
	}
	return []string{fmt.Sprintf("%d %%", accepted), strconv.Itoa(l.signer.Fetches() - before)}, nil
}

// hang lets the server accept connections and never answer, while a good token
// comes every 50 ms for 4 seconds.
func hang(l *lap) ([]string, error) {
	const cap = 3 * time.Second
	tokens, err := l.signer.Good(80)
	if err != nil {
		return nil, err
	}
	l.signer.Hang()
	defer l.signer.Heal()
	var slowest time.Duration
	for _, raw := range tokens {
		start, done := time.Now(), make(chan error, 1)
		go func() { done <- l.verify(raw) }()
		select {
		case err := <-done:
			if err != nil {
				return []string{"refused"}, nil
			}
			slowest = max(slowest, time.Since(start))
		case <-time.After(cap):
			l.signer.Heal()
			<-done
			return []string{"> 3 s"}, nil
		}
		if err := l.wait(50 * time.Millisecond); err != nil {
			return nil, err
		}
	}
	if slowest < 100*time.Millisecond {
		return []string{"< 0.1 s"}, nil
	}
	return []string{fmt.Sprintf("%.1f s", slowest.Seconds())}, nil
}
