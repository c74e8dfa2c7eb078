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

	byKID map[string]keysByAlg // "" has those published without one
	all   keysByAlg            // whatever the kid
}

type keysByAlg map[string][]crypto.PublicKey

func newKeySet() *keySet {
	return &keySet{byKID: map[string]keysByAlg{}, all: keysByAlg{}}
}

func (s *keySet) add(k key) {
	if s.named(k.kid) {
		s.skipped = append(s.skipped, fmt.Sprintf("kid %.40q names several keys; all are used", k.kid))
	}
	s.size++
	s.keys = append(s.keys, k)
	if s.byKID[k.kid] == nil {
		s.byKID[k.kid] = keysByAlg{}
	}
	for _, m := range []keysByAlg{s.byKID[k.kid], s.all} {
		for _, alg := range k.algs {
			m[alg] = append(m[alg], k.public)
		}
	}
}

func (s *keySet) skip(why string) { s.skipped = append(s.skipped, why) }

// clip ends the building: whoever appends to an answer gets a copy.
func (s *keySet) clip() {
	s.all.clip()
	for _, m := range s.byKID {
		m.clip()
	}
}

func (m keysByAlg) clip() {
	for alg, keys := range m {
		m[alg] = slices.Clip(keys)
	}
}

// named reports whether a key has this kid.
func (s *keySet) named(kid string) bool { return kid != "" && s.byKID[kid] != nil }

// lookup returns the keys for kid and alg, and whether the set can tell: a kid
// that it has is known even where its keys are for other algorithms.
func (s *keySet) lookup(kid, alg string) (keys []crypto.PublicKey, known bool) {
	if kid == "" {
		keys = s.all[alg]
	} else if named := s.byKID[kid]; named != nil {
		return named[alg], true
	} else {
		keys = s.byKID[""][alg]
	}
	return keys, len(keys) > 0
}

// equal reports whether t holds the same keys under the same names in the same
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
