package differential

import "strings"

// partyKinds are about iss and aud.
func partyKinds() []kind {
	var all []kind
	set := func(name, label, value string) {
		all = append(all, drafted("party: "+name+" "+label, func(_ *generator, d *draft) { d.claims = d.claims.set(name, value) }))
	}
	for _, r := range []struct{ name, good string }{{"iss", issuer}, {"aud", audience}} {
		for _, row := range []struct{ label, value string }{
			{"of another", "https://other.example.com"},
			{"a prefix", r.good[:len(r.good)-1]},
			{"longer", r.good + "s"},
			{"a slash more", r.good + "/"},
			{"in capitals", strings.ToUpper(r.good)},
			{"scheme in capitals", "HTTPS" + r.good[5:]},
			{"with a port", strings.Replace(r.good, ".com", ".com:443", 1)},
			{"a blank behind", r.good + " "},
			{"a blank before", " " + r.good},
			{"a line feed behind", r.good + "\n"},
			{"a NUL behind", r.good + "\x00"},
			{"without scheme", r.good[8:]},
			{"with U+017F", strings.Replace(r.good, "s", "\u017f", 1)},
			{"escaped percent", strings.Replace(r.good, "a", "%61", 1)},
			{"two in one", "https://other.example.com " + r.good},
			{"two with a comma", "https://other.example.com," + r.good},
			{"a pattern", "*"},
			{"empty", ""},
		} {
			set(r.name, row.label, quoted(row.value))
		}
		set(r.name, "null", "null")
		set(r.name, "an object", `{"`+r.good+`":"`+r.good+`"}`)
		all = append(all, drafted("party: "+r.name+" missing", func(_ *generator, d *draft) { d.claims = d.claims.without(r.name) }))
		all = append(all, drafted("party: "+r.name+" with its slashes escaped", func(_ *generator, d *draft) { // a legal spelling
			d.claims = d.claims.set(r.name, strings.ReplaceAll(quoted(r.good), "/", `\/`))
		}))
	}
	set("iss", "in an array", `["`+issuer+`"]`)
	set("iss", "in an array among others", `["x","`+issuer+`"]`)
	for _, row := range []struct{ label, value string }{
		{"an empty array", "[]"},
		{"an array of others", `["a","b"]`},
		{"an array of an empty one", `[""]`},
		{"with a number in its array", `["` + audience + `",7]`},
		{"with null in its array", `[null,"` + audience + `"]`},
		{"with an object in its array", `["` + audience + `",{}]`},
		{"in an array twice", `[["` + audience + `"]]`},
		{"an array of null", `[null]`},
		{"a number", "7"},
		{"true", "true"},
		{"the issuer", quoted(issuer)},
	} {
		set("aud", row.label, row.value)
	}
	return all
}
