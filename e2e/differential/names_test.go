package differential

import "strings"

// nameKinds double the names that decide something, and write them in other
// cases. In each the genuine value is there as well, except where it says so.
func nameKinds() []kind {
	var all []kind
	rows := []struct{ name, other string }{
		{"iss", `"https://evil.example.com"`}, {"aud", `"https://other.example.com"`}, {"sub", `"admin"`},
		{"exp", "9999999999"}, {"nbf", "1"}, {"iat", "1"}, {"jti", `"x"`}, {"scope", `"admin"`}, {"client_id", `"admin"`},
		{"alg", `"none"`}, {"kid", `"unknown"`}, {"typ", `"JWT"`},
	}
	for _, r := range rows {
		inHeader := r.name == "alg" || r.name == "kid" || r.name == "typ"
		add := func(name string, edit func(o object) object) {
			all = append(all, drafted("names: "+r.name+" "+name, func(_ *generator, d *draft) {
				switch {
				case inHeader && r.name == "typ":
					d.header = edit(d.header.set("typ", `"at+jwt"`))
				case inHeader:
					d.header = edit(d.header)
				case r.name == "nbf":
					d.claims = edit(d.claims.set("nbf", "2"))
				default:
					d.claims = edit(d.claims)
				}
			}))
		}
		add("twice, another first", func(o object) object { return o.before(r.name, r.other) })
		add("twice, another last", func(o object) object { return o.with(r.name, r.other) })
		add("twice, the same", func(o object) object { return o.with(r.name, o.get(r.name)) })
		add("twice after unescaping", func(o object) object { return o.with(escaped(r.name), r.other) })
		if r.name == "jti" || r.name == "scope" || r.name == "client_id" {
			continue // another case is another name there
		}
		upper := strings.ToUpper(r.name)
		add("and "+upper, func(o object) object { return o.with(upper, r.other) })
		add("and "+upper+" before", func(o object) object { return o.before(upper, r.other) })
		if folded := fold(r.name); folded != r.name {
			add("and in other letters", func(o object) object { return o.with(folded, r.other) })
			add("in other letters alone", func(o object) object { return o.without(r.name).with(folded, o.get(r.name)) })
		}
		add("as "+upper+" alone", func(o object) object { return o.without(r.name).with(upper, o.get(r.name)) })
	}
	return append(all,
		drafted("names: CRIT", func(_ *generator, d *draft) { d.header = d.header.with("CRIT", `["x"]`) }),
		drafted("names: Cnf", func(_ *generator, d *draft) { d.claims = d.claims.with("Cnf", `{"jkt":"x"}`) }),
		drafted("names: iss with a blank", func(_ *generator, d *draft) { d.claims = d.claims.with("iss ", `"x"`) }),
		drafted("names: iss with U+0000", func(_ *generator, d *draft) { d.claims = d.claims.with(`iss\u0000`, `"x"`) }),
	)
}

func escaped(name string) string { return `\u00` + hex(name[0]) + name[1:] }

func hex(c byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[c>>4], digits[c&15]})
}

// fold writes s as U+017F and k as U+212A, which are equal to them without case.
func fold(name string) string {
	return strings.NewReplacer("s", "\u017f", "k", "\u212a").Replace(name)
}
