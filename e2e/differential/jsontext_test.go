package differential

import (
	"strings"
	"unicode/utf16"
)

// jsonKinds are texts that are no JSON object, or one that parsers read
// differently, as a header and as claims. The signature over them is good.
func jsonKinds() []kind {
	var all []kind
	both := func(name string, edit func(text string) string) {
		all = append(all,
			kind{"json: " + name + ", header", func(g *generator) (string, string) {
				d := g.draft()
				return d.jwks, d.tokenOf(edit(d.header.text()), d.claims.text())
			}},
			kind{"json: " + name + ", claims", func(g *generator) (string, string) {
				d := g.draft()
				return d.jwks, d.tokenOf(d.header.text(), edit(d.claims.text()))
			}})
	}
	member := func(name, raw string) {
		both(name, func(text string) string { return text[:len(text)-1] + "," + raw + "}" })
	}
	wrap := func(name, before, after string) {
		both(name, func(text string) string { return before + text + after })
	}
	wrap("byte order mark", "\ufeff", "")
	wrap("another object behind", "", "{}")
	wrap("a brace behind", "", "}")
	wrap("a comma behind", "", ",")
	wrap("a NUL behind", "", "\x00")
	wrap("a no-break space behind", "", "\u00a0")
	wrap("a form feed before", "\f", "")
	wrap("a comment before", "/* */", "")
	wrap("in an array", "[", "]")
	wrap("in a string", `"`, `"`)
	wrap("in parentheses", "(", ")")
	both("a string", func(text string) string { return quoted(text) })
	both("null", func(string) string { return "null" })
	both("true", func(string) string { return "true" })
	both("a number", func(string) string { return "1" })
	both("an empty object", func(string) string { return "{}" })
	both("an empty array", func(string) string { return "[]" })
	both("one blank", func(string) string { return " " })
	both("the last brace missing", func(text string) string { return text[:len(text)-1] })
	both("apostrophes", func(text string) string { return strings.ReplaceAll(text, `"`, `'`) })
	both("names without quotation marks", func(text string) string {
		return strings.NewReplacer(`{"`, `{`, `,"`, `,`, `":`, `:`).Replace(text)
	})
	both("UTF-16", func(text string) string {
		var b strings.Builder
		for _, u := range utf16.Encode([]rune(text)) {
			b.Write([]byte{byte(u >> 8), byte(u)})
		}
		return b.String()
	})
	member("a comma too many", `"x":1,`)
	member("a value missing", `"x":`)
	member("a name without value", `"x"`)
	member("a comment", `/*"x":0,*/"x":1`)
	member("bad UTF-8 in a value", "\"x\":\"\xff\xfe\"")
	member("bad UTF-8 in a name", "\"\xc3\x28\":1")
	member("an overlong quotation mark", "\"x\":\"\xc0\xa2\"")
	member("a surrogate in UTF-8", "\"x\":\"\xed\xa0\x80\"")
	member("a lone surrogate in a value", `"x":"\ud800"`)
	member("a lone surrogate in a name", `"\udc00":1`)
	member("surrogates in the wrong order", `"x":"\udc00\ud800"`)
	member("a line feed in a string", "\"x\":\"a\nb\"")
	member("a NUL in a string", "\"x\":\"a\x00b\"")
	member("an unknown escape", `"x":"\x41"`)
	member("half an escape", `"x":"\u12"`)
	member("an escaped line end", "\"x\":\"a\\\nb\"")
	member("True", `"x":True`)
	member("NaN", `"x":NaN`)
	member("Infinity", `"x":-Infinity`)
	member("undefined", `"x":undefined`)
	member("a leading zero", `"x":01`)
	member("a leading plus", `"x":+1`)
	member("a leading point", `"x":.5`)
	member("a trailing point", `"x":1.`)
	member("hexadecimal", `"x":0x10`)
	member("an underscore in a number", `"x":1_000`)
	member("a name twice", `"x":1,"x":2`)
	member("a name twice, equal", `"x":1,"x":1`)
	member("a name twice after unescaping", `"x":1,"\u0078":2`)
	member("a name twice inside a value", `"x":{"y":[{"z":1,"z":2}]}`)
	member("nested 33 deep", `"x":`+nested(33))
	member("nested 200 deep", `"x":`+nested(200))
	member("nested 2000 deep", `"x":`+nested(2000))
	member("nested 2000 deep, not closed", `"x":`+strings.Repeat("[", 2000))
	member("objects nested 600 deep", `"x":`+strings.Repeat(`{"a":`, 600)+"1"+strings.Repeat("}", 600))
	return all
}
