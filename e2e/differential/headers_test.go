package differential

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"strings"
	"time"
)

// headerKinds change the rest of the header. The signature is the genuine key's
// except where it says attacker.
func headerKinds() []kind {
	var all []kind
	set := func(name, value string) {
		all = append(all, drafted("header: "+name+" "+value, func(_ *generator, d *draft) {
			d.header = d.header.set(name, value)
		}))
	}
	for _, crit := range []string{`["exp"]`, `["x"]`, `[]`, `null`, `"exp"`, `["alg"]`, `[""]`, `{}`, `[7]`} {
		all = append(all, drafted("header: crit "+crit, func(_ *generator, d *draft) {
			d.header = d.header.with("crit", crit).with("exp", number(9999999999)).with("x", "1")
		}))
	}
	all = append(all,
		drafted("header: b64 true, critical", func(_ *generator, d *draft) {
			d.header = d.header.with("b64", "true").with("crit", `["b64"]`)
		}),
		drafted("header: b64 false, critical, encoded", func(_ *generator, d *draft) {
			d.header = d.header.with("b64", "false").with("crit", `["b64"]`)
		}),
		kind{"header: b64 false, critical, not encoded", func(g *generator) (string, string) {
			d := g.draft()
			d.header = d.header.with("b64", "false").with("crit", `["b64"]`)
			d.claims = d.claims.set("iss", `"x"`).set("aud", `"x"`) // a dot would be a fourth segment
			signed := encode([]byte(d.header.text())) + "." + d.claims.text()
			return d.jwks, signed + "." + encode(sign(d.key, d.alg, signed))
		}})
	for _, b64 := range []string{"true", "false", "null", `"false"`} {
		set("b64", b64)
	}
	for _, typ := range []string{
		`"logout+jwt"`, `"dpop+jwt"`, `"id_token+jwt"`, `"secevent+jwt"`, `"JWE"`, `""`, `"at+jwt "`, `"x/at+jwt"`,
		`"application/x/at+jwt"`, `"at"`, `null`, `7`, `["at+jwt"]`,
	} {
		set("typ", typ)
	}
	for _, cty := range []string{`"JWT"`, `"jwt"`, `"application/jwt"`, `"json"`, `7`, `null`} {
		set("cty", cty)
	}
	for _, zip := range []string{`"NONE"`, `"DEF"`, `7`} {
		set("zip", zip)
	}
	for _, kid := range []string{
		`"unknown"`, `""`, `null`, `7`, `["key-es256"]`, `{}`, `"' OR 1=1 --"`, `"../../dev/null"`,
		quoted(strings.Repeat("k", 10_000)), `"__proto__"`, `"KEY-ES256"`, `"key-es256\u0000"`, `" key-es256"`, `"key-rs384"`,
	} {
		name := kid
		if len(name) > 40 {
			name = "of 10 KB"
		}
		all = append(all, kind{"header: kid " + name, func(g *generator) (string, string) {
			d := g.draftOf("ES256")
			d.header = d.header.set("kid", kid)
			return d.jwks, d.token()
		}})
	}
	for _, r := range []struct{ name, value string }{
		{"jku", `"https://127.0.0.1:1/jwks"`}, {"x5u", `"https://127.0.0.1:1/x5u"`}, {"x5t", `"x"`}, {"x5c", `["MA=="]`},
		{"jku", "7"}, {"jwk", "7"}, {"x5c", `"MA=="`}, {"x5u", "null"}, {"jwk", `{"kty":"RSA"}`}, {"x", `{"y":[]}`}, {"iss", `"x"`},
		{"apu", `"x"`}, {"enc", `"A128GCM"`}, {"epk", "{}"}, {"nonce", `"x"`}, {"iat", "1"}, {"x5t#S256", "7"},
	} {
		set(r.name, r.value)
	}
	return append(append(all,
		drafted("header: the key itself in jwk", func(_ *generator, d *draft) { d.header = d.header.with("jwk", d.key.jwk.text()) }),
		drafted("header: no kid", func(_ *generator, d *draft) { d.header = d.header.without("kid") }),
		drafted("header: kid escaped", func(_ *generator, d *draft) {
			d.header = d.header.set("kid", quoted("")[:1]+escaped(d.key.kid())+`"`)
		}),
	), attackerKinds()...)
}

// attackerKinds are signed by somebody whose key is in the header.
func attackerKinds() []kind {
	var all []kind
	signed := func(name string, edit func(g *generator, d *draft)) {
		for _, kid := range []string{"the issuer's kid", "its own kid", "no kid"} {
			all = append(all, kind{"attacker: " + name + ", " + kid, func(g *generator) (string, string) {
				d := g.draft()
				own := d.key
				if strings.HasPrefix(d.alg, "RS") || strings.HasPrefix(d.alg, "PS") {
					d.key = g.ring.rsa[2].named("attacker", d.alg)
				} else {
					d.key = g.fresh(d.alg, "attacker")
				}
				switch kid {
				case "the issuer's kid":
					d.key = d.key.named(own.kid(), d.alg)
				case "its own kid":
					d.header = d.header.set("kid", `"attacker"`)
				default:
					d.header = d.header.without("kid")
				}
				edit(g, d)
				return d.jwks, d.token()
			}})
		}
	}
	signed("nothing in the header", func(*generator, *draft) {})
	signed("jwk", func(_ *generator, d *draft) { d.header = d.header.with("jwk", d.key.jwk.text()) })
	signed("jku", func(_ *generator, d *draft) { d.header = d.header.with("jku", `"https://127.0.0.1:1/jwks"`) })
	signed("x5u", func(_ *generator, d *draft) { d.header = d.header.with("x5u", `"https://127.0.0.1:1/x5u"`) })
	signed("x5c", func(g *generator, d *draft) {
		d.header = d.header.with("x5c", `["`+base64.StdEncoding.EncodeToString(certificate(g, d.key))+`"]`)
	})
	return all
}

// certificate is self-signed.
func certificate(g *generator, k *key) []byte {
	from := time.Unix(g.now-3600, 0)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: from.Add(24 * time.Hour)}
	b, err := x509.CreateCertificate(rand.Reader, template, template, k.private.Public(), k.private)
	if err != nil {
		panic(err)
	}
	return b
}
