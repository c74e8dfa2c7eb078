package differential

import (
	"fmt"
	"slices"
	"strings"
)

// keySetKinds put the good key among others, in sets of odd forms.
func keySetKinds() []kind {
	var all []kind
	add := func(name string, mint func(g *generator) (string, string)) {
		all = append(all, kind{"set: " + name, mint})
	}
	// beside is a good key and token, with these texts before the key.
	beside := func(name string, others ...string) {
		add("beside "+name, func(g *generator) (string, string) {
			alg := pick(g, []string{"ES256", "EdDSA", "RS256", "PS256"})
			k := g.fresh(alg, "good")
			return g.signedBy(k, alg, keySetOf(append(slices.Clip(others), k.jwk.text())...))
		})
	}
	const secret = `"c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldCE"`
	beside("a secret", `{"kty":"oct","kid":"other","k":`+secret+`}`)
	beside("a secret of the same kid", `{"kty":"oct","kid":"good","k":`+secret+`,"alg":"HS256"}`)
	beside("an unknown kty", `{"kty":"XYZ","kid":"other","x":"AAAA"}`)
	beside("an unknown kty of the same kid", `{"kty":"XYZ","kid":"good","x":"AAAA"}`)
	beside("AKP", `{"kty":"AKP","kid":"other","alg":"ML-DSA-44","pub":"AAAA"}`)
	beside("an unknown crv", `{"kty":"EC","kid":"other","crv":"P-1024","x":"AAAA","y":"AAAA"}`)
	beside("X25519", `{"kty":"OKP","kid":"other","crv":"X25519","x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo","use":"enc"}`)
	beside("a point off its curve", `{"kty":"EC","kid":"other","crv":"P-256","x":"`+encode(make([]byte, 32))+`","y":"`+encode(make([]byte, 32))+`"}`)
	beside("a key without material", `{"kty":"RSA","kid":"other"}`)
	beside("RSA of 16384 bits", `{"kty":"RSA","kid":"other","e":"AQAB","n":"`+strings.Repeat("_", 2731)+`"}`)
	beside("base64 that is none", `{"kty":"RSA","kid":"other","e":"AQAB","n":"???"}`)
	beside("null", "null")
	beside("a string", `"key"`)
	beside("a number", "7")
	beside("an empty object", "{}")
	beside("an array", "[]")
	beside("a key with a name twice", `{"kty":"XYZ","kid":"other","kid":"other"}`)
	beside("bad UTF-8", "{\"kty\":\"XYZ\",\"kid\":\"\xff\"}")
	beside("x5c that is none", `{"kty":"RSA","kid":"other","e":"AQAB","n":"`+strings.Repeat("_", 342)+`","x5c":"AAAA"}`)
	// another is a second key, edited, before the good one and behind it.
	another := func(name string, of func(g *generator, k *key) *key, edit func(jwk object) object) {
		for _, place := range []string{"behind", "before"} {
			add(place+" "+name, func(g *generator) (string, string) {
				alg := pick(g, []string{"ES256", "RS256"})
				k := g.fresh(alg, "good")
				jwks := []object{edit(of(g, k).jwk), k.jwk}
				if place == "before" { // the good one stands there
					slices.Reverse(jwks)
				}
				return g.signedBy(k, alg, keySet(jwks...))
			})
		}
	}
	same := func(jwk object) object { return jwk }
	stranger := func(kid, alg string) func(g *generator, _ *key) *key {
		return func(g *generator, _ *key) *key {
			if alg == "RS256" {
				return g.ring.rsa[2].named(kid, alg)
			}
			return g.fresh(alg, kid)
		}
	}
	another("RSA of 1024 bits", func(g *generator, _ *key) *key { return g.ring.small.named("other", "RS256") }, same)
	another("RSA with e = 3", func(g *generator, _ *key) *key { return g.ring.exponent.named("other", "RS256") }, same)
	another("an encryption key", stranger("other", "RS256"), func(jwk object) object {
		return jwk.set("use", `"enc"`).set("alg", `"RSA-OAEP"`)
	})
	another("an encryption key of the same kid", stranger("good", "RS256"), func(jwk object) object {
		return jwk.set("use", `"enc"`).set("alg", `"RSA-OAEP"`)
	})
	another("a numeric kid", stranger("other", "ES256"), func(jwk object) object { return jwk.set("kid", "7") })
	another("a use nobody knows", stranger("other", "ES256"), func(jwk object) object { return jwk.set("use", `"tls"`) })
	another("an alg nobody knows", stranger("other", "ES256"), func(jwk object) object { return jwk.set("alg", `"XS256"`) })
	another("a key of another type and the same kid", stranger("good", "ES384"), same)
	another("a key of the same kid and alg", func(g *generator, k *key) *key {
		if k.jwk.get("kty") == `"RSA"` {
			return g.ring.rsa[2].named("good", "RS256")
		}
		return g.fresh("ES256", "good")
	}, same)
	another("itself", func(_ *generator, k *key) *key { return k }, same)

	unnamed := func(name string, keys int, kids, algs bool) {
		add(name, func(g *generator) (string, string) {
			var jwks []object
			signer := g.IntN(keys)
			var k *key
			for i := range keys {
				next := g.fresh("ES256", fmt.Sprint("k", i))
				if i == signer {
					k = next
				}
				jwk := next.jwk
				if !kids {
					jwk = jwk.without("kid")
				}
				if !algs {
					jwk = jwk.without("alg")
				}
				jwks = append(jwks, jwk)
			}
			d := g.draftOf("ES256")
			d.key, d.header = k, d.header.without("kid")
			return keySet(jwks...), d.token()
		})
	}
	unnamed("one key, a token without kid", 1, true, true)
	unnamed("one key without kid and alg, a token without kid", 1, false, false)
	unnamed("three keys, a token without kid", 3, true, true)
	unnamed("three keys without kid and alg, a token without kid", 3, false, false)
	unnamed("six keys, a token without kid", 6, true, true)
	add("one key of another kid", func(g *generator) (string, string) {
		k := g.fresh("ES256", "good")
		_, token := g.signedBy(k.named("other", "ES256"), "ES256", "")
		return keySet(k.jwk), token
	})
	add("a key of another issuer", func(g *generator) (string, string) {
		return g.signedBy(g.fresh("ES256", "good"), "ES256", keySet(g.fresh("ES384", "k").jwk))
	})
	return append(all, documentKinds()...)
}

// documentKinds change the set's text around its keys.
func documentKinds() []kind {
	var all []kind
	for _, r := range []struct {
		name string
		edit func(set, member string) string
	}{
		{"as it should be", func(set, _ string) string { return set }},
		{"with other members", func(set, _ string) string { return `{"x":1,"y":{"keys":[]},` + set[1:] }},
		{"with a member twice", func(set, _ string) string { return `{"x":1,"x":2,` + set[1:] }},
		{"keys twice, empty last", func(set, _ string) string { return set[:len(set)-1] + `,"keys":[]}` }},
		{"keys twice, empty first", func(set, _ string) string { return `{"keys":[],` + set[1:] }},
		{"KEYS", func(set, _ string) string { return strings.Replace(set, "keys", "KEYS", 1) }},
		{"keys an object", func(_, member string) string { return `{"keys":` + member + `}` }},
		{"keys null", func(_, _ string) string { return `{"keys":null}` }},
		{"empty", func(_, _ string) string { return `{"keys":[]}` }},
		{"no keys", func(_, _ string) string { return `{}` }},
		{"null", func(_, _ string) string { return `null` }},
		{"a lone key", func(_, member string) string { return member }},
		{"an array", func(_, member string) string { return "[" + member + "]" }},
		{"something behind", func(set, _ string) string { return set + "{}" }},
		{"a byte order mark", func(set, _ string) string { return "\ufeff" + set }},
		{"cut off", func(set, _ string) string { return set[:len(set)-2] }},
		{"HTML", func(_, _ string) string { return "<html></html>" }},
		{"300 times the key", func(_, member string) string { return keySetOf(slices.Repeat([]string{member}, 300)...) }},
	} {
		all = append(all, kind{"set: " + r.name, func(g *generator) (string, string) {
			k := g.fresh("ES256", "good")
			return g.signedBy(k, "ES256", r.edit(keySet(k.jwk), k.jwk.text()))
		}})
	}
	return all
}
