package jose_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

func object(t testing.TB, text string) jose.Object {
	t.Helper()
	o, err := read(text)
	require.NoError(t, err, text)
	return o
}

func TestObject(t *testing.T) {
	o := object(t, `{"a":"x\u0041","n":null,"list":["x", "\"],[" , ""],"mixed":["x",1],"one":7,"":"empty"}`)
	for name, want := range map[string]string{"a": `"x\u0041"`, "n": "", "one": "7", "b": "", "": `"empty"`, "A": ""} {
		assert.Equal(t, want, o.Value(name), name)
	}
	assert.True(t, o.Has("n"), "null is there")
	assert.False(t, o.Has("N"))
	s, err := o.String("a")
	require.NoError(t, err)
	assert.Equal(t, "xA", s)
	s, err = o.String("n")
	require.NoError(t, err)
	assert.Empty(t, s)
	_, err = o.String("one")
	assert.ErrorIs(t, err, jose.ErrKind)

	for _, row := range []struct {
		value string
		want  []string
		err   error
	}{
		{"", nil, nil},
		{`"a"`, []string{"a"}, nil},
		{`[]`, nil, nil},
		{o.Value("list"), []string{"x", `"],[`, ""}, nil},
		{o.Value("mixed"), []string{"x"}, jose.ErrKind},
		{`[["a"]]`, nil, jose.ErrKind},
		{`{}`, nil, jose.ErrKind},
		{`7`, nil, jose.ErrKind},
	} {
		var got []string
		assert.Equal(t, row.err, jose.EachString(row.value, func(quoted string) { got = append(got, jose.Unquote(quoted)) }), row.value)
		assert.Equal(t, row.want, got, row.value)
	}
}

func TestPath(t *testing.T) {
	o := object(t, `{"a":{ "b" : { "c~/d" : [1, {"e":2}] , "f":"}{\"" }, "n":null, "\u0067":true, "h":-1.5e+3 }, "a/b":"slash", "":{"":"empty"}, "l":["x"],"s":"str"}`)
	for path, want := range map[string]string{
		"a/b":           `"slash"`,
		"/a~1b":         `"slash"`,
		"/a/b/f":        `"}{\""`,
		"/a/b/c~0~1d":   `[1, {"e":2}]`,
		"/a/b/c~0~1d/1": "", // an array has no members
		"/a/n":          "",
		"/a/g":          "true",
		"/a/h":          "-1.5e+3",
		"/a/x":          "",
		"/s/x":          "",
		"/l/0":          "",
		"//":            `"empty"`,
		"/x/y":          "",
		"s":             `"str"`,
		"/s":            `"str"`,
	} {
		p, err := jose.ParsePath(path)
		require.NoError(t, err, path)
		assert.Equal(t, want, o.At(p), path)
	}
	for _, path := range []string{"/~", "/a~", "/a~2", "/~~0", "/a/b~/c"} {
		_, err := jose.ParsePath(path)
		assert.Error(t, err, path)
	}
	p, err := jose.ParsePath("~2") // a name, not a pointer
	require.NoError(t, err)
	assert.Equal(t, jose.Path{"~2"}, p)
}

// pointer writes names as a JSON Pointer (RFC 6901 §3).
func pointer(names []string) (s string) {
	for _, name := range names {
		s += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	}
	return s
}

// FuzzPath compares what a path leads to with encoding/json.
func FuzzPath(f *testing.F) {
	for _, text := range []string{
		`{"a":{"b":{"c":1}}}`, `{"a":{"b":[{"c":1}]}}`, `{"a":{"b":"}"}}`, `{"a":{"x":{},"b":{"c":"\\\"," , "d":[]}}}`,
		`{"a" : { "b" : 1 } }`, `{"a":{"\u0062":null}}`, `{"a":[]}`, `{"a":{"x":[[],{}],"y":-1e9,"b":true}}`, `{"a":{"b":1e999}}`,
	} {
		f.Add(text, "a", "b", "c")
	}
	f.Add(`{"~":{"/":{"~1":1,"":2}}}`, "~", "/", "~1")
	f.Add(`{"~":{"/":{"~1":1,"":2}}}`, "~", "/", "")
	f.Fuzz(func(t *testing.T, text, a, b, c string) {
		o, err := read(text)
		if err != nil {
			return
		}
		for _, names := range []jose.Path{{a}, {a, b}, {a, b, c}} {
			p, err := jose.ParsePath(pointer(names))
			require.NoError(t, err)
			require.Equal(t, names, p, "RFC 6901 section 3")
			var want any
			require.NoError(t, decodeJSON(text, &want))
			for _, name := range p {
				m, _ := want.(map[string]any)
				want = m[name]
			}
			value := o.At(p)
			if want == nil {
				require.Empty(t, value, p)
				continue
			}
			var got any
			require.NoError(t, decodeJSON(value, &got), "%q", value)
			require.Equal(t, want, got, p)
			require.Equal(t, strings.TrimSpace(value), value)
		}
	})
}

// FuzzEachString compares the strings of a value with those that encoding/json reads.
func FuzzEachString(f *testing.F) {
	for _, value := range []string{
		`"a"`, `[]`, `[ ]`, `["a"]`, `[ "a" , "b\u0063" ]`, `["]",",","\"","\\"]`, `["a",1]`, `[1]`, `[null]`, `[["a"]]`, `[{}]`, `["a",[]]`, `{}`, `{"a":"b"}`, `7`, `true`, `null`,
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		o, err := read(`{"v":` + value + `}`)
		if err != nil || len(o) != 1 {
			return
		}
		var got []string
		err = jose.EachString(o.Value("v"), func(quoted string) { got = append(got, jose.Unquote(quoted)) })
		var want []string
		switch v := independent(t, `{"v":`+value+`}`)["v"].(type) {
		case nil:
		case string:
			want = []string{v}
		case []any:
			for _, element := range v {
				s, ok := element.(string)
				if !ok {
					require.ErrorIs(t, err, jose.ErrKind)
					return
				}
				want = append(want, s)
			}
		default:
			require.ErrorIs(t, err, jose.ErrKind)
			return
		}
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
