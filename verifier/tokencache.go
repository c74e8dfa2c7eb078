package verifier

import (
	"context"
	"crypto"
	"hash/maphash"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

const (
	maxCacheBytes  = 16 << 20
	maxRemembering = time.Hour
)

// A tokenCache remembers verified tokens, limited in number and in bytes. Only tokens
// that passed every check are added, so that nobody else can displace them.
type tokenCache struct {
	maxTokens    int // 0 if no tokens are remembered
	seed         maphash.Seed
	hash         func(maphash.Seed, string) uint64
	entries      *otter.Cache[uint64, *cacheEntry] // nil without tokens
	hits, misses counter
}

// A cacheEntry is a remembered token, with what is checked before it is used.
type cacheEntry struct {
	token *Token
	query jwkscache.Query  // for its key
	key   crypto.PublicKey // that verified its signature

	// When the token is valid, with the leeway, and when it is verified again.
	begins, ends, recheckAt time.Time
}

func newTokenCache(maxTokens int) *tokenCache {
	maxTokens = min(maxTokens, maxCacheBytes)
	c := &tokenCache{maxTokens: maxTokens, seed: maphash.MakeSeed(), hash: maphash.String}
	if maxTokens == 0 {
		return c
	}
	// One limit for both: a token has a weight of at least its share of the bytes.
	share := uint32(maxCacheBytes / maxTokens)
	c.entries = otter.Must(&otter.Options[uint64, *cacheEntry]{
		MaximumWeight: uint64(share) * uint64(maxTokens),
		Weigher:       func(_ uint64, e *cacheEntry) uint32 { return max(share, e.size()) },
		Executor:      func(upkeep func()) { upkeep() }, // starting a goroutine costs more than the upkeep
	})
	return c
}

// find returns the entry of raw, nil if there is none.
func (c *tokenCache) find(raw string) *cacheEntry {
	e, _ := c.entries.GetIfPresent(c.key(raw))
	if e == nil || e.token.source().raw != raw {
		return nil
	}
	return e
}

// remember adds a token that has just passed every check, with the query for its key.
func (c *tokenCache) remember(t *Token, q jwkscache.Query, key crypto.PublicKey) {
	begins, leeway := t.notBefore, t.policy.leeway
	if t.policy.rfc9068 && begins.Before(t.issuedAt) {
		begins = t.issuedAt
	}
	if longest := t.policy.maxLifetime; longest > 0 && begins.Before(t.expiresAt.Add(-longest)) {
		begins = t.expiresAt.Add(-longest)
	}
	e := &cacheEntry{
		token: t, query: q, key: key,
		begins: begins.Add(-leeway), ends: t.expiresAt.Add(leeway), recheckAt: q.Now.Add(maxRemembering),
	}
	c.entries.Set(c.key(t.source().raw), e)
}

func (c *tokenCache) forget(e *cacheEntry) { c.entries.Invalidate(c.key(e.token.source().raw)) }

// forgetAll forgets the tokens of a policy.
func (c *tokenCache) forgetAll(p *issuerPolicy) {
	if c.maxTokens == 0 {
		return
	}
	for key, e := range c.entries.All() {
		if e.token.policy == p {
			c.entries.Invalidate(key)
		}
	}
}

// key hashes the end of raw, which is part of the signature, where tokens differ most.
// All of raw is compared afterwards.
func (c *tokenCache) key(raw string) uint64 {
	const enough = 32
	return c.hash(c.seed, raw[max(0, len(raw)-enough):])
}

// lookupCached returns the remembered token of raw, after checking what may have
// changed since it was verified: the time, the issuer's keys and, to be safe, the
// audience. (nil, nil) is a cache miss: the caller verifies raw. With an error, the token
// does not count, but its issuer is known. The caller checks bindings and rules.
func (v *Verifier) lookupCached(ctx context.Context, raw string, now time.Time) (*Token, *Error) {
	if v.tokens.maxTokens == 0 {
		return nil, nil
	}
	e := v.tokens.find(raw)
	if e == nil {
		v.tokens.misses.add()
		return nil, nil
	}
	p := e.token.policy
	if t := p.tenant; t != nil {
		if p.ended.Load() || t.isDue(now) {
			v.tokens.misses.add()
			v.tokens.forget(e)
			return nil, nil
		}
		t.markUsed(now)
	}
	good := !now.Before(e.begins) && now.Before(e.ends) && now.Before(e.recheckAt) && p.accepts(e.token.audience)
	if good {
		q := e.query
		q.Now = now
		keys, err := p.keys.Lookup(ctx, q)
		if err != nil {
			v.tokens.misses.add()
			return e.token, keysUnavailable(err)
		}
		if len(keys) == 0 { // Lookup may have waited for a fetch: do not wait again
			v.tokens.misses.add()
			v.tokens.forget(e)
			return e.token, noKey(&e.query)
		}
		good = len(keys) <= jose.MaxCandidates && jose.Contains(keys, e.key)
	}
	if !good {
		v.tokens.misses.add()
		v.tokens.forget(e)
		return nil, nil
	}
	v.tokens.hits.add()
	return e.token, nil
}

// size returns how many bytes the cache keeps for e. The public key is that of the
// KeySource, and the policy is shared by all tokens of the issuer.
func (e *cacheEntry) size() uint32 {
	const perMember, perString = 32, 16
	t := e.token
	s := t.source()
	n := perEntry + allocated(len(s.text)) + allocated(perMember*len(s.members))
	if len(t.audience) > len(tokenMemory{}.audiences) {
		n += allocated(perString * len(t.audience))
	}
	n += allocated(perString * len(t.scopes))
	if strings.IndexByte(s.text[len(s.raw):], '\\') >= 0 { // unescaped strings have their own memory
		n += allocated(len(s.payload)) + perString*len(t.scopes)
		n += allocated(len(e.query.KeyID)) + allocated(len(e.query.X5T)) + allocated(len(e.query.X5TS256))
		for _, a := range t.audience {
			n += allocated(len(a))
		}
		for _, m := range s.members {
			n += allocated(len(m.Name))
		}
		n += allocated(len(t.issuer)) + allocated(len(t.subject)) + allocated(len(t.clientID)) + allocated(len(t.id))
	}
	return uint32(min(n, math.MaxUint32))
}

// perEntry is the memory of every token: the Token, its entry, and in the cache a node,
// a slot in a table that doubles, and a usage count.
var perEntry = allocated(int(reflect.TypeFor[tokenMemory]().Size())) + allocated(int(reflect.TypeFor[cacheEntry]().Size())) + 256

// allocated returns how many bytes the runtime uses at most for an allocation of n: a
// quarter more, and 16.
func allocated(n int) int {
	if n == 0 {
		return 0
	}
	return n + n/4 + 16
}

// A counter is incremented by many processors at once, so it has several parts, each in
// its own cache line.
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
