package verifier

import (
	"context"
	"crypto"
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"

	"github.com/seed-12ed5b1c/jwtguard/internal/signature"
)

const (
	tokenCacheBytes = 16 << 20
	rememberLongest = time.Hour
)

// A tokenCache remembers verified tokens: bounded in number and in bytes, and
// none that did not pass every check.
type tokenCache struct {
	atMost  int // tokens; 0: none
	seed    maphash.Seed
	hash    func(maphash.Seed, string) uint64
	counter *stats.Counter

	// entries is made when it is first asked for: the parts of a Join need none.
	entries func() *otter.Cache[uint64, *remembered]
}

// A remembered token is tied by its trust to the policy that verified it. It is
// immutable.
type remembered struct {
	raw      string // a copy of our own, compared in full
	token    *Token
	kid, alg string
	key      crypto.PublicKey // that fitted the signature

	// From nbf to exp, with leeway, and one hour at most.
	begins, ends, again time.Time
}

func newTokenCache(atMost int) *tokenCache {
	atMost = min(atMost, tokenCacheBytes)
	c := &tokenCache{atMost: atMost, seed: maphash.MakeSeed(), hash: maphash.String, counter: stats.NewCounter()}
	c.entries = sync.OnceValue(func() *otter.Cache[uint64, *remembered] {
		// One bound serves for both: a token weighs its share of the bytes at least.
		share := uint32(tokenCacheBytes / atMost)
		return otter.Must(&otter.Options[uint64, *remembered]{
			MaximumWeight: uint64(share) * uint64(atMost),
			Weigher:       func(_ uint64, m *remembered) uint32 { return max(share, m.size()) },
			Executor:      func(upkeep func()) { upkeep() }, // a goroutine for it costs more than it does
		})
	})
	return c
}

// find returns what is remembered of raw, nil if nothing is.
func (c *tokenCache) find(raw string) *remembered {
	m, _ := c.entries().GetIfPresent(c.key(raw))
	if m == nil || m.raw != raw {
		return nil
	}
	return m
}

// remember is for tokens that have just passed every check.
func (c *tokenCache) remember(raw string, t *Token, h *header, key crypto.PublicKey, now time.Time) {
	leeway := t.trust.leeway
	m := &remembered{
		raw: strings.Clone(raw), token: t, kid: h.kid, alg: h.alg, key: key,
		begins: t.notBefore.Add(-leeway), ends: t.expiresAt.Add(leeway), again: now.Add(rememberLongest),
	}
	c.entries().Set(c.key(raw), m)
}

func (c *tokenCache) forget(m *remembered) { c.entries().Invalidate(c.key(m.raw)) }

// key hashes the end of raw, which is signature: nothing in a token differs more,
// and all of raw is compared afterwards.
func (c *tokenCache) key(raw string) uint64 {
	const enough = 32
	return c.hash(c.seed, raw[max(0, len(raw)-enough):])
}

// size is how many bytes m keeps in memory, by a generous estimate: what does
// not depend on the token is below 1,000.
func (m *remembered) size() uint32 {
	const fixed, perMember, perString = 1000, 32, 16
	t := m.token
	n := fixed + len(m.raw) + 2*len((*t.claims).payload) + perMember*len(t.members()) + perString*(len(t.audience)+len(t.scopes))
	return uint32(min(n, math.MaxUint32))
}

// recall returns the token that raw was verified as before, if all that may have
// changed since still holds: the time, the issuer's keys and, once more, the
// audience and the binding. Nil is no answer: raw is then to be verified. Rules
// are the caller's.
func (v *Verifier) recall(ctx context.Context, raw string, now time.Time) (t *Token, refused *Error) {
	if v.tokens.atMost == 0 {
		return nil, nil
	}
	defer func() {
		if t != nil {
			v.tokens.counter.RecordHits(1)
		} else {
			v.tokens.counter.RecordMisses(1)
		}
	}()
	m := v.tokens.find(raw)
	if m == nil {
		return nil, nil
	}
	t, tr := m.token, m.token.trust
	if now.Before(m.begins) || !now.Before(m.ends) || !now.Before(m.again) || !tr.isFor(t) || t.bound {
		v.tokens.forget(m)
		return nil, nil
	}
	keys, err := tr.lookup(ctx, now, m.kid, m.alg)
	if err != nil {
		return nil, &Error{Reason: ErrUnavailable, Err: err}
	}
	if len(keys) > candidatesAtMost || !slices.ContainsFunc(keys, func(k crypto.PublicKey) bool { return signature.Same(m.key, k) }) {
		v.tokens.forget(m)
		return nil, nil
	}
	return t, nil
}

// Stats is what the cache of verified tokens has seen so far.
type Stats struct {
	Hits   int // tokens that were remembered, and not verified again
	Misses int // all others, good or not
	Tokens int // remembered now, about
}

// Stats returns the figures of the cache of verified tokens, for metrics and for
// status pages. All are zero where it is switched off.
func (v *Verifier) Stats() Stats {
	if v.tokens.atMost == 0 {
		return Stats{}
	}
	s := v.tokens.counter.Snapshot()
	return Stats{Hits: int(s.Hits), Misses: int(s.Misses), Tokens: v.tokens.entries().EstimatedSize()}
}
