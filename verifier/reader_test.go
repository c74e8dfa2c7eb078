package verifier_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// TestReader holds the strict reader beside a library's: what one takes the other
// takes. FuzzReadObject goes on from there.
func TestReader(t *testing.T) {
	values := []string{
		`1`, `0`, `-0`, `10`, `-7`, `1.5`, `0.0`, `1e5`, `1E5`, `1e+5`, `1e-5`, `1.25E-07`, `123456789012345678901234567890`,
		``, `-`, `+1`, `01`, `-01`, `.5`, `1.`, `1.e5`, `1e`, `1e+`, `1f`, `0x1`, `1_0`, `1,5`, `--1`, `1-`, `Infinity`, `NaN`,
		`true`, `false`, `null`, `True`, `tru`, `truee`, `fals`, `falsy`, `nul`, `nullx`, `nil`, `t`, `f`, `n`, `undefined`,
		`""`, `"a"`, `"a b"`, `"\u0041"`, `"\ud83d\ude00"`, `"\"\\\/\b\f\n\r\t"`, `"é"`, `"😀"`, "\"\x7f\"", "\"\u0080\"",
		`"`, `"a`, `"\`, `"\"`, `"\u"`, `"\u004"`, `"\u004g"`, `"\x41"`, `"\ud83d"`, `"\ude00\ud83d"`, `"\ud83dx"`, "\"\x00\"", "\"\x1f\"", "\"\n\"",
		"\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"", "\"\xc0\x80\"", `'a'`, `a`, `"a""b"`, `"a" "b"`,
		`[]`, `[ ]`, `[1]`, `[1,2]`, `[ 1 , 2 ]`, `["a",[],{}]`, `[[[]]]`, `[`, `]`, `[1`, `[1,`, `[1,]`, `[,]`, `[,1]`, `[1 2]`, `[1;2]`, `[1}`, `[1]]`, `["a":1]`,
		`{}`, `{ }`, `{"b":1}`, `{"b":1,"c":2}`, `{ "b" : 1 , "c" : 2 }`, `{"b":{}}`, `{"":1}`, `{"b":1,"b":2}`, `{"b":1,"\u0062":2}`, `{"b":{"c":1},"c":2}`,
		`{`, `}`, `{"b"}`, `{"b":}`, `{"b":1,}`, `{,}`, `{"b" 1}`, `{"b"=1}`, `{"b":1 "c":2}`, `{"b":1;"c":2}`, `{b:1}`, `{1:1}`, `{null:1}`, `{"b":1]`, `{"b":1}}`, `{"b`, `{"b":`,
		`/**/1`, `1//`, "\u00a01", "\ufeff1", "\x0b1", "\x001",
	}
	texts := []string{`["a":1}`, `"a":1}`, `x"a":1}`, `{}`, ` {} `, "\t\r\n{}\n", `{}{}`, `{},`, ``, ` `, `[]`, `1`, `""`}
	for _, c := range []string{"\x01", "\x1f", "\n", "\x00"} { // none of them ends a string
		texts = append(texts, `{"a`+c+`:1}`, `{"a":"b`+c+`}`, `{"a":["b`+c+`]}`, `{"a":"\\b`+c+`}`)
	}
	for _, v := range values {
		texts = append(texts, `{"a":`+v+`}`, `{"a":[`+v+`],"z":0}`, `{"a":{"b":`+v+`},"z":0}`, `{"a": `+v+` ,"z":0}`, `{"a":[0,`+v+`]}`, `{`+v+`:1}`, v)
	}
	for _, n := range []int{31, 32, 33, 40} {
		names := make([]string, n)
		for i := range names {
			names[i] = `"` + strings.Repeat("n", i) + `":1`
		}
		texts = append(texts, "{"+strings.Join(names, ",")+"}", "{"+strings.Join(append(names, `"n":2`), ",")+"}", `{"a":{`+strings.Join(append(names, `"":2`), ",")+"}}")
	}
	taken := 0
	for _, text := range texts {
		names, values, err := verifier.ReadObject([]byte(text))
		value := jsontext.Value(text)
		require.Equal(t, value.IsValid() && value.Kind() == '{', err == nil, "%q: %v", text, err)
		if err != nil {
			assert.Empty(t, names, text)
			continue
		}
		taken++
		dec := jsontext.NewDecoder(strings.NewReader(text))
		must(dec.ReadToken())
		for i := range names {
			require.Equal(t, must(dec.ReadToken()).String(), names[i], text)
			require.Equal(t, string(must(dec.ReadValue())), string(values[i]), text)
		}
	}
	assert.Greater(t, taken, 150)
	assert.Greater(t, len(texts)-taken, 400)

	for _, row := range []struct {
		open, close string
		deep        int
	}{{`[`, `]`, 31}, {`{"a":`, `}`, 31}} {
		_, _, err := verifier.ReadObject([]byte(`{"a":` + nested(row.open, row.close, row.deep) + `}`))
		require.NoError(t, err)
		for _, more := range []int{1, 2, 100} {
			_, _, err = verifier.ReadObject([]byte(`{"a":` + nested(row.open, row.close, row.deep+more) + `,"z":0}`))
			require.True(t, err != nil && isLimitOrVariant(err), "P2 %d deep", row.deep+more)
		}
	}
}

// isLimitOrVariant reports whether err is for text that is strict JSON.
func isLimitOrVariant(err error) bool {
	return err == jose.ErrDepth || err == jose.ErrMembers || err == jose.ErrVariant
}
