package subject

import (
	"context"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/peers"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Ours returns this library's rows: a token that was verified before, one that
// was not, and one with the memory for tokens switched off.
func Ours(ctx context.Context, s *Stock) ([]Subject, error) {
	keys, err := peers.Keys(ctx, s.Trust)
	if err != nil {
		return nil, err
	}
	hit, err := warm(ctx, s, keys, 0)
	if err != nil {
		return nil, err
	}
	if _, err := hit.Verify(ctx, s.Pool[0]); err != nil {
		return nil, err
	}
	off, err := warm(ctx, s, keys, -1)
	if err != nil {
		return nil, err
	}
	same := func(int) error { _, err := hit.Verify(ctx, s.Pool[0]); return err }
	return []Subject{
		{Who: Hit, Try: verifyBy(ctx, hit), Run: measure.Run{Begin: func() (measure.Op, error) { return same, nil }}},
		{Who: Miss, Try: verifyBy(ctx, hit), Run: s.misses(ctx, keys)},
		{Who: Off, Try: verifyBy(ctx, off), Run: s.over(verifyBy(ctx, off))},
	}, nil
}

// misses takes a new verifier for each pass over the pool, so that it has seen
// none of the tokens. The keys stay.
func (s *Stock) misses(ctx context.Context, keys verifier.KeySource) measure.Run {
	next := s.fresh(ctx, keys)
	return measure.Run{Pool: len(s.Pool), Begin: func() (measure.Op, error) {
		v, err := next()
		if err != nil {
			return nil, err
		}
		return func(i int) error { _, err := v.Verify(ctx, s.Pool[i]); return err }, nil
	}}
}

// fresh returns warm verifiers, each of which closes the one before.
func (s *Stock) fresh(ctx context.Context, keys verifier.KeySource) func() (*verifier.Verifier, error) {
	var last *verifier.Verifier
	return func() (v *verifier.Verifier, err error) {
		if last != nil {
			if err := last.Close(); err != nil {
				return nil, err
			}
		}
		last, err = warm(ctx, s, keys, 0)
		return last, err
	}
}

// warm returns a verifier that has seen one token, none of the pool's.
func warm(ctx context.Context, s *Stock, keys verifier.KeySource, tokens int) (*verifier.Verifier, error) {
	v, err := peers.Verifier(s.Trust, keys, tokens)
	if err != nil {
		return nil, err
	}
	_, err = v.Verify(ctx, s.Warm)
	return v, err
}

func verifyBy(ctx context.Context, v *verifier.Verifier) peers.Verify {
	return func(raw string) error { _, err := v.Verify(ctx, raw); return err }
}
