package jose_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// registered are names that no other spelling may stand for.
var registered = []string{"iss", "exp", "sub"}

func read(text string) (jose.Object, error) {
	_, o, err := jose.ReadObject([]byte(text), registered, new(jose.Buffer))
	return o, err
}

// nested returns n values, each inside the one before it.
func nested(open, close string, n int) string {
	return strings.Repeat(open, n) + "1" + strings.Repeat(close, n)
}

// TestReadObject compares the strict reader with a library's: they accept the same
// texts. FuzzReadObject goes on from there.
func TestReadObject(t *testing.T) {
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
		`"\x0041"`, `"\u0041`, `"\ud83du de00"`, `"\ud83d/ude00"`, `"\ud83d\xde00"`, `"\u00:1"`, `"\u004:"`, `"\u00/1"`, `1:`, `:1`, `1/`, `1.:`, `1e:`,
		`/**/1`, `1//`, "\u00a01", "\ufeff1", "\x0b1", "\x001",
	}
	texts := []string{`["a":1}`, `{a":1}`, `{'a":1}`, `"a":1}`, `x"a":1}`, `{}`, ` {} `, "\t\r\n{}\n", `{}{}`, `{},`, ``, ` `, `[]`, `1`, `""`}
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
	for _, cut := range []string{`{"a":1.5e+7`, `{"a":true`, `{"a":false`, `{"a":null`, `{"a":"\u0041\n`, `{"a":[1,"b"`, `{"a":{"b":-0`} {
		for n := range len(cut) { // wherever a text ends too soon
			texts = append(texts, cut[:n+1])
		}
	}
	accepted := 0
	for _, text := range texts {
		o, err := read(text)
		value := jsontext.Value(text)
		require.Equal(t, value.IsValid() && value.Kind() == '{', err == nil, "%q: %v", text, err)
		if err != nil {
			assert.Empty(t, o, text)
			continue
		}
		accepted++
		dec := jsontext.NewDecoder(strings.NewReader(text))
		must(dec.ReadToken())
		for _, m := range o {
			require.Equal(t, must(dec.ReadToken()).String(), m.Name, text)
			require.Equal(t, string(must(dec.ReadValue())), m.Value, text)
		}
	}
	assert.Greater(t, accepted, 150)
	assert.Greater(t, len(texts)-accepted, 400)

	for _, row := range []struct {
		open, close string
		deep        int
	}{{`[`, `]`, 31}, {`{"a":`, `}`, 31}} {
		_, err := read(`{"a":` + nested(row.open, row.close, row.deep) + `}`)
		require.NoError(t, err)
		for _, more := range []int{1, 2, 100} {
			_, err = read(`{"a":` + nested(row.open, row.close, row.deep+more) + `,"z":0}`)
			require.ErrorIs(t, err, jose.ErrDepth, "P2 %d deep", row.deep+more)
		}
	}
}

// FuzzReadObject: the strict reader takes what another strict reader takes, less
// what is too deep or reads like a registered name, with the members that
// encoding/json sees.
func FuzzReadObject(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"a":1}`, ` {"a" : [1, {"b":null}], "c":"\u0041"} `, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"exp":1,"Exp":2}`,
		`{"a":1}{}`, `[]`, `{"a":01}`, "\ufeff{}", "{\"a\":\"\xff\"}", `{"a":` + nested("[", "]", 31) + `}`, `{"a":` + nested("[", "]", 32) + `}`,
		`{"a":"\ud800"}`, `{"":-0.1e+5}`, `{"iss":"i","aud":["a"],"exp":1.5}`,
		`{"a":"\ud83d\ude00\/\b\f\n\r\t\"\\"}`, `{"a":[],"b":{},"c":[ ],"d":{ }}`, `{"a":[1,]}`, `{"a":1,}`, `{,}`, `{"a":-}`, `{"a":1.}`, `{"a":1e}`, `{"a":tru}`,
		`{"a":"\u00"}`, `{"a":"\`, `{"a":"` + "\x1f" + `"}`, `{"a":0x1}`, `{"a":1 2}`, `{"a" 1}`, `{"a":{"b":1,"b":2}}`, "{\"a\":1}\x00",
	} {
		f.Add([]byte(text))
	}
	for _, n := range []int{32, 33, 40} {
		var members []string
		for i := range n {
			members = append(members, fmt.Sprintf(`"%d":%d`, i, i))
		}
		f.Add([]byte("{" + strings.Join(members, ",") + "}"))
		f.Add([]byte("{" + strings.Join(append(members, `"0":0`), ",") + "}"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		_, o, err := jose.ReadObject(text, registered, new(jose.Buffer))
		require.Equal(t, before, text, "the text was changed")
		value := jsontext.Value(text)
		strict := value.IsValid() && value.Kind() == '{'
		if err != nil {
			require.True(t, !strict || err == jose.ErrDepth || err == jose.ErrMembers || err == jose.ErrVariant, "refused %q: %v", text, err)
			return
		}
		require.True(t, strict, "took %q", text)
		var want map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(text, &want))
		require.Len(t, o, len(want), "a name twice")
		for _, m := range o {
			name := m.Name
			require.Contains(t, want, name)
			require.True(t, json.Valid([]byte(m.Value)), "%q", m.Value)
			require.Equal(t, string(want[name]), m.Value, name)
		}
	})
}
