package verifier

import (
	"context"
	"crypto"
	"hash/maphash"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

const (
	tokenCacheBytes = 16 << 20
	rememberLongest = time.Hour
)

// A tokenCache remembers verified tokens: bounded in number and in bytes, and
// none that did not pass every check. Each is tied by its trust to the policy
// that verified it.
type tokenCache struct {
	atMost       int // tokens; 0: none
	seed         maphash.Seed
	hash         func(maphash.Seed, string) uint64
	hits, misses counter

	// entries is made when it is first asked for: the parts of a Join need none.
	entries func() *otter.Cache[uint64, *Token]
}

func newTokenCache(atMost int) *tokenCache {
	atMost = min(atMost, tokenCacheBytes)
	c := &tokenCache{atMost: atMost, seed: maphash.MakeSeed(), hash: maphash.String}
	c.entries = sync.OnceValue(func() *otter.Cache[uint64, *Token] {
		// One bound serves for both: a token weighs its share of the bytes at least.
		share := uint32(tokenCacheBytes / atMost)
		return otter.Must(&otter.Options[uint64, *Token]{
			MaximumWeight: uint64(share) * uint64(atMost),
			Weigher:       func(_ uint64, t *Token) uint32 { return max(share, size(t)) },
			Executor:      func(upkeep func()) { upkeep() }, // a goroutine for it costs more than it does
		})
	})
	return c
}

// find returns the token that is remembered of raw, nil if none is.
func (c *tokenCache) find(raw string) *Token {
	t, _ := c.entries().GetIfPresent(c.key(raw))
	if t == nil || t.evidence().raw != raw {
		return nil
	}
	return t
}

// remember is for a token that has just passed every check, and for nobody to
// have seen yet. Raw is the caller's, who may change what it is made of.
func (c *tokenCache) remember(raw string, t *Token, key crypto.PublicKey, now time.Time) {
	e, leeway, begins := t.evidence(), t.trust.leeway, t.notBefore
	if t.trust.profile && begins.Before(t.issuedAt) {
		begins = t.issuedAt
	}
	e.raw, e.key = strings.Clone(raw), key
	e.begins, e.ends, e.again = begins.Add(-leeway), t.expiresAt.Add(leeway), now.Add(rememberLongest)
	c.entries().Set(c.key(e.raw), t)
}

func (c *tokenCache) forget(t *Token) { c.entries().Invalidate(c.key(t.evidence().raw)) }

// key hashes the end of raw, which is signature: nothing in a token differs more,
// and all of raw is compared afterwards.
func (c *tokenCache) key(raw string) uint64 {
	const enough = 32
	return c.hash(c.seed, raw[max(0, len(raw)-enough):])
}

// size is how many bytes the cache keeps for t: the keys are their source's, and
// everything else of the issuer's is shared by its tokens.
func size(t *Token) uint32 {
	const perMember, perString = 32, 16
	e := t.evidence()
	n := perEntry + allocated(len(e.raw)) + allocated(len(e.payload)) + allocated(perMember*len(e.members)) + e.header.size()
	if len(t.audience) > len(e.audience) {
		n += allocated(perString * len(t.audience))
	}
	n += allocated(perString * len(t.scopes))
	if strings.IndexByte(e.payload, '\\') >= 0 { // then strings are no parts of it, but of memory of their own
		n += allocated(len(e.payload)) + perString*len(t.scopes)
		for _, s := range t.audience {
			n += allocated(len(s))
		}
		for _, m := range e.members {
			n += allocated(len(m.name))
		}
		n += allocated(len(t.issuer)) + allocated(len(t.subject)) + allocated(len(t.clientID)) + allocated(len(t.id))
	}
	return uint32(min(n, math.MaxUint32))
}

// perEntry is what every token takes: the Token, and in the cache a node, a place
// in a table that doubles, and a count of its uses.
var perEntry = allocated(int(reflect.TypeFor[tokenMemory]().Size())) + 256

// allocated is how many bytes the runtime takes for n: up to a quarter more, and
// 16 at least.
func allocated(n int) int {
	if n == 0 {
		return 0
	}
	return n + n/4 + 16
}

// recall returns the token that raw was verified as before, if all that may have
// changed since still holds: the time, the issuer's keys and, once more, the
// audience and the binding. Nil is no answer: raw is then to be verified. Rules
// are the caller's.
func (v *Verifier) recall(ctx context.Context, raw string, now time.Time) (*Token, *Error) {
	if v.tokens.atMost == 0 {
		return nil, nil
	}
	t := v.tokens.find(raw)
	if t == nil {
		v.tokens.misses.add()
		return nil, nil
	}
	e := t.evidence()
	good := !now.Before(e.begins) && now.Before(e.ends) && now.Before(e.again) && t.trust.isFor(t) && !t.bound
	if good {
		keys, err := t.trust.keys.Lookup(ctx, e.header.query(now))
		if err != nil {
			v.tokens.misses.add()
			return nil, unavailable(err)
		}
		if len(keys) == 0 { // Lookup may have waited for it: once is enough
			v.tokens.misses.add()
			v.tokens.forget(t)
			return nil, noKey(e.header)
		}
		good = len(keys) <= candidatesAtMost && contains(keys, e.key)
	}
	if !good {
		v.tokens.misses.add()
		v.tokens.forget(t)
		return nil, nil
	}
	v.tokens.hits.add()
	return t, nil
}

// A counter is counted from many processors at once, so it is in several parts,
// each in a cache line of its own.
type counter [8]struct {
	n atomic.Int64
	_ [56]byte
}

func (c *counter) add() { c[rand.Uint32()%uint32(len(c))].n.Add(1) }

func (c *counter) sum() (n int) {
	for i := range c {
		n += int(c[i].n.Load())
	}
	return n
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
	return Stats{Hits: v.tokens.hits.sum(), Misses: v.tokens.misses.sum(), Tokens: v.tokens.entries().EstimatedSize()}
}
