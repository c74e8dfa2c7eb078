package jwkscache

import (
	"crypto"
	"fmt"
	"slices"
)

var (
	rsaAlgs = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	edAlgs  = []string{"EdDSA", "Ed25519"}
	curves  = map[string]struct {
		alg  string
		size int // of a coordinate, in bytes
	}{"P-256": {"ES256", 32}, "P-384": {"ES384", 48}, "P-521": {"ES512", 66}}
)

// A keySet answers lookups. It is immutable once built.
type keySet struct {
	size    int
	keys    []key
	skipped []string // one sentence each

	byRef map[ref][]crypto.PublicKey    // kid may be "": published without one
	byAlg map[string][]crypto.PublicKey // whatever the kid
	kids  map[string]bool
}

type ref struct{ kid, alg string }

func newKeySet() *keySet {
	return &keySet{byRef: map[ref][]crypto.PublicKey{}, byAlg: map[string][]crypto.PublicKey{}, kids: map[string]bool{}}
}

func (s *keySet) add(k key) {
	if s.kids[k.kid] && k.kid != "" {
		s.skipped = append(s.skipped, fmt.Sprintf("kid %.40q names several keys; all are used", k.kid))
	}
	s.size++
	s.keys = append(s.keys, k)
	s.kids[k.kid] = true
	for _, alg := range k.algs {
		r := ref{k.kid, alg}
		s.byRef[r] = append(s.byRef[r], k.public)
		s.byAlg[alg] = append(s.byAlg[alg], k.public)
	}
}

func (s *keySet) skip(why string) { s.skipped = append(s.skipped, why) }

// clip ends the building: whoever appends to an answer gets a copy.
func (s *keySet) clip() {
	for r, keys := range s.byRef {
		s.byRef[r] = slices.Clip(keys)
	}
	for alg, keys := range s.byAlg {
		s.byAlg[alg] = slices.Clip(keys)
	}
}

// named tells whether a key has this kid.
func (s *keySet) named(kid string) bool { return kid != "" && s.kids[kid] }

// lookup returns the keys for kid and alg, and whether the set can tell: a kid
// that it has is known even where its keys are for other algorithms.
func (s *keySet) lookup(kid, alg string) (keys []crypto.PublicKey, known bool) {
	switch {
	case kid == "":
		keys = s.byAlg[alg]
	case s.kids[kid]:
		return s.byRef[ref{kid, alg}], true
	default:
		keys = s.byRef[ref{"", alg}]
	}
	return keys, len(keys) > 0
}

// equal tells whether t holds the same keys under the same names in the same
// order, and reports the same.
func (s *keySet) equal(t *keySet) bool {
	if len(s.keys) != len(t.keys) || !slices.Equal(s.skipped, t.skipped) {
		return false
	}
	for i, k := range s.keys {
		u := t.keys[i]
		if k.kid != u.kid || !slices.Equal(k.algs, u.algs) {
			return false
		}
		if pub, ok := k.public.(interface{ Equal(crypto.PublicKey) bool }); !ok || !pub.Equal(u.public) {
			return false
		}
	}
	return true
}
