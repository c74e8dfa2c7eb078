package differential

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"math/big"
	"strings"
)

// keyKinds publish the key that signed in odd forms.
func keyKinds() []kind {
	var all []kind
	odd := func(name string, algs []string, edit func(g *generator, jwk object) object) {
		all = append(all, kind{"key: " + name, func(g *generator) (string, string) {
			alg := pick(g, algs)
			k := g.fresh(alg, "odd")
			return g.signedBy(k, alg, keySet(edit(g, k.jwk)))
		}})
	}
	every := algorithms[:len(algorithms)-1]
	set := func(name string, members ...string) {
		odd(name, every, func(_ *generator, jwk object) object {
			for i := 0; i < len(members); i += 2 {
				jwk = jwk.set(members[i], members[i+1])
			}
			return jwk
		})
	}
	drop := func(name string, names ...string) {
		odd(name, every, func(_ *generator, jwk object) object { return jwk.without(names...) })
	}
	set("as it should be")
	drop("no alg", "alg")
	drop("no use", "use")
	drop("no alg, no use", "alg", "use")
	drop("no kid", "kid")
	drop("no kty", "kty")
	set("kid a number", "kid", "7")
	set("kid null", "kid", "null")
	set("kid empty", "kid", `""`)
	set("alg null", "alg", "null")
	set("alg empty", "alg", `""`)
	set("alg a number", "alg", "7")
	set("alg none", "alg", `"none"`)
	set("alg HS256", "alg", `"HS256"`)
	set("alg unknown", "alg", `"XS256"`)
	set("alg of encryption", "alg", `"RSA-OAEP"`)
	odd("alg of the other family", []string{"RS256"}, func(_ *generator, jwk object) object { return jwk.set("alg", `"ES256"`) })
	odd("alg Ed25519, the token's EdDSA", []string{"EdDSA"}, func(_ *generator, jwk object) object { return jwk.set("alg", `"Ed25519"`) })
	set("use enc", "use", `"enc"`)
	set("use SIG", "use", `"SIG"`)
	set("use empty", "use", `""`)
	set("use null", "use", "null")
	set("use a number", "use", "7")
	set("key_ops verify", "key_ops", `["verify"]`)
	set("key_ops verify among others", "key_ops", `["verify","x"]`)
	set("key_ops sign", "key_ops", `["sign"]`)
	set("key_ops encrypt", "key_ops", `["encrypt"]`)
	set("key_ops empty", "key_ops", `[]`)
	set("key_ops a string", "key_ops", `"verify"`)
	set("key_ops null", "key_ops", `null`)
	set("x5c that is none", "x5c", `["AAAA"]`)
	set("x5c a string", "x5c", `"AAAA"`)
	set("x5t a number", "x5t", `7`)
	set("x5u", "x5u", `"https://127.0.0.1:1/x5u"`)
	set("ext", "ext", "true")
	set("ext a string", "ext", `"true"`)
	set("members nobody knows", "nbf", "1", "exp", "2", "iat", `"x"`, "issuer", `{"a":[]}`)
	set("kty in lower case", "kty", `"rsa"`)
	odd("kty of another", []string{"ES256"}, func(_ *generator, jwk object) object { return jwk.set("kty", `"RSA"`) })
	odd("kty twice, the right one last", every, func(_ *generator, jwk object) object { return jwk.before("kty", `"oct"`) })
	odd("kty twice, the right one first", every, func(_ *generator, jwk object) object { return jwk.with("kty", `"oct"`) })
	odd("kid twice, the right one last", every, func(_ *generator, jwk object) object { return jwk.before("kid", `"x"`) })
	odd("use twice, enc last", every, func(_ *generator, jwk object) object { return jwk.with("use", `"enc"`) })
	odd("USE enc beside use", every, func(_ *generator, jwk object) object { return jwk.with("USE", `"enc"`) })
	for _, alg := range []string{"EdDSA", "ES256", "RS256"} {
		odd("D beside the public members, "+alg, []string{alg}, func(_ *generator, jwk object) object {
			return jwk.with("D", `"AQAB"`)
		})
	}
	odd("names in capitals", every, func(_ *generator, jwk object) object {
		for i, m := range jwk {
			jwk[i].name = strings.ToUpper(m.name)
		}
		return jwk
	})
	odd("material in base64 with padding", []string{"RS256", "ES256", "EdDSA"}, material(padded))
	odd("material with a line feed", every, material(func(s string) string { return s + `\n` }))
	odd("material empty", every, material(func(string) string { return "" }))
	return append(append(all, rsaKeyKinds()...), pointKinds()...)
}

// signedBy is a good token of k beside this key set.
func (g *generator) signedBy(k *key, alg, jwks string) (string, string) {
	d := g.draftOf(alg)
	d.key = k
	d.header = d.header.set("kid", quoted(k.kid()))
	return jwks, d.token()
}

// material edits the text of what makes the key.
func material(edit func(s string) string) func(*generator, object) object {
	return func(_ *generator, jwk object) object {
		for i, m := range jwk {
			if m.name == "n" || m.name == "x" || m.name == "y" {
				jwk[i].value = `"` + edit(strings.Trim(m.value, `"`)) + `"`
			}
		}
		return jwk
	}
}

func rsaKeyKinds() []kind {
	var all []kind
	with := func(name string, of func(g *generator) *key, edit func(jwk object, k *rsa.PublicKey) object) {
		all = append(all, kind{"key: RSA, " + name, func(g *generator) (string, string) {
			k := of(g).named("odd", "RS256")
			return g.signedBy(k, "RS256", keySet(edit(k.jwk, k.private.Public().(*rsa.PublicKey))))
		}})
	}
	usual := func(g *generator) *key { return g.ring.rsa[0] }
	same := func(jwk object, _ *rsa.PublicKey) object { return jwk }
	with("1024 bits", func(g *generator) *key { return g.ring.small }, same)
	with("e is 3", func(g *generator) *key { return g.ring.exponent }, same)
	exponent := func(name string, e ...byte) {
		with(name, usual, func(jwk object, _ *rsa.PublicKey) object { return jwk.set("e", quoted(encode(e))) })
	}
	exponent("e with leading zeros", 0, 1, 0, 1)
	exponent("e with many leading zeros", 0, 0, 0, 0, 0, 0, 1, 0, 1)
	exponent("e is 1", 1)
	exponent("e is even", 1, 0, 0)
	exponent("e is 0", 0)
	exponent("e of 33 bits", 1, 0, 1, 0, 1)
	exponent("e of 64 bits that wraps", 1, 0, 0, 0, 0, 0, 1, 0, 1)
	with("e in a number", usual, func(jwk object, _ *rsa.PublicKey) object { return jwk.set("e", "65537") })
	with("n with a leading zero", usual, func(jwk object, k *rsa.PublicKey) object {
		return jwk.set("n", quoted(encode(append([]byte{0}, k.N.Bytes()...))))
	})
	with("n of another", usual, func(jwk object, k *rsa.PublicKey) object {
		return jwk.set("n", quoted(encode(new(big.Int).Add(k.N, big.NewInt(2)).Bytes())))
	})
	with("the private key published", func(g *generator) *key { return g.ring.rsa[1] }, same)
	private := &all[len(all)-1]
	private.mint = func(g *generator) (string, string) {
		k := g.ring.rsa[1].named("odd", "RS256")
		p := k.private.(*rsa.PrivateKey)
		jwk := k.jwk
		for _, m := range []struct {
			name string
			n    *big.Int
		}{
			{"d", p.D}, {"p", p.Primes[0]}, {"q", p.Primes[1]},
			{"dp", p.Precomputed.Dp}, {"dq", p.Precomputed.Dq}, {"qi", p.Precomputed.Qinv},
		} {
			jwk = jwk.with(m.name, quoted(encode(m.n.Bytes())))
		}
		return g.signedBy(k, "RS256", keySet(jwk))
	}
	return all
}

func pointKinds() []kind {
	var all []kind
	edit := func(name, alg string, of func(g *generator) *key, f func(jwk object, x, y []byte) object) {
		all = append(all, kind{"key: EC, " + name, func(g *generator) (string, string) {
			k := of(g).named("odd", alg)
			x, y := coordinates(k.private.Public().(*ecdsa.PublicKey))
			return g.signedBy(k, alg, keySet(f(k.jwk, x, y)))
		}})
	}
	p256 := func(g *generator) *key { return g.fresh("ES256", "odd") }
	put := func(jwk object, x, y []byte) object {
		return jwk.set("x", quoted(encode(x))).set("y", quoted(encode(y)))
	}
	edit("a coordinate begins with a zero", "ES256", func(g *generator) *key { return g.ring.stripped }, put)
	edit("leading zeros stripped", "ES256", func(g *generator) *key { return g.ring.stripped }, func(jwk object, x, y []byte) object {
		return put(jwk, new(big.Int).SetBytes(x).Bytes(), new(big.Int).SetBytes(y).Bytes())
	})
	edit("a zero more", "ES256", p256, func(jwk object, x, y []byte) object {
		return put(jwk, append([]byte{0}, x...), append([]byte{0}, y...))
	})
	edit("not on the curve", "ES256", p256, func(jwk object, x, y []byte) object {
		y[len(y)-1] ^= 1
		return put(jwk, x, y)
	})
	edit("the other y", "ES256", p256, func(jwk object, x, y []byte) object {
		p, _ := new(big.Int).SetString("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff", 16)
		return put(jwk, x, p.Sub(p, new(big.Int).SetBytes(y)).FillBytes(make([]byte, 32)))
	})
	edit("the point at infinity", "ES256", p256, func(jwk object, x, y []byte) object {
		return put(jwk, make([]byte, 32), make([]byte, 32))
	})
	edit("no y", "ES256", p256, func(jwk object, _, _ []byte) object { return jwk.without("y") })
	edit("crv of another curve", "ES384", func(g *generator) *key { return g.fresh("ES384", "odd") },
		func(jwk object, _, _ []byte) object { return jwk.set("crv", `"P-256"`) })
	edit("crv in lower case", "ES256", p256, func(jwk object, _, _ []byte) object { return jwk.set("crv", `"p-256"`) })
	edit("no crv", "ES256", p256, func(jwk object, _, _ []byte) object { return jwk.without("crv") })
	edit("the private key published", "ES256", p256, nil)
	all[len(all)-1].mint = func(g *generator) (string, string) {
		k := p256(g)
		d, err := k.private.(*ecdsa.PrivateKey).Bytes()
		if err != nil {
			panic(err)
		}
		return g.signedBy(k, "ES256", keySet(k.jwk.with("d", quoted(encode(d)))))
	}
	for _, r := range []struct {
		name string
		edit func(x []byte) []byte
	}{
		{"a byte missing", func(x []byte) []byte { return x[:31] }},
		{"a byte more", func(x []byte) []byte { return append(x, 0) }},
		{"a point of small order", func([]byte) []byte { return append([]byte{1}, make([]byte, 31)...) }},
	} {
		all = append(all, kind{"key: Ed25519, " + r.name, func(g *generator) (string, string) {
			k := g.fresh("EdDSA", "odd")
			x := append([]byte(nil), k.private.Public().(ed25519.PublicKey)...)
			return g.signedBy(k, "EdDSA", keySet(k.jwk.set("x", quoted(encode(r.edit(x))))))
		}})
	}
	return append(all, kind{"key: Ed25519, the private key published", func(g *generator) (string, string) {
		k := g.fresh("EdDSA", "odd")
		seed := k.private.(ed25519.PrivateKey).Seed()
		return g.signedBy(k, "EdDSA", keySet(k.jwk.with("d", quoted(encode(seed)))))
	}})
}
