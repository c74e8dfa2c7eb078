package differential

import (
	"fmt"
	"strings"
)

// plain begins the names of those kinds that everybody is to accept.
const plain = "plain "

// goodKinds are legal tokens, in forms that are rare or read differently.
func goodKinds() []kind {
	var all []kind
	for _, alg := range algorithms {
		all = append(all, kind{plain + alg, func(g *generator) (string, string) {
			d := g.draftOf(alg)
			return d.jwks, d.token()
		}})
	}
	with := func(name string, edit func(g *generator, o object) object) {
		all = append(all, drafted("good: "+name, func(g *generator, d *draft) { d.claims = edit(g, d.claims) }))
	}
	set := func(name string, members ...string) {
		with(name, func(_ *generator, o object) object {
			for i := 0; i < len(members); i += 2 {
				o = o.set(members[i], members[i+1])
			}
			return o
		})
	}
	set("aud in an array", "aud", `["`+audience+`"]`)
	set("aud among others", "aud", `["x","`+audience+`","https://y.example.com"]`)
	set("aud twice in its array", "aud", `["`+audience+`","`+audience+`"]`)
	set("aud beside an empty one", "aud", `["","`+audience+`"]`)
	set("scope an array", "scope", `["orders:read","orders:write"]`)
	set("scope empty", "scope", `""`)
	set("scope with many spaces", "scope", `"  a  b "`)
	set("scope and scp", "scp", `["other"]`)
	set("azp and client_id", "azp", `"somebody"`)
	set("client_id empty, azp", "client_id", `""`, "azp", `"somebody"`)
	set("sub empty", "sub", `""`)
	set("sub null", "sub", `null`)
	set("jti null", "jti", `null`)
	set("client_id null", "client_id", `null`)
	set("scope null", "scope", `null`)
	for _, row := range []struct {
		name    string
		members object
	}{
		{"scp", object{{"scp", `"orders:read orders:write"`}}},
		{"scp an array", object{{"scp", `["orders:read"]`}}},
		{"no scope", nil},
	} {
		with(row.name, func(_ *generator, o object) object { return append(o.without("scope"), row.members...) })
	}
	with("azp alone", func(_ *generator, o object) object { return o.without("client_id").with("azp", `"shop"`) })
	with("no sub, jti, iat, client_id", func(_ *generator, o object) object {
		return o.without("sub", "jti", "iat", "client_id")
	})
	with("all claims of RFC 9068", func(_ *generator, o object) object {
		return o.with("auth_time", "1").with("acr", `"0"`).with("groups", `["a"]`).with("entitlements", `[{"a":1}]`)
	})
	set("a large integer", "count", "9007199254740993", "more", "18446744073709551616")
	set("a number of 40 digits", "count", strings.Repeat("9", 40))
	set("a number beyond float64", "count", "1e999")
	set("a number that is next to nothing", "count", "1e-999")
	set("a negative zero", "count", "-0", "more", "-0.0")
	set("a large exponent", "count", "1E+2", "more", "12.50e-3")
	set("unicode", "sub", quoted("Zoë 漢字 \U0001F511 e\u0301"), "名", `"å"`)
	set("escapes", "sub", `"\u0041\/\b\f\n\r\t\\\"\ud83d\udd11"`)
	set("U+0000 in a value", "sub", `"a\u0000b"`)
	set("U+2028, U+FFFD and U+FEFF in a value", "sub", "\"a\u2028b\ufffdc\ufeff\"")
	set("an empty name", "", `"x"`)
	set("__proto__ and constructor", "__proto__", `{"iss":"x"}`, "constructor", `"x"`)
	set("names that differ by case", "roles", `["a"]`, "Roles", `["b"]`)
	set("a name in another spelling that is nobody's", "Scope", `"admin"`, "Client_id", `"admin"`)
	set("names with dots and colons", "https://example.com/roles", `{"a.b":[1,null,true]}`)
	set("nothing in a claim", "nothing", `null`, "none", `[]`, "empty", `{}`)
	set("nested 30 deep", "deep", nested(30))
	set("many claims", manyClaims(200)...)
	set("a claim of 8 KB", "long", quoted(strings.Repeat("a", 8000)))
	with("names escaped", func(_ *generator, o object) object {
		for i, m := range o {
			o[i].name = strings.Replace(m.name, m.name[:1], fmt.Sprintf(`\u%04x`, m.name[0]), 1)
		}
		return o
	})
	for _, space := range []string{"blanks and tabs", "line ends"} {
		all = append(all, kind{"good: " + space, func(g *generator) (string, string) {
			d := g.draft()
			ws := map[string]string{"blanks and tabs": " \t", "line ends": "\r\n"}[space]
			loose := strings.NewReplacer("{", ws+"{"+ws, "}", ws+"}"+ws, ",", ws+","+ws)
			return d.jwks, d.tokenOf(loose.Replace(d.header.text()), loose.Replace(d.claims.text()))
		}})
	}
	for _, typ := range []string{"AT+JWT", "application/at+jwt", "Application/AT+jwt", "jwt", "application/jwt"} {
		all = append(all, drafted("good: typ "+typ, func(_ *generator, d *draft) {
			d.header = d.header.set("typ", quoted(typ))
		}))
	}
	return all
}

func manyClaims(n int) (members []string) {
	for i := range n {
		members = append(members, fmt.Sprint("claim-", i), number(int64(i)))
	}
	return members
}
