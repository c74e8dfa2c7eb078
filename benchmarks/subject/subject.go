// Package subject makes what is measured: every library and every middleware,
// over the same tokens.
package subject

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/peers"
)

// PoolSize is how many distinct tokens there are of each algorithm.
const PoolSize = 500

// A Subject is one row of a table.
type Subject struct {
	Who string
	On  string // what it is a middleware of; "" for a library
	Run measure.Run

	// Try asks for any token, not only those of the pool.
	Try func(raw string) error
}

// A Stock is what the subjects of one algorithm share.
type Stock struct {
	Trust peers.Trust
	Pool  []string
	Warm  string // a good token that is not in the pool
}

// NewStock mints the tokens.
func NewStock(s *authority.Signer) (*Stock, error) {
	tokens, err := s.Good(PoolSize + 1)
	if err != nil {
		return nil, err
	}
	return &Stock{Trust: peers.TrustIn(s), Pool: tokens[1:], Warm: tokens[0]}, nil
}

// over is the run of a verify that may be used for ever.
func (s *Stock) over(verify peers.Verify) measure.Run {
	op := func(i int) error { return verify(s.Pool[i%len(s.Pool)]) }
	return measure.Run{Begin: func() (measure.Op, error) { return op, nil }}
}

// The names of this library's rows.
const (
	Bare = "bare cryptography"
	Hit  = "jwtguard, token seen before"
	Miss = "jwtguard, new token"
	Off  = "jwtguard, TokenCache: -1"
)

// Libraries returns bare cryptography first, then this library, then the peers.
// What they start ends with ctx.
func Libraries(ctx context.Context, s *Stock) ([]Subject, error) {
	bare, err := Cryptography(s)
	if err != nil {
		return nil, err
	}
	all := []Subject{bare}
	ours, err := Ours(ctx, s)
	if err != nil {
		return nil, err
	}
	all = append(all, ours...)
	for _, l := range peers.Libraries {
		verify, err := l.Open(ctx, s.Trust)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		}
		all = append(all, Subject{Who: l.Name, Run: s.over(verify), Try: verify})
	}
	return all, nil
}

// Cryptography is the subject that the others are compared with.
func Cryptography(s *Stock) (Subject, error) {
	verify, err := peers.Bare(s.Trust)
	return Subject{Who: Bare, Run: s.over(verify), Try: verify}, err
}

// Check returns what s does wrong: a good token that it refuses, a bad one that
// it accepts.
func Check(s Subject, good string, bad map[string]string) (wrong []string) {
	if err := s.Try(good); err != nil {
		wrong = append(wrong, fmt.Sprintf("refuses a good token (%v)", err))
	}
	for _, what := range slices.Sorted(maps.Keys(bad)) {
		if s.Try(bad[what]) == nil {
			wrong = append(wrong, "accepts "+what)
		}
	}
	return wrong
}
