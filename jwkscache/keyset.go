package jwkscache

import (
	"crypto"
	"fmt"
	"slices"
	"strings"
)

var (
	rsaAlgs = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	edAlgs  = []string{"EdDSA", "Ed25519"}
	curves  = map[string]curve{"P-256": {"ES256", 32}, "P-384": {"ES384", 48}, "P-521": {"ES512", 66}}
)

type curve struct {
	alg  string
	size int // of a coordinate, in bytes
}

// A key is one usable key of a set.
type key struct {
	kid          string
	x5t, x5tS256 string   // its certificate's thumbprints (RFC 7517 §4.8, §4.9), canonical
	algs         []string // that it may verify
	public       crypto.PublicKey
	odd          []string // what is wrong about its JWK and was read all the same
}

// A keySet answers lookups. It is immutable once built.
type keySet struct {
	size    int
	keys    []key
	skipped []string // one sentence each, of keys that are not used or are odd

	byKID, byX5T, byX5TS256 map[string]keysByAlg // none under ""

	// Keys that a token may mean whose own names nothing here has: all of them,
	// and those published without kid; each by the kinds of thumbprint that the
	// token has, and that such keys therefore lack.
	all, unnamed [1 << 2]keysByAlg
}

type keysByAlg map[string][]crypto.PublicKey

func newKeySet() *keySet {
	s := &keySet{byKID: map[string]keysByAlg{}, byX5T: map[string]keysByAlg{}, byX5TS256: map[string]keysByAlg{}}
	for i := range s.all {
		s.all[i], s.unnamed[i] = keysByAlg{}, keysByAlg{}
	}
	return s
}

func (s *keySet) add(k key) {
	if s.byKID[k.kid] != nil {
		s.skipped = append(s.skipped, fmt.Sprintf("kid %.40q names several keys; all are used", k.kid))
	}
	s.size++
	s.keys = append(s.keys, k)
	addNamed(s.byKID, k.kid, k)
	addNamed(s.byX5T, k.x5t, k)
	addNamed(s.byX5TS256, k.x5tS256, k)
	has := thumbprintKinds(k.x5t, k.x5tS256)
	for kinds := range s.all {
		if has&kinds != 0 {
			continue
		}
		s.all[kinds].add(k)
		if k.kid == "" {
			s.unnamed[kinds].add(k)
		}
	}
}

func addNamed(index map[string]keysByAlg, name string, k key) {
	if name == "" {
		return
	}
	if index[name] == nil {
		index[name] = keysByAlg{}
	}
	index[name].add(k)
}

func (m keysByAlg) add(k key) {
	for _, alg := range k.algs {
		m[alg] = append(m[alg], k.public)
	}
}

// thumbprintKinds returns a set of bits, one for each thumbprint that there is.
func thumbprintKinds(x5t, x5tS256 string) (kinds int) {
	if x5t != "" {
		kinds |= 1
	}
	if x5tS256 != "" {
		kinds |= 2
	}
	return kinds
}

func (s *keySet) skip(why string) { s.skipped = append(s.skipped, why) }

// clip ends the building: whoever appends to an answer gets a copy.
func (s *keySet) clip() {
	for i := range s.all {
		s.all[i].clip()
		s.unnamed[i].clip()
	}
	for _, index := range []map[string]keysByAlg{s.byKID, s.byX5T, s.byX5TS256} {
		for _, m := range index {
			m.clip()
		}
	}
}

func (m keysByAlg) clip() {
	for alg, keys := range m {
		m[alg] = slices.Clip(keys)
	}
}

// named returns the keys that q names: by its kid, if a key has that, or else by
// a thumbprint; nil if no key of the set has any of them.
func (s *keySet) named(q *Query) keysByAlg {
	if m := s.byKID[q.KeyID]; m != nil {
		return m
	}
	if m := s.byX5TS256[canonical(q.X5TS256)]; m != nil {
		return m
	}
	return s.byX5T[canonical(q.X5T)]
}

// lookup returns the keys that q may mean, and whether the set can tell. It can
// if it has what q names, even where that key is for other algorithms, or if
// there are keys that q may mean all the same: those published without kid, or,
// where q has none, all; but none that has a thumbprint where q has another.
// Otherwise the key is unknown, and a newer set may have it.
func (s *keySet) lookup(q *Query) (keys []crypto.PublicKey, known bool) {
	if m := s.named(q); m != nil {
		return m[q.Algorithm], true
	}
	kinds := thumbprintKinds(q.X5T, q.X5TS256)
	if q.KeyID == "" {
		keys = s.all[kinds][q.Algorithm]
	} else {
		keys = s.unnamed[kinds][q.Algorithm]
	}
	return keys, len(keys) > 0
}

// canonical returns a thumbprint as base64url without padding, which is how RFC
// 7517 §4.8 has it, and not every server.
func canonical(thumbprint string) string {
	return base64URL.Replace(strings.TrimRight(thumbprint, "="))
}

var base64URL = strings.NewReplacer("+", "-", "/", "_")

// equal reports whether t holds the same keys under the same names in the same
// order, and reports the same.
func (s *keySet) equal(t *keySet) bool {
	if len(s.keys) != len(t.keys) || !slices.Equal(s.skipped, t.skipped) {
		return false
	}
	for i, k := range s.keys {
		u := t.keys[i]
		if k.kid != u.kid || k.x5t != u.x5t || k.x5tS256 != u.x5tS256 || !slices.Equal(k.algs, u.algs) {
			return false
		}
		if pub, ok := k.public.(interface{ Equal(crypto.PublicKey) bool }); !ok || !pub.Equal(u.public) {
			return false
		}
	}
	return true
}
