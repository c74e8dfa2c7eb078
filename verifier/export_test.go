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

// Recall returns what v remembers of raw at any time, nil if it has to be
// verified.
func Recall(v *Verifier, raw string, now time.Time) *Token {
	t, _ := v.recall(context.Background(), raw, now)
	return t
}

// TokensAtMost is how many tokens v remembers.
func TokensAtMost(v *Verifier) int { return v.tokens.atMost }

// Upkeep lets the cache do what it has put off.
func Upkeep(v *Verifier) { v.tokens.entries().CleanUp() }

// Change makes of a remembered token one that no verifier would have let in.
func Change(t *Token, bound bool, audience ...string) { t.bound, t.audience = bound, audience }

// IsBoundOrVariant reports whether err is for what is strict JSON.
func IsBoundOrVariant(err error) bool {
	return err == errDepth || err == errMembers || err == errVariant
}

// ForgetBugs lets wiring bugs that no Verifier has a part in be logged again.
func ForgetBugs() { unguardedBugs = bugLog{} }

// Bugs returns how many wiring bugs v keeps in mind.
func Bugs(v *Verifier) int { return len(v.bugs.logged) }

// Headers returns how many header texts v remembers.
func Headers(v *Verifier) int {
	if m := v.headers.current.Load(); m != nil {
		return len(*m)
	}
	return 0
}

// ParseCompact returns what the compact parser takes raw apart into.
func ParseCompact(raw string) (alg, kid, signed string, payload, signature []byte, err error) {
	if len(raw) > defaultTokenLength {
		return "", "", "", nil, nil, ErrMalformed
	}
	s := new(scratch)
	c, refused := parse(raw, new(headerCache), s)
	if refused != nil {
		return "", "", "", nil, nil, refused
	}
	return c.header.alg, c.header.kid, string(c.signed), []byte(c.payload), c.signature, nil
}

// ReadObject returns what the strict reader takes text for: names in their
// order, and raw values.
func ReadObject(text []byte) (names []string, values [][]byte, err error) {
	_, o, err := readObject(text, claimNames, new(scratch))
	for _, m := range o {
		names, values = append(names, m.name), append(values, []byte(m.value))
	}
	return names, values, err
}
