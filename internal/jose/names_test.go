package jose_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Only what some case folding makes a registered name of is another spelling of it.
func TestOtherSpellings(t *testing.T) {
	for name, accepted := range map[string]bool{
		"ISS": false, "Exp": false, "\u017fub": false, `\u0131ss`: false, "EX": true,
		"\u0165XP": true, // whose last eight bits are those of e
		"\u0080XP": true, "XP": true, "exp2": true, "eXPs": true, "SUBJECT": true,
	} {
		_, err := read(`{"` + name + `":1}`)
		require.Equal(t, accepted, err == nil, "P2 %s: %v", name, err)
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
			_, err := read(object)
			require.NoError(t, err)
			_, err = read(`{"x":` + object + `,"y":[` + object + `,` + object + `]}`)
			require.NoError(t, err, "the same in several objects")
			for _, first := range []int{0, n/2 - 1, n - 2} {
				for _, second := range []int{first + 1, n - 1} {
					twice := slices.Clone(names)
					twice[second] = strings.Replace(twice[first], `\u006e`, "n", 1)
					object := "{" + strings.Join(twice, ",") + "}"
					_, err := read(object)
					require.Error(t, err, "P2 %s", object)
					_, err = read(`{"x":[` + object + `]}`)
					require.Error(t, err, "P2 %s at depth", object)
				}
			}
		}
	}
}
