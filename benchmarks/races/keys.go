package races

import "strconv"

// storm sends tokens that anyone could make.
func storm(l *lap) ([]string, error) {
	before := l.signer.Fetches()
	if err := l.send(100); err != nil {
		return nil, err
	}
	return []string{strconv.Itoa(l.signer.Fetches() - before)}, nil
}

// send asks for n tokens with n kids that nobody has.
func (l *lap) send(n int) error {
	for range n {
		raw, err := l.signer.MadeUp()
		if err != nil {
			return err
		}
		if l.verify(raw) == nil {
			return errForged
		}
	}
	return nil
}

// rotation publishes a new key and signs with it at once, after so many
// made-up kids.
func rotation(madeUp int) func(*lap) ([]string, error) {
	return func(l *lap) ([]string, error) {
		if err := l.send(madeUp); err != nil {
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
		return []string{after}, err
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
