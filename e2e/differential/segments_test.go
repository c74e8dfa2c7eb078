package differential

import (
	"net/url"
	"strings"
)

// segmentKinds change the text of a token after it was signed.
func segmentKinds() []kind {
	all := []kind{
		mangled("segments: signature of another token", func(g *generator, t string) string {
			return join(head(t), body(t), tail(g.draft().token()))
		}),
		mangled("segments: claims of another token", func(g *generator, t string) string {
			return join(head(t), body(g.draft().token()), tail(t))
		}),
		mangled("segments: header of another token", func(g *generator, t string) string {
			other := head(t)
			for other == head(t) {
				other = head(g.draft().token())
			}
			return join(other, body(t), tail(t))
		}),
		mangled("segments: header and claims exchanged", func(_ *generator, t string) string {
			return join(body(t), head(t), tail(t))
		}),
		mangled("segments: truncated", func(g *generator, t string) string { return t[:g.IntN(len(t)-3)] }),
		mangled("segments: two", func(_ *generator, t string) string { return join(head(t), body(t)) }),
		mangled("segments: four", func(g *generator, t string) string { return join(t, g.word()) }),
		mangled("segments: five", func(_ *generator, t string) string { return join(t, tail(t), tail(t)) }),
		mangled("segments: one empty at the end", func(_ *generator, t string) string { return t + "." }),
		mangled("segments: one empty at the beginning", func(_ *generator, t string) string { return "." + t }),
		mangled("segments: none", func(*generator, string) string { return "" }),
		mangled("segments: dots only", func(*generator, string) string { return ".." }),
		mangled("segments: empty header", func(_ *generator, t string) string { return join("", body(t), tail(t)) }),
		mangled("segments: empty claims", func(_ *generator, t string) string { return join(head(t), "", tail(t)) }),
		mangled("segments: detached and signed so", func(g *generator, _ string) string {
			d := g.draft()
			return d.tokenOf(d.header.text(), "")
		}),
		mangled("segments: empty signature", func(_ *generator, t string) string { return join(head(t), body(t), "") }),
		mangled("segments: Bearer before it", func(_ *generator, t string) string { return "Bearer " + t }),
		mangled("segments: in quotation marks", func(_ *generator, t string) string { return `"` + t + `"` }),
		mangled("segments: percent-encoded", func(_ *generator, t string) string {
			return strings.ReplaceAll(url.QueryEscape(t), ".", "%2E")
		}),
		mangled("segments: encoded twice", func(_ *generator, t string) string {
			return join(encode([]byte(head(t))), encode([]byte(body(t))), encode([]byte(tail(t))))
		}),
		mangled("segments: flattened JSON", func(_ *generator, t string) string {
			return object{{"protected", quoted(head(t))}, {"payload", quoted(body(t))}, {"signature", quoted(tail(t))}}.text()
		}),
		mangled("segments: flattened JSON with claims outside", func(_ *generator, t string) string {
			return object{
				{"protected", quoted(head(t))}, {"payload", quoted(body(t))}, {"signature", quoted(tail(t))}, {"sub", `"admin"`},
			}.text()
		}),
		mangled("segments: general JSON", func(_ *generator, t string) string {
			signature := object{{"protected", quoted(head(t))}, {"signature", quoted(tail(t))}}.text()
			return object{{"payload", quoted(body(t))}, {"signatures", "[" + signature + "]"}}.text()
		}),
		mangled("segments: the claims alone", func(_ *generator, t string) string { return string(decode(body(t))) }),
		mangled("length: just allowed", func(g *generator, _ string) string { return g.long(16384) }),
		mangled("length: more than 16 KiB", func(g *generator, _ string) string { return g.long(16384 + 8) }),
		mangled("length: 200 KB", func(g *generator, _ string) string { return g.long(200_000) }),
	}
	for i, part := range []string{"header", "claims", "signature"} {
		at := func(name string, edit func(g *generator, s string) string) {
			all = append(all, mangled("base64: "+name+", "+part, func(g *generator, t string) string {
				s := strings.Split(t, ".")
				s[i] = edit(g, s[i])
				return join(s...)
			}))
		}
		insert := func(name, what string) {
			at(name+" inside", func(g *generator, s string) string {
				n := 1 + g.IntN(len(s)-1)
				return s[:n] + what + s[n:]
			})
			at(name+" at the end", func(_ *generator, s string) string { return s + what })
		}
		insert("line feed", "\n")
		insert("carriage return", "\r")
		insert("space", " ")
		insert("tab", "\t")
		insert("NUL", "\x00")
		insert("padding", "=")
		insert("U+017F", "\u017f")
		insert("plus", "+")
		insert("slash", "/")
		at("another character", func(g *generator, s string) string {
			const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
			n := g.IntN(len(s) - 1) // not the last: its low bits may mean nothing
			c := s[n]
			for c == s[n] {
				c = alphabet[g.IntN(len(alphabet))]
			}
			return s[:n] + string(c) + s[n+1:]
		})
		at("upper case", func(_ *generator, s string) string { return strings.ToUpper(s) })
	}
	return append(all,
		kind{"base64: correct padding, all segments", func(g *generator) (string, string) {
			d := g.unaligned()
			s := strings.Split(d.token(), ".")
			return d.jwks, join(padded(s[0]), padded(s[1]), padded(s[2]))
		}},
		kind{"base64: correct padding, signed so", func(g *generator) (string, string) {
			d := g.unaligned()
			signed := encode([]byte(d.header.text())) + "." + padded(encode([]byte(d.claims.text())))
			return d.jwks, signed + "." + encode(sign(d.key, d.alg, signed))
		}},
		kind{"base64: the standard alphabet, signed so", func(g *generator) (string, string) {
			d := g.draft()
			d.claims = d.claims.set("x", `"???>>>~~~"`).before("y", `"??>>~~"`).before("z", `"?>~"`)
			signed := encode([]byte(d.header.text())) + "." + standard(encode([]byte(d.claims.text())))
			return d.jwks, signed + "." + encode(sign(d.key, d.alg, signed))
		}},
		kind{"base64: the standard alphabet, signature", func(g *generator) (string, string) {
			t := g.draft().token()
			for standard(tail(t)) == tail(t) {
				t = g.draft().token()
			}
			return g.plain, join(head(t), body(t), standard(tail(t)))
		}},
		kind{"base64: trailing bits, signature", func(g *generator) (string, string) {
			d := g.draftOf(pick(g, []string{"ES256", "RS256", "EdDSA", "PS384"})) // 2 modulo 3 or 1 modulo 3 bytes
			t := d.token()
			return d.jwks, t[:len(t)-1] + nextCharacter(t[len(t)-1])
		}},
		kind{"base64: trailing bits, signed so", func(g *generator) (string, string) {
			d := g.unaligned()
			c := encode([]byte(d.claims.text()))
			signed := encode([]byte(d.header.text())) + "." + c[:len(c)-1] + nextCharacter(c[len(c)-1])
			return d.jwks, signed + "." + encode(sign(d.key, d.alg, signed))
		}},
	)
}

func join(segments ...string) string { return strings.Join(segments, ".") }

func head(token string) string { return strings.Split(token, ".")[0] }
func body(token string) string { return strings.Split(token, ".")[1] }
func tail(token string) string { return strings.Split(token, ".")[2] }

func padded(s string) string { return s + strings.Repeat("=", (4-len(s)%4)%4) }

func standard(s string) string { return strings.NewReplacer("-", "+", "_", "/").Replace(s) }

// nextCharacter differs from c in the lowest bit, where c stands for an even
// number.
func nextCharacter(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)|1])
}

// unaligned is a draft whose claims would be padded.
func (g *generator) unaligned() *draft {
	d := g.draft()
	for len(d.claims.text())%3 == 0 {
		d.claims = d.claims.set("x", quoted(g.word()[:1+g.IntN(3)]))
	}
	return d
}

// long is a good token of n bytes, or one or two less.
func (g *generator) long(n int) string {
	d := g.draftOf("ES256")
	base := len(d.token())
	d.claims = d.claims.set("long", quoted(strings.Repeat("a", (n-base)*3/4-12)))
	for len(d.token())+2 <= n {
		d.claims = d.claims.set("long", quoted(d.claims.get("long")[1:len(d.claims.get("long"))-1]+"a"))
	}
	return d.token()
}
