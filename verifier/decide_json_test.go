package verifier_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// inside returns m as text with more behind its last member.
func inside(m members, more string) string {
	return m.With(more)
}

// TestStrictJSON spoils the header, and then the claims, of a good token.
func TestStrictJSON(t *testing.T) {
	s := signerOf("ES256")
	v, keys := setup(t)
	tests := []struct {
		name  string
		spoil func(good members) string
	}{
		{"P2 a BOM", func(m members) string { return "\ufeff" + m.Text() }},
		{"P2 another object after it", func(m members) string { return m.Text() + "{}" }},
		{"P2 a letter after it", func(m members) string { return m.Text() + "x" }},
		{"P2 a comma after it", func(m members) string { return m.Text() + "," }},
		{"P2 a brace after it", func(m members) string { return m.Text() + "}" }},
		{"P2 NUL after it", func(m members) string { return m.Text() + "\x00" }},
		{"P2 a no-break space after it", func(m members) string { return m.Text() + "\u00a0" }},
		{"P2 an array of it", func(m members) string { return "[" + m.Text() + "]" }},
		{"P2 a string of it", func(m members) string { return fmt.Sprintf("%q", m.Text()) }},
		{"P2 null", func(members) string { return "null" }},
		{"P2 a number", func(members) string { return "42" }},
		{"P2 white space", func(members) string { return "  " }},
		{"P2 cut off", func(m members) string { return strings.TrimSuffix(m.Text(), "}") }},
		{"P2 cut off after a name", func(m members) string { return strings.TrimSuffix(inside(m, `"x"`), "}") }},
		{"P2 a name without a value", func(m members) string { return inside(m, `"x"`) }},
		{"P2 a name without quotation marks", func(m members) string { return inside(m, `x:1`) }},
		{"P2 a comma before the end", func(m members) string { return inside(m, ``) }},
		{"P2 no comma", func(m members) string { return strings.Replace(m.Text(), ",", " ", 1) }},
		{"P2 a comment", func(m members) string { return inside(m, `/**/"x":1`) }},
		{"P2 single quotation marks", func(m members) string { return inside(m, `'x':1`) }},
		{"P2 a leading zero", func(m members) string { return inside(m, `"x":01`) }},
		{"P2 NaN", func(m members) string { return inside(m, `"x":NaN`) }},
		{"P2 a plus sign", func(m members) string { return inside(m, `"x":+1`) }},
		{"P2 a newline in a string", func(m members) string { return inside(m, "\"x\":\"\n\"") }},
		{"P2 an unknown escape", func(m members) string { return inside(m, `"x":"\x41"`) }},

		{"P2 no UTF-8 in a value", func(m members) string { return inside(m, "\"x\":\"\xff\"") }},
		{"P2 no UTF-8 in a name", func(m members) string { return inside(m, "\"\xc3\":1") }},
		{"P2 no UTF-8 at depth", func(m members) string { return inside(m, "\"x\":[{\"y\":\"\xed\xa0\x80\"}]") }},
		{"P2 an overlong form", func(m members) string { return inside(m, "\"x\":\"\xc0\xaf\"") }},
		{"P2 half a surrogate pair", func(m members) string { return inside(m, `"x":"\ud800"`) }},
		{"P2 UTF-16", func(m members) string { return "\xff\xfe" + strings.Join(strings.Split(m.Text(), ""), "\x00") }},

		{"P2 a name twice", func(m members) string { return inside(m, `"x":1,"x":1`) }},
		{"P2 a name twice after unescaping", func(m members) string { return inside(m, `"x":1,"\u0078":1`) }},
		{"P2 a name twice at depth", func(m members) string { return inside(m, `"x":{"y":1,"y":2}`) }},
		{"P2 a name twice in an array", func(m members) string { return inside(m, `"x":[[{"y":1,"z":{},"y":2}]]`) }},
		{"P2 a name twice at depth after unescaping", func(m members) string { return inside(m, `"x":[{"a/b":1,"a\/b":2}]`) }},
		{"P2 a surrogate pair and its letter", func(m members) string { return inside(m, `"x":{"😀":1,"\ud83d\ude00":2}`) }},
		{"P2 an empty name twice", func(m members) string { return inside(m, `"":1,"":2`) }},

		{"P2 33 deep in arrays", func(m members) string { return inside(m, `"x":`+nested("[", "]", 32)) }},
		{"P2 33 deep in objects", func(m members) string { return inside(m, `"x":`+nested(`{"x":`, "}", 32)) }},
		{"P2 33 deep and on", func(m members) string { return inside(m, `"x":`+nested("[", "]", 32)+`,"y":1`) }},
		{"P2 4,000 deep", func(m members) string { return inside(m, `"x":`+nested("[", "]", 4000)) }},
		{"P2 4,000 deep without an end", func(m members) string { return `{"x":` + strings.Repeat("[", 4000) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys.lookups.Store(0)
			_, err := v.Verify(ctx, s.Sign(tt.spoil(s.Header()), goodClaims().Text()))
			assertRefused(t, verifier.ErrMalformed, err)
			_, err = v.Verify(ctx, s.Sign(s.Header().Text(), tt.spoil(goodClaims())))
			assertRefused(t, verifier.ErrMalformed, err)
			assert.Zero(t, keys.lookups.Load())
		})
	}
}

// nested returns n of open and close around a number.
func nested(open, close string, n int) string {
	return strings.Repeat(open, n) + "1" + strings.Repeat(close, n)
}

func TestDoubledNames(t *testing.T) {
	s := signerOf("ES256")
	v, keys := setup(t)
	for name, value := range goodClaims() {
		t.Run("P2 "+name+" twice", func(t *testing.T) {
			_, err := v.Verify(ctx, s.Sign(s.Header().Text(), inside(goodClaims(), `"`+name+`":`+value)))
			assertRefused(t, verifier.ErrMalformed, err)
			escaped := fmt.Sprintf(`"\u%04x%s":%s`, name[0], name[1:], value)
			_, err = v.Verify(ctx, s.Sign(s.Header().Text(), inside(goodClaims(), escaped)))
			assertRefused(t, verifier.ErrMalformed, err)
		})
	}
	for name, value := range s.Header() {
		t.Run("P2 "+name+" twice in the header", func(t *testing.T) {
			_, err := v.Verify(ctx, s.Sign(inside(s.Header(), `"`+name+`":`+value), goodClaims().Text()))
			assertRefused(t, verifier.ErrMalformed, err)
		})
	}
	assert.Zero(t, keys.lookups.Load())
}

// TestCaseVariants puts other spellings of registered names where they are looked
// for, and where they are names like any other.
func TestCaseVariants(t *testing.T) {
	s := signerOf("ES256")
	v, keys := setup(t)
	header := map[string][]string{
		"alg": {"ALG", "Alg", "aLg"}, "kid": {"KID", "Kid", "\u212aid", "\u212aID", `\u212aid`},
		"typ": {"TYP", "Typ"}, "crit": {"CRIT", "Crit", "cRIt"},
	}
	claims := map[string][]string{
		"iss": {"ISS", "Iss", "i\u017fs", "is\u017f", "I\u017f\u017f", `is\u017f`}, "sub": {"SUB", "Sub", "\u017fub", `\u017fUB`},
		"aud": {"AUD", "Aud"}, "exp": {"EXP", "Exp", `\u0045xp`}, "nbf": {"NBF", "Nbf"}, "iat": {"IAT", "Iat"},
		"cnf": {"CNF", "Cnf"},
	}
	require.Len(t, header, 4)
	require.Len(t, claims, 7)
	inHeader := func(m members) string { return s.Sign(m.Text(), goodClaims().Text()) }
	inClaims := func(m members) string { return s.Sign(s.Header().Text(), m.Text()) }
	for _, place := range []struct {
		name            string
		variants        map[string][]string
		good            members
		refused, passes func(members) string
		other           members
	}{
		{"header", header, s.Header(), inHeader, inClaims, goodClaims()},
		{"claims", claims, goodClaims(), inClaims, inHeader, s.Header()},
	} {
		for name, others := range place.variants {
			for _, other := range others {
				t.Run("P2 "+place.name+" "+other+" beside "+name, func(t *testing.T) {
					keys.lookups.Store(0)
					_, err := v.Verify(ctx, place.refused(members{other: `"x"`}.Over(place.good)))
					assertRefused(t, verifier.ErrMalformed, err)
					assert.Zero(t, keys.lookups.Load())
					verified(t, v, place.passes(members{other: `"x"`}.Over(place.other)))
				})
				t.Run("P2 "+place.name+" "+other+" instead of "+name, func(t *testing.T) {
					keys.lookups.Store(0)
					_, err := v.Verify(ctx, place.refused(members{name: "", other: `"x"`}.Over(place.good)))
					assertRefused(t, verifier.ErrMalformed, err)
					assert.Zero(t, keys.lookups.Load())
				})
			}
		}
	}
}

func TestAcceptedJSON(t *testing.T) {
	s := signerOf("ES256")
	v, _ := setup(t)
	tests := []struct {
		name  string
		spoil func(good members) string
	}{
		{"P2 nothing more", func(m members) string { return m.Text() }},
		{"P2 white space between", func(m members) string {
			return "\r\n\t { " + strings.ReplaceAll(strings.Trim(m.Text(), "{}"), `,"`, "\n,\t\r \"") + " } "
		}},
		{"P2 other names differ by case", func(m members) string { return inside(m, `"roles":["a"],"Roles":["b"],"JTI":1`) }},
		{"P2 registered names longer", func(m members) string { return inside(m, `"exp2":1,"is":1,"subs":1,"algo":1`) }},
		{"P2 an escaped registered name", func(m members) string {
			return strings.NewReplacer(`"alg"`, `"\u0061lg"`, `"exp"`, `"\u0065\u0078p"`).Replace(m.Text())
		}},
		{"P2 the same name at two depths", func(m members) string { return inside(m, `"x":{"x":[{"x":1},{"x":2}]}`) }},
		{"P2 other spellings inside a value", func(m members) string { return inside(m, `"x":{"exp":1,"Exp":2,"KID":3}`) }},
		{"P2 an empty name", func(m members) string { return inside(m, `"":1`) }},
		{"P2 32 deep in arrays", func(m members) string { return inside(m, `"x":`+nested("[", "]", 31)) }},
		{"P2 32 deep in objects", func(m members) string { return inside(m, `"x":`+nested(`{"x":`, "}", 31)) }},
		{"P2 32 deep twice", func(m members) string {
			return inside(m, `"x":`+nested("[", "]", 31)+`,"y":`+nested("[", "]", 31))
		}},
		{"P2 beyond ASCII", func(m members) string { return inside(m, `"näme":"😀\ud83d\ude00\u0000"`) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			verified(t, v, s.Sign(tt.spoil(s.Header()), goodClaims().Text()))
			tok := verified(t, v, s.Sign(s.Header().Text(), tt.spoil(goodClaims())))
			assert.Equal(t, "billing", tok.ClientID())
		})
	}
}

// TestHugeJSON has texts that cost a reader dear that recurses, or that
// compares every name with every other.
func TestHugeJSON(t *testing.T) {
	v, keys := setup(t, func(cfg *set) { cfg.MaxTokenLength = 16 << 20 })
	s := signerOf("ES256")
	var names strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&names, `"n%d":1,`, i)
	}
	tests := []struct{ name, text string }{
		{"P2 100,000 deep in arrays", `{"x":` + nested("[", "]", 100_000) + `}`},
		{"P2 100,000 deep in objects", nested(`{"x":`, "}", 100_000)},
		{"P2 100,000 deep without an end", strings.Repeat(`{"x":[`, 50_000)},
		{"P2 20,000 names and one twice", "{" + names.String() + `"n0":1}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			_, err := v.Verify(ctx, s.Sign(tt.text, goodClaims().Text()))
			assertRefused(t, verifier.ErrMalformed, err)
			_, err = v.Verify(ctx, s.Sign(s.Header().Text(), tt.text))
			assertRefused(t, verifier.ErrMalformed, err)
			assert.Less(t, time.Since(start), 5*time.Second)
		})
	}
	assert.Zero(t, keys.lookups.Load())
}

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
					_, err := v.Verify(ctx, s.Sign(s.Header().Text(), inside(goodClaims(), `"`+strings.ReplaceAll(name, string(letter), string(other))+`":1`)))
					assert.ErrorIs(t, err, verifier.ErrMalformed, "P2 %q in %s", other, name)
				}
			}
			for _, name := range []string{"kid", "crit"} {
				if strings.ContainsRune(name, letter) {
					_, err := v.Verify(ctx, s.Sign(inside(s.Header(), `"`+strings.ReplaceAll(name, string(letter), string(other))+`":1`), goodClaims().Text()))
					assert.ErrorIs(t, err, verifier.ErrMalformed, "P2 %q in %s", other, name)
				}
			}
		}
	}
}
