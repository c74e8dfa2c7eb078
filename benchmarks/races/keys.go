package races

import (
	"errors"
	"strconv"
	"sync"
	"time"
)

// storm sends tokens that anyone could make.
func storm(l *lap) ([]string, error) {
	before := l.signer.Fetches()
	answered, err := l.send(100)
	if err := errors.Join(err, answered()); err != nil {
		return nil, err
	}
	return []string{strconv.Itoa(l.signer.Fetches() - before)}, nil
}

// send asks for n tokens with n kids that nobody has, all at the same time. The
// answers may take a while.
func (l *lap) send(n int) (answered func() error, err error) {
	raws := make([]string, n)
	for i := range raws {
		if raws[i], err = l.signer.MadeUp(); err != nil {
			return func() error { return nil }, err
		}
	}
	errs := make([]error, n)
	var all sync.WaitGroup
	for i, raw := range raws {
		all.Go(func() {
			if l.verify(raw) == nil {
				errs[i] = errForged
			}
		})
	}
	return func() error {
		all.Wait()
		return errors.Join(errs...)
	}, nil
}

// rotation publishes a new key and signs with it at once, 200 ms after so many
// made-up kids came.
func rotation(madeUp int) func(*lap) ([]string, error) {
	return func(l *lap) ([]string, error) {
		answered, err := l.send(madeUp)
		if err := errors.Join(err, l.wait(200*time.Millisecond)); err != nil {
			return nil, err
		}
		if err := l.signer.Rotate(""); err != nil {
			return nil, err
		}
		fresh, err := l.signer.With(nil)
		if err != nil {
			return nil, err
		}
		after, err := l.until(func() bool { return l.verify(fresh) == nil })
		return []string{after}, errors.Join(err, answered())
	}
}

// withdrawal takes the key of a token that was accepted before out of the set.
// No other token is sent.
func withdrawal(l *lap) ([]string, error) {
	old, err := l.signer.With(nil)
	if err != nil {
		return nil, err
	}
	if err := l.verify(old); err != nil {
		return nil, err
	}
	if err := l.signer.Rotate(""); err != nil {
		return nil, err
	}
	l.signer.Withdraw()
	after, err := l.until(func() bool { return l.verify(old) != nil })
	return []string{after}, err
}
