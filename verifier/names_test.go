package verifier_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Every letter that somebody's case folding takes for one of ASCII is known.
func TestEveryFolding(t *testing.T) {
	spellings := map[rune][]rune{}
	for r := rune(unicode.MaxASCII + 1); r <= unicode.MaxRune; r++ {
		folded := []rune{unicode.ToLower(r), unicode.ToUpper(r), unicode.ToLower(unicode.ToUpper(r))}
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			folded = append(folded, f)
		}
		for _, f := range folded {
			if f = unicode.ToLower(f); f <= unicode.MaxASCII && !slices.Contains(spellings[f], r) {
				spellings[f] = append(spellings[f], r)
			}
		}
	}
	require.Equal(t, map[rune][]rune{'i': {'\u0130', '\u0131'}, 'k': {'\u212a'}, 's': {'\u017f'}}, spellings)
	v, _ := setup(t)
	s := signerOf("EdDSA")
	for letter, others := range spellings {
		for _, other := range others {
			for _, name := range []string{"iss", "sub", "iat"} {
				if strings.ContainsRune(name, letter) {
					_, err := v.Verify(ctx, s.sign(s.header().text(), inside(goodClaims(), `"`+strings.ReplaceAll(name, string(letter), string(other))+`":1`)))
					assert.ErrorIs(t, err, verifier.ErrMalformed, "P2 %q in %s", other, name)
				}
			}
			for _, name := range []string{"kid", "crit"} {
				if strings.ContainsRune(name, letter) {
					_, err := v.Verify(ctx, s.sign(inside(s.header(), `"`+strings.ReplaceAll(name, string(letter), string(other))+`":1`), goodClaims().text()))
					assert.ErrorIs(t, err, verifier.ErrMalformed, "P2 %q in %s", other, name)
				}
			}
		}
	}
}

// A name twice is found wherever the two stand, among however many, in one
// spelling or in two.
func TestNamesTwice(t *testing.T) {
	for _, n := range []int{2, 4, 5, 8, 9, 16, 17, 63, 64, 65, 128, 129, 255, 256} {
		for _, format := range []string{`"%d":1`, `"\u006e%d":1`, `"\n\"%d":1`} {
			var names []string
			for i := range n {
				names = append(names, fmt.Sprintf(format, i))
			}
			object := "{" + strings.Join(names, ",") + "}"
			_, _, err := verifier.ReadObject([]byte(object))
			require.NoError(t, err)
			_, _, err = verifier.ReadObject([]byte(`{"x":` + object + `,"y":[` + object + `,` + object + `]}`))
			require.NoError(t, err, "the same in several objects")
			for _, first := range []int{0, n/2 - 1, n - 2} {
				for _, second := range []int{first + 1, n - 1} {
					twice := slices.Clone(names)
					twice[second] = strings.Replace(twice[first], `\u006e`, "n", 1)
					object := "{" + strings.Join(twice, ",") + "}"
					_, _, err := verifier.ReadObject([]byte(object))
					require.Error(t, err, "P2 %s", object)
					_, _, err = verifier.ReadObject([]byte(`{"x":[` + object + `]}`))
					require.Error(t, err, "P2 %s at depth", object)
				}
			}
		}
	}
}
