package jwkscache

import (
	"crypto"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// A key is one usable key of a set.
type key struct {
	kid          string
	x5t, x5tS256 string   // its certificate's thumbprints (RFC 7517 §4.8, §4.9), canonical
	algs         []string // the names of the algorithms that it may verify
	use          string   // as published; nothing is decided by it once the key is in a set
	public       crypto.PublicKey
	unusual      []string // encodings in its JWK that are wrong, but were read
}

// A keySet finds keys by what a token's header has. It is immutable once built.
type keySet struct {
	size     int
	keys     []key
	infos    []KeyInfo // of keys, in their order; see withHistory
	warnings []KeyWarning

	byKID, byX5T, byX5TS256 map[string]keysByAlg // nothing under ""

	// For a token without kid, and for one whose names no key has: all keys, and
	// those published without kid. The index is the thumbprintKinds of the token;
	// keys that have a thumbprint of such a kind have another one, and are left out.
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
		s.warn(KeyWarning{KeyID: k.kid, Used: true}, "kid %.40q names several keys; all are used", k.kid)
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

// thumbprintKinds returns a bit for each kind of thumbprint that there is.
func thumbprintKinds(x5t, x5tS256 string) (kinds int) {
	if x5t != "" {
		kinds |= 1
	}
	if x5tS256 != "" {
		kinds |= 2
	}
	return kinds
}

func (s *keySet) warn(w KeyWarning, format string, args ...any) {
	w.KeyID, w.Text = cut(w.KeyID), fmt.Sprintf(format, args...)
	s.warnings = append(s.warnings, w)
}

// texts returns the first n warnings, or all if there are fewer.
func texts(all []KeyWarning, n int) (list []string) {
	for _, w := range all[:min(n, len(all))] {
		list = append(list, w.Text)
	}
	return list
}

// clip ends the building: appending to a result of lookup makes a copy.
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

// lookup returns the keys that q may mean, and whether q's key is known: if the set
// has a key that q names, even one for other algorithms, or if there are keys that q
// may mean without naming them. These are the keys published without kid or, where q
// has no kid, all; but none with a thumbprint other than q's. A newer set may have a
// key that is unknown.
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

// canonical returns a thumbprint as base64url without padding (RFC 7517 §4.8), which
// not every server sends.
func canonical(thumbprint string) string {
	return base64URL.Replace(strings.TrimRight(thumbprint, "="))
}

var base64URL = strings.NewReplacer("+", "-", "/", "_")

// equal reports whether t has the same keys under the same names in the same order,
// for the same use, and the same warnings.
func (s *keySet) equal(t *keySet) bool {
	same := func(k, u key) bool { return k.use == u.use && k.equal(u) }
	return slices.EqualFunc(s.keys, t.keys, same) && slices.Equal(s.warnings, t.warnings)
}

// hasKeysOf reports whether s and t have the same keys under the same names, in
// whatever order.
func (s *keySet) hasKeysOf(t *keySet) bool {
	if s == t {
		return true
	}
	for _, k := range s.keys {
		if !slices.ContainsFunc(t.keys, k.equal) {
			return false
		}
	}
	return len(s.keys) == len(t.keys)
}

func (k key) equal(u key) bool {
	return k.kid == u.kid && k.x5t == u.x5t && k.x5tS256 == u.x5tS256 && slices.Equal(k.algs, u.algs) &&
		jose.Equal(k.public, u.public)
}
