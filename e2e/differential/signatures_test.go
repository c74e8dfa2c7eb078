package differential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha1" // for signatures that nobody may accept
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"
)

// signatureKinds change the signature of a good token, or make it in another
// way.
func signatureKinds() []kind {
	var all []kind
	edit := func(name string, algs []string, f func(g *generator, d *draft, signed string, sig []byte) []byte) {
		all = append(all, kind{"signature: " + name, func(g *generator) (string, string) {
			d := g.draftOf(pick(g, algs))
			signed := encode([]byte(d.header.text())) + "." + encode([]byte(d.claims.text()))
			return d.jwks, signed + "." + encode(f(g, d, signed, sign(d.key, d.alg, signed)))
		}})
	}
	every := algorithms[:len(algorithms)-1]
	edit("one bit flipped", every, func(g *generator, _ *draft, _ string, sig []byte) []byte {
		sig[g.IntN(len(sig))] ^= 1 << g.IntN(8)
		return sig
	})
	edit("all zeros", every, func(_ *generator, _ *draft, _ string, sig []byte) []byte { return make([]byte, len(sig)) })
	edit("all ones", every, func(_ *generator, _ *draft, _ string, sig []byte) []byte {
		return slices.Repeat([]byte{0xff}, len(sig))
	})
	edit("one byte", every, func(*generator, *draft, string, []byte) []byte { return []byte{0} })
	edit("a byte missing at the end", every, func(_ *generator, _ *draft, _ string, sig []byte) []byte { return sig[:len(sig)-1] })
	edit("a byte missing at the beginning", every, func(_ *generator, _ *draft, _ string, sig []byte) []byte { return sig[1:] })
	edit("a zero behind", every, func(_ *generator, _ *draft, _ string, sig []byte) []byte { return append(sig, 0) })
	edit("a zero before", every, func(_ *generator, _ *draft, _ string, sig []byte) []byte { return append([]byte{0}, sig...) })
	edit("twice", every, func(_ *generator, _ *draft, _ string, sig []byte) []byte { return append(sig, sig...) })
	edit("32 KB", every, func(_ *generator, _ *draft, _ string, sig []byte) []byte { return slices.Repeat(sig, 32_000/len(sig)) })
	edit("over the claims alone", every, func(_ *generator, d *draft, signed string, _ []byte) []byte {
		return sign(d.key, d.alg, signed[strings.Index(signed, ".")+1:])
	})
	edit("over the decoded texts", every, func(_ *generator, d *draft, _ string, _ []byte) []byte {
		return sign(d.key, d.alg, d.header.text()+"."+d.claims.text())
	})
	edit("bytes reversed", every, func(_ *generator, _ *draft, _ string, sig []byte) []byte {
		slices.Reverse(sig)
		return sig
	})

	rsaKeys := []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	edit("RSA, the modulus added", rsaKeys, func(_ *generator, d *draft, _ string, sig []byte) []byte {
		s := new(big.Int).SetBytes(sig)
		return s.Add(s, d.key.private.Public().(*rsa.PublicKey).N).Bytes()
	})
	edit("RSA, one", rsaKeys, func(_ *generator, _ *draft, _ string, sig []byte) []byte {
		one := make([]byte, len(sig))
		one[len(one)-1] = 1
		return one
	})
	edit("RSA, PKCS #1 where PSS is declared", rsaKeys[3:], func(_ *generator, d *draft, signed string, _ []byte) []byte {
		return signPKCS1(d.key, hashOf(d.alg), signed)
	})
	edit("RSA, PSS where PKCS #1 is declared", rsaKeys[:3], func(_ *generator, d *draft, signed string, _ []byte) []byte {
		return signPSS(d.key, "PS"+d.alg[2:], signed, rsa.PSSSaltLengthEqualsHash)
	})
	edit("RSA, SHA-1", rsaKeys[:3], func(_ *generator, d *draft, signed string, _ []byte) []byte {
		return signPKCS1(d.key, crypto.SHA1, signed)
	})
	edit("RSA, no hash named", rsaKeys[:1], func(_ *generator, d *draft, signed string, _ []byte) []byte {
		sum := digest(crypto.SHA256, signed)
		sig, err := rsa.SignPKCS1v15(nil, d.key.private.(*rsa.PrivateKey), 0, sum)
		if err != nil {
			panic(err)
		}
		return sig
	})
	for _, salt := range []struct {
		name string
		n    int
	}{{"none", 0}, {"20 bytes", 20}, {"longest", rsa.PSSSaltLengthAuto}} {
		edit("PSS salt "+salt.name, rsaKeys[3:5], func(_ *generator, d *draft, signed string, _ []byte) []byte {
			return withSalt(d, signed, salt.n)
		})
	}
	all = append(all,
		kind{"signature: RSA, begins with a zero", func(g *generator) (string, string) { return g.plain, g.ring.zero }},
		kind{"signature: RSA, its leading zero left out", func(g *generator) (string, string) {
			t := g.ring.zero
			return g.plain, join(head(t), body(t), encode(decode(tail(t))[1:]))
		}})
	return append(all, ecKinds()...)
}

// withSalt signs with a salt of n bytes, 0 included, which crypto/rsa takes for
// "as long as possible".
func withSalt(d *draft, signed string, n int) []byte {
	if n != 0 {
		return signPSS(d.key, d.alg, signed, n)
	}
	return signSaltless(d.key, d.alg, signed)
}

// signSaltless is EMSA-PSS with an empty salt (RFC 8017 section 9.1.1).
func signSaltless(k *key, alg, text string) []byte {
	private := k.private.(*rsa.PrivateKey)
	h := hashOf(alg)
	emBits := private.N.BitLen() - 1
	emLen := (emBits + 7) / 8
	w := h.New()
	w.Write(make([]byte, 8))
	w.Write(digest(h, text))
	sum := w.Sum(nil)
	db := make([]byte, emLen-h.Size()-1)
	db[len(db)-1] = 1
	for i, b := range mask(h, sum, len(db)) {
		db[i] ^= b
	}
	db[0] &= 0xff >> (8*emLen - emBits)
	em := append(append(db, sum...), 0xbc)
	m := new(big.Int).SetBytes(em)
	return m.Exp(m, private.D, private.N).FillBytes(make([]byte, private.Size()))
}

// mask is MGF1 (RFC 8017 appendix B.2.1).
func mask(h crypto.Hash, seed []byte, n int) (out []byte) {
	for i := byte(0); len(out) < n; i++ {
		w := h.New()
		w.Write(seed)
		w.Write([]byte{0, 0, 0, i})
		out = w.Sum(out)
	}
	return out[:n]
}

// ecKinds are of the algorithms whose signatures are two numbers.
func ecKinds() []kind {
	var all []kind
	numbers := func(name string, f func(d *draft, r, s, n *big.Int) []byte) {
		all = append(all, kind{"signature: ECDSA, " + name, func(g *generator) (string, string) {
			d := g.draftOf(pick(g, []string{"ES256", "ES256", "ES384", "ES512"}))
			signed := encode([]byte(d.header.text())) + "." + encode([]byte(d.claims.text()))
			r, s := signEC(d.key, d.alg, signed)
			n := d.key.private.Public().(*ecdsa.PublicKey).Curve.Params().N
			return d.jwks, signed + "." + encode(f(d, r, s, n))
		}})
	}
	// both writes r and s at the full length, or longer where they are.
	both := func(d *draft, r, s *big.Int) []byte {
		size := max(sizeOf(d.key), (r.BitLen()+7)/8, (s.BitLen()+7)/8)
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	}
	zero := new(big.Int)
	numbers("r is 0", func(d *draft, _, s, _ *big.Int) []byte { return both(d, zero, s) })
	numbers("s is 0", func(d *draft, r, _, _ *big.Int) []byte { return both(d, r, zero) })
	numbers("r is n", func(d *draft, _, s, n *big.Int) []byte { return both(d, n, s) })
	numbers("both are n", func(d *draft, _, _, n *big.Int) []byte { return both(d, n, n) })
	numbers("both are 1", func(d *draft, _, _, _ *big.Int) []byte { return both(d, big.NewInt(1), big.NewInt(1)) })
	numbers("n added to r", func(d *draft, r, s, n *big.Int) []byte { return both(d, new(big.Int).Add(r, n), s) })
	numbers("n added to s", func(d *draft, r, s, n *big.Int) []byte { return both(d, r, new(big.Int).Add(s, n)) })
	numbers("s is n-s", func(d *draft, r, s, n *big.Int) []byte { return both(d, r, new(big.Int).Sub(n, s)) })
	numbers("r is n-r", func(d *draft, r, s, n *big.Int) []byte { return both(d, new(big.Int).Sub(n, r), s) })
	numbers("r and s exchanged", func(d *draft, r, s, _ *big.Int) []byte { return both(d, s, r) })
	numbers("a zero before each", func(d *draft, r, s, _ *big.Int) []byte {
		size := sizeOf(d.key) + 1
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	})
	numbers("DER", func(_ *draft, r, s, _ *big.Int) []byte {
		b, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		if err != nil {
			panic(err)
		}
		return b
	})
	return append(all, kind{"signature: Ed25519, the order added to S", func(g *generator) (string, string) {
		d := g.draftOf("EdDSA")
		signed := encode([]byte(d.header.text())) + "." + encode([]byte(d.claims.text()))
		sig := sign(d.key, d.alg, signed)
		order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
		s := slices.Clone(sig[32:])
		slices.Reverse(s)
		s = order.Add(order, new(big.Int).SetBytes(s)).FillBytes(make([]byte, 32))
		slices.Reverse(s)
		return d.jwks, signed + "." + encode(append(sig[:32], s...))
	}})
}
