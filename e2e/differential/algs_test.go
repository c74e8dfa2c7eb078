package differential

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
)

// algKinds lie about the algorithm.
func algKinds() []kind {
	var all []kind
	unsigned := func(alg string) {
		all = append(all, kind{"alg: " + alg + ", no signature", func(g *generator) (string, string) {
			d := g.draft()
			d.header = d.header.set("alg", quoted(alg))
			t := d.token()
			return d.jwks, join(head(t), body(t), "")
		}}, drafted("alg: "+alg+", signed", func(_ *generator, d *draft) { d.header = d.header.set("alg", quoted(alg)) }))
	}
	for _, alg := range []string{"none", "nOnE", "NONE", "", " none"} {
		unsigned(alg)
	}
	for _, value := range []string{"null", "7", "true", `["RS256"]`, `{"a":1}`} {
		all = append(all, drafted("alg: "+value, func(_ *generator, d *draft) { d.header = d.header.set("alg", value) }))
	}
	for _, r := range []struct {
		name string
		edit func(alg string) string
	}{
		{"lower case", strings.ToLower},
		{"a blank behind", func(alg string) string { return alg + " " }},
		{"a NUL behind", func(alg string) string { return alg + "\x00" }},
	} {
		all = append(all, drafted("alg: "+r.name, func(_ *generator, d *draft) {
			d.header = d.header.set("alg", quoted(r.edit(d.alg)))
		}))
	}
	all = append(all,
		drafted("alg: missing", func(_ *generator, d *draft) { d.header = d.header.without("alg") }),
		drafted("alg: escaped", func(_ *generator, d *draft) { // a legal spelling
			d.header = d.header.set("alg", `"\u00`+hex(d.alg[0])+d.alg[1:]+`"`)
		}))
	// The key of one algorithm, the header of another; the signature is a good
	// one of the latter where the key can make it.
	for _, r := range []struct{ key, alg string }{
		{"RS256", "RS384"}, {"RS256", "PS256"}, {"PS512", "RS512"}, {"RS512", "RS256"},
		{"ES256", "ES384"}, {"ES384", "ES256"}, {"ES512", "ES256"}, {"ES256", "RS256"}, {"RS256", "ES256"}, {"EdDSA", "ES256"},
	} {
		for _, declared := range []string{"the key says so", "the key does not say"} {
			all = append(all, kind{"alg: " + r.alg + " with a key for " + r.key + ", " + declared,
				func(g *generator) (string, string) {
					d := g.draftOf(r.key)
					d.header = d.header.set("alg", quoted(r.alg))
					if family(r.key) == family(r.alg) {
						d.alg = r.alg
					}
					if declared != "the key says so" {
						d.jwks = keySet(d.key.jwk.without("alg"))
					}
					return d.jwks, d.token()
				}})
		}
	}
	for _, alg := range []string{"ES256K", "RSA1_5", "RSA-OAEP", "Ed448", "ES257", "RS1", "HS1", "ML-DSA-44", "X"} {
		all = append(all, drafted("alg: "+alg, func(_ *generator, d *draft) { d.header = d.header.set("alg", quoted(alg)) }))
	}
	return append(all, hmacKinds()...)
}

// family is the kind of key that alg needs.
func family(alg string) string {
	switch alg[:2] {
	case "RS", "PS":
		return "RSA"
	case "ES":
		return "EC"
	}
	return "OKP"
}

// hmacKinds are HMACs whose secret is what everybody knows of the public key.
func hmacKinds() []kind {
	var all []kind
	for _, r := range []struct {
		name   string
		secret func(k *key) []byte
	}{
		{"PEM", func(k *key) []byte {
			return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der(k.private.Public())})
		}},
		{"PEM without line end", func(k *key) []byte {
			text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der(k.private.Public())})
			return text[:len(text)-1]
		}},
		{"PKCS #1", func(k *key) []byte {
			return x509.MarshalPKCS1PublicKey(k.private.Public().(*rsa.PublicKey))
		}},
		{"DER", func(k *key) []byte { return der(k.private.Public()) }},
		{"JWK", func(k *key) []byte { return []byte(k.jwk.text()) }},
		{"modulus", func(k *key) []byte { return k.private.Public().(*rsa.PublicKey).N.Bytes() }},
		{"modulus in base64", func(k *key) []byte { return []byte(strings.Trim(k.jwk.get("n"), `"`)) }},
		{"nothing", func(*key) []byte { return nil }},
		{"key id", func(k *key) []byte { return []byte(k.kid()) }},
	} {
		for _, of := range []string{"", ", a key without alg"} {
			all = append(all, kind{"alg: HS256 with the public key, " + r.name + of, func(g *generator) (string, string) {
				d := g.draftOf("RS256")
				d.header = d.header.set("alg", `"HS256"`)
				if of != "" {
					d.jwks = keySet(d.key.jwk.without("alg"))
				}
				signed := encode([]byte(d.header.text())) + "." + encode([]byte(d.claims.text()))
				return d.jwks, signed + "." + encode(hmacOf(crypto.SHA256, r.secret(d.key), signed))
			}})
		}
	}
	return all
}

func hmacOf(h crypto.Hash, secret []byte, text string) []byte {
	mac := hmac.New(h.New, secret)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
