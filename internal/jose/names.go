package jose

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"unicode/utf8"
)

// nameSeed is random, so that nobody can choose names that collide in a table.
var nameSeed = maphash.MakeSeed()

// A nameTable is a hash table for at most maxMembers names. Each slot has the index of a
// name, counted from 1. At least half of the slots are free.
type nameTable [2 * maxMembers]uint16

// distinct reports whether all names from outer on differ. It takes linear time.
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

// maxVariant is the maximum length of another spelling of a registered name: four
// letters, each of at most three bytes.
const maxVariant = 4 * 3

// isVariant reports whether name differs from a registered name only by case, so that a
// reader that ignores case would use it: ISS, or iss with U+017F in it.
func isVariant(name []byte, registered []string) bool {
	if len(name) > maxVariant {
		return false
	}
	var room [maxVariant]byte
	folded, differs := room[:0], false
	for _, c := range string(name) {
		f := fold(c)
		if f >= utf8.RuneSelf {
			return false
		}
		folded, differs = append(folded, byte(f)), differs || f != c
	}
	if !differs {
		return false
	}
	for _, r := range registered {
		if r == string(folded) {
			return true
		}
	}
	return false
}

// fold returns the lower-case ASCII letter that c becomes by simple case folding (U+017F,
// U+212A) or through its upper case (U+0130, U+0131), and otherwise c.
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
