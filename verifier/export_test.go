package verifier

import (
	"context"
	"hash/maphash"
	"net/http"
	"slices"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// DefaultTokenCache is -1 in the tests without the cache.
const DefaultTokenCache = defaultTokenCache

// Collide lets all tokens of v have one hash, as nobody outside can arrange.
func Collide(v *Verifier) { v.tokens.hash = func(maphash.Seed, string) uint64 { return 7 } }

// LookupCached returns what v remembers of raw at any time, nil if it has to be
// verified.
func LookupCached(v *Verifier, raw string, now time.Time) *Token {
	t, _ := v.lookupCached(context.Background(), raw, now)
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
func ForgetBugs() { unguardedBugs = bugLog{} }

// Bugs returns how many configuration errors v keeps in mind.
func Bugs(v *Verifier) int { return len(v.api.bugs.logged) }

// ReadObject reads an object as claims are read.
func ReadObject(text []byte) (names []string, values [][]byte, err error) {
	_, o, err := jose.ReadObject(text, registeredNames, new(jose.Buffer))
	for _, m := range o {
		names, values = append(names, m.Name), append(values, []byte(m.Value))
	}
	return names, values, err
}

// ParseCompact returns what raw is read as.
func ParseCompact(raw string) (alg, kid, signed string, payload, signature []byte, err error) {
	if len(raw) > defaultMaxTokenLength {
		return "", "", "", nil, nil, ErrMalformed
	}
	c, err := jose.Parse(raw, registeredNames, new(jose.Buffer))
	if err != nil {
		return "", "", "", nil, nil, err
	}
	return c.Alg, c.Kid, string(c.Signed), []byte(c.Payload), slices.Clone(c.Signature), nil
}

// A Binding is a binding, for tests.
type Binding struct {
	Member, Scheme string
	Confirm        func(r *http.Request, raw string, t *Token) (http.Header, error)
}

// An Observation is an observation, for tests.
type Observation struct {
	Caller
	Err               *Error
	Inner, Remembered bool
	Signature         time.Duration
}

// Extend gives v what nothing exported gives it so far.
func Extend(v *Verifier, bindings []Binding, revoked func(context.Context, *Token) (bool, error), observe func(Observation)) {
	for _, b := range bindings {
		v.api.bindings = append(v.api.bindings, binding{b.Member, b.Scheme, b.Confirm})
	}
	v.api.revoked = revoked
	if observe != nil {
		v.api.observe = func(_ context.Context, o observation) {
			observe(Observation{o.Caller, o.err, o.inner, o.remembered, o.signature})
		}
	}
}
