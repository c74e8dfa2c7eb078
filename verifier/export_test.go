package verifier

import (
	"context"
	"hash/maphash"
	"time"
)

// DefaultTokenCache is -1 in the tests without the cache.
const DefaultTokenCache = defaultTokenCache

// Collide lets all tokens of v have one hash, as nobody outside can arrange.
func Collide(v *Verifier) { v.tokens.hash = func(maphash.Seed, string) uint64 { return 7 } }

// LookupCached returns what v remembers of raw at any time, nil if it has to be
// verified.
func LookupCached(v *Verifier, raw string, now time.Time) *Token {
	t, err := v.lookupCached(context.Background(), raw, now)
	if err != nil {
		return nil
	}
	return t
}

// MaxTokens is how many tokens v remembers.
func MaxTokens(v *Verifier) int { return v.tokens.maxTokens }

// Upkeep lets the cache do what it has put off.
func Upkeep(v *Verifier) { v.tokens.entries.CleanUp() }

// Change makes of a remembered token one that no verifier would have let in.
func Change(t *Token, bound bool, audience ...string) { t.bound, t.audience = bound, audience }

// ForgetBugs lets configuration errors that no Verifier has a part in be logged
// again.
func ForgetBugs() { sharedBugs = bugLog{} }

// Bugs returns how many configuration errors v keeps in mind.
func Bugs(v *Verifier) int { return len(v.api.bugs.logged) }
