package hostile

import (
	"fmt"
	"strings"
)

// A kind makes one or more members of at most so many bytes.
type kind struct {
	name    string
	fill    func(room int) string
	instead string // the usual member that they replace
	end     string // behind the object
}

var claimKinds = []kind{
	{name: "plain text", fill: text("x", "x")},
	{name: "scope of spaces", fill: text("scope", " ")},
	{name: "scope of letters and spaces", fill: text("scope", "a ")},
	{name: "scope, a list of nothing", fill: list("scope", `""`)},
	{name: "scp of spaces beside a nonce", fill: beside(`"nonce":"n"`, text("scp", " "))},
	{name: "roles, a list beside a nonce", fill: beside(`"nonce":"n"`, list("roles", `""`))},
	{name: "client_id of escapes", fill: text("client_id", `\u0041`)},
	{name: "sub of escapes", fill: text("sub", `\u0041`)},
	{name: "sub of short escapes", fill: text("sub", `\n`)},
	{name: "typ, a list", fill: list("typ", `"l"`)},
	{name: "typ, a long text", fill: text("typ", "x")},
	{name: "token_use of short escapes", fill: text("token_use", `\n`)},

	{name: "aud of many elements", instead: "aud", fill: list("aud", `"a"`)},
	{name: "aud of nothing, many times", instead: "aud", fill: list("aud", `""`)},
	{name: "aud of 256 elements with escapes", instead: "aud", fill: lists("aud", 256, `"\u0041\u0041\u0041\u0041\u0041\u0041"`)},
	{name: "aud of escapes", instead: "aud", fill: text("aud", `\u0041`)},
	{name: "aud of short escapes", instead: "aud", fill: text("aud", `\n`)},
	{name: "aud of commas", instead: "aud", fill: func(room int) string { return `"aud":["` + strings.Repeat(",", room-10) + `"]` }},
	{name: "aud of another API", instead: "aud", fill: text("aud", "x")},
	{name: "iss of another", instead: "iss", fill: text("iss", "x")},
	{name: "iss of quotation marks", instead: "iss", fill: text("iss", `\"`)},

	{name: "members", fill: members(1<<20, `"%x":1`)},
	{name: "members, 250", fill: members(250, `"%x":1`)},
	{name: "members, 250 with escapes", fill: members(250, `"\u0041%x":"\u0041"`)},
	{name: "members, 250 in capitals", fill: members(250, `"ABCDE%X":1`)},
	{name: "members, 250 beyond ASCII", fill: members(250, `"ſſ%x":1`)},
	{name: "members, 250 that begin alike", fill: members(250, `"`+strings.Repeat("n", 40)+`%x":1`)},
	{name: "objects of 256 members", fill: objects(256, `"%x":1`)},
	{name: "objects of 64 members", fill: objects(64, `"%x":1`)},
	{name: "objects of 9 members", fill: objects(9, `"%x":1`)},
	{name: "objects of 8 members", fill: objects(8, `"%x":1`)},
	{name: "objects of 2 members", fill: objects(2, `"%x":1`)},
	{name: "objects of 1 member", fill: objects(1, `"%x":1`)},
	{name: "objects of 256 members with escapes", fill: objects(256, `"\u0041%x":1`)},
	{name: "objects of 256 members with short escapes", fill: objects(256, `"\n%x":1`)},
	{name: "objects of 9 members with short escapes", fill: objects(9, `"\n%x":1`)},
	{name: "objects of nothing", fill: list("x", "{}")},
	{name: "a name of escapes", fill: func(room int) string { return `"` + repeat(`\u0041`, "", room-4) + `":1` }},
	{name: "a name of escapes at depth", fill: func(room int) string { return `"x":{"` + repeat(`\u0041`, "", room-10) + `":1}` }},
	{name: "a name twice at the end", fill: func(room int) string { return objects(256, `"%x":1`)(room-14) + `,"y":1,"y":2` }},

	{name: "lists in lists", fill: list("x", strings.Repeat("[", 30)+strings.Repeat("]", 30))},
	{name: "objects in objects", fill: list("x", strings.Repeat(`{"a":`, 30)+"1"+strings.Repeat("}", 30))},
	{name: "lists in lists, too deep", fill: func(room int) string { return `"x":` + strings.Repeat("[", room-4) }},
	{name: "lists of nothing", fill: list("x", "[]")},
	{name: "a list of digits", fill: list("x", "1")},
	{name: "a list of numbers", fill: list("x", "-1.5e-7")},
	{name: "a list of words", fill: list("x", "null")},
	{name: "a list of short texts", fill: list("x", `""`)},

	{name: "exp of many digits", instead: "exp", fill: number("exp", "9999999999.", "7")},
	{name: "exp of many zeros", instead: "exp", fill: number("exp", "9999999999.", "0")},
	{name: "exp out of range", instead: "exp", fill: number("exp", "9", "9")},
	{name: "nbf of many digits", fill: number("nbf", "1.", "7")},
	{name: "iat of many digits", fill: number("iat", "0.", "7")},
	{name: "iat next to nothing", fill: number("iat", "0.", "0")},
	{name: "a number of many digits", fill: number("x", "1", "7")},

	{name: "a text of escapes", fill: text("x", `\u0041`)},
	{name: "a text of short escapes", fill: text("x", `\n`)},
	{name: "a text of surrogates", fill: text("x", `\ud83d\ude00`)},
	{name: "texts of an escape", fill: list("x", `"\n"`)},
	{name: "accents", fill: text("x", "é")},
	{name: "emoji", fill: text("x", "😀")},
	{name: "bad UTF-8 at the end", fill: func(room int) string { return text("x", "é")(room-8) + ",\"y\":\"\xff\"" }},
	{name: "white space", fill: func(room int) string { return `"x":1` + strings.Repeat(" ", room-5) }},
	{name: "white space between", fill: list("x", "1\n\r\t")},
	{name: "rubbish at the end", fill: text("x", "é"), end: "x"},
}

var headerKinds = []kind{
	{name: "members", fill: members(1<<20, `"%x":1`)},
	{name: "members, 250", fill: members(250, `"%x":1`)},
	{name: "members, 250 with escapes", fill: members(250, `"\u0041%x":"\u0041"`)},
	{name: "objects of 256 members", fill: objects(256, `"%x":1`)},
	{name: "objects of 8 members", fill: objects(8, `"%x":1`)},
	{name: "objects of 256 members with short escapes", fill: objects(256, `"\n%x":1`)},
	{name: "lists in lists", fill: list("x", strings.Repeat("[", 30)+strings.Repeat("]", 30))},
	{name: "kid", instead: "kid", fill: text("kid", "k")},
	{name: "kid of short escapes", instead: "kid", fill: text("kid", `\n`)},
	{name: "alg", instead: "alg", fill: text("alg", "a")},
	{name: "alg of short escapes", instead: "alg", fill: text("alg", `\n`)},
	{name: "typ", instead: "typ", fill: text("typ", "a")},
	{name: "typ of media types", instead: "typ", fill: text("typ", "APPLICATION/")},
	{name: "typ of short escapes", instead: "typ", fill: text("typ", `\n`)},
	{name: "cty of short escapes", fill: text("cty", `\n`)},
	{name: "x5t of short escapes", fill: text("x5t", `\n`)},
	{name: "x5c, a list", fill: list("x5c", `"MA"`)},
	{name: "a text of escapes", fill: text("x", `\u0041`)},
	{name: "a list of digits", fill: list("x", "1")},
	{name: "emoji", fill: text("x", "😀")},
}

// repeat returns part as often as it fits.
func repeat(part, between string, room int) string {
	n := (room + len(between)) / (len(part) + len(between))
	return strings.TrimSuffix(strings.Repeat(part+between, n), between)
}

// text is a member with a long string.
func text(name, part string) func(int) string {
	return func(room int) string {
		return quoted(name) + `:"` + repeat(part, "", room-len(name)-len(`"":""`)) + `"`
	}
}

// list is a member with a long array.
func list(name, element string) func(int) string {
	return func(room int) string {
		return quoted(name) + ":[" + repeat(element, ",", room-len(name)-len(`"":[]`)) + "]"
	}
}

// lists is a member with an array of so many elements.
func lists(name string, elements int, element string) func(int) string {
	return func(int) string { return list(name, element)(len(name) + len(`"":[]`) + elements*(len(element)+1)) }
}

// number is a member with many digits.
func number(name, first, digit string) func(int) string {
	return func(room int) string {
		return quoted(name) + ":" + first + strings.Repeat(digit, room-len(name)-len(`"":`)-len(first))
	}
}

// members are most at most.
func members(most int, format string) func(int) string {
	return func(room int) string {
		var all []string
		for i := 0; i < most; i++ {
			m := fmt.Sprintf(format, i)
			if room -= len(m) + 1; room < 0 {
				break
			}
			all = append(all, m)
		}
		return strings.Join(all, ",")
	}
}

// objects is a list of objects with so many members each.
func objects(each int, format string) func(int) string {
	return list("x", "{"+members(each, format)(1<<20)+"}")
}

func beside(member string, fill func(int) string) func(int) string {
	return func(room int) string { return member + "," + fill(room-len(member)-1) }
}
