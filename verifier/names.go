package verifier

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"unicode/utf8"
)

// nameSeed makes the places of names in a table unpredictable.
var nameSeed = maphash.MakeSeed()

// A nameTable has places for maxMembers names, and as many free ones.
type nameTable [2 * maxMembers]uint16

// distinct reports whether no two of the names from outer on are equal, in linear
// time. There are maxMembers at most.
func (r *reader) distinct(outer int) bool {
	names := r.names[outer:]
	if len(names) < 2 {
		return true
	}
	places := r.table[:2<<bits.Len(uint(len(names)-1))]
	clear(places)
	for i, n := range names {
		name := r.bytes(n)
		at := int(maphash.Bytes(nameSeed, name)) & (len(places) - 1)
		for ; places[at] > 0; at = (at + 1) & (len(places) - 1) {
			if bytes.Equal(r.bytes(names[places[at]-1]), name) {
				return false
			}
		}
		places[at] = uint16(i + 1)
	}
	return true
}

// Registered names that no other spelling may stand for: a reader that folds
// case would take ISS, or iss with U+017F in it, for iss.
var (
	headerNames = []string{"alg", "kid", "typ", "crit"}
	claimNames  = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "cnf"}
)

// maxVariant is how long another spelling of a registered name can be, in bytes.
const maxVariant = 4 * 3

// isVariant reports whether name reads like a registered one without being it.
func isVariant(name []byte, registered []string) bool {
	if len(name) > maxVariant {
		return false
	}
	var room [maxVariant]byte
	folded, other := room[:0], false
	for _, c := range string(name) {
		f := fold(c)
		if f >= utf8.RuneSelf {
			return false
		}
		folded, other = append(folded, byte(f)), other || f != c
	}
	if !other {
		return false
	}
	for _, r := range registered {
		if r == string(folded) {
			return true
		}
	}
	return false
}

// fold returns the small letter that c is a spelling of for anybody: by simple
// folding (U+017F, U+212A), or by way of capitals (U+0130, U+0131).
func fold(c rune) rune {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case c == '\u017f':
		return 's'
	case c == '\u212a':
		return 'k'
	case c == '\u0130' || c == '\u0131':
		return 'i'
	}
	return c
}
