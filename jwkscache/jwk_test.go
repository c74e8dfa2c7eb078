package jwkscache_test

import (
	"crypto"
	"crypto/elliptic"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// static returns the cache of a set that is good in parts.
func static(t *testing.T, members ...string) *jwkscache.Cache {
	t.Helper()
	c, err := jwkscache.Static([]byte(rawSet(members...)))
	require.NoError(t, err)
	return c
}

func lookup(t *testing.T, c *jwkscache.Cache, kid, alg string) []crypto.PublicKey {
	t.Helper()
	keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: kid, Algorithm: alg})
	require.NoError(t, err)
	return keys
}

// One unusable key is skipped and reported; the keys around it work.
func TestUnusableKeys(t *testing.T) {
	first, last := edKey("first"), edKey("last")
	ec, ed, rs := newKey("k").jwk, edKey("k").jwk, rsaKey("k").jwk
	ec384, ec521 := ecKey("k", elliptic.P384()).jwk, ecKey("k", elliptic.P521()).jwk
	long := func(s string, n int) string { // n octets more, in front
		b, _ := base64.RawURLEncoding.DecodeString(s)
		return b64(append(make([]byte, n), b...))
	}
	text := func(j jwk, member string) string { return j[member].(string) }
	bigE := func(e *big.Int) jwk { return rs.with("e", b64(e.Bytes())) }
	bit := func(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }

	for _, row := range []struct{ name, member, why string }{
		{"A4 use enc", ec.with("use", "enc").String(), "use is"},
		{"A4 use empty", ec.with("use", "").String(), "use is"},
		{"A4 use in capitals", ec.with("use", "SIG").String(), "use is"},
		{"A4 key_ops without verify", ec.with("key_ops", []string{"encrypt", "sign"}).String(), "key_ops"},
		{"A4 key_ops empty", ec.with("key_ops", []string{}).String(), "key_ops"},
		{"A4 key_ops a string", ec.with("key_ops", "verify").String(), "broken JWK"},
		{"A4 oct", `{"kty":"oct","k":"c2VjcmV0","kid":"k"}`, "private or symmetric"},
		{"A4 oct that fits an alg", `{"kty":"oct","k":"c2VjcmV0","alg":"RS256"}`, "private or symmetric"},
		{"A4 oct without k", `{"kty":"oct"}`, "unknown kty"},
		{"A4 private EC", ec.with("d", "AQ").String(), "private or symmetric"},
		{"A4 private Ed25519", ed.with("d", "AQ").String(), "private or symmetric"},
		{"A4 private RSA d", rs.with("d", "AQ").String(), "private or symmetric"},
		{"A4 private RSA p", rs.with("p", "AQ").String(), "private or symmetric"},
		{"A4 private RSA q", rs.with("q", "AQ").String(), "private or symmetric"},
		{"A4 private RSA dp", rs.with("dp", "AQ").String(), "private or symmetric"},
		{"A4 private RSA dq", rs.with("dq", "AQ").String(), "private or symmetric"},
		{"A4 private RSA qi", rs.with("qi", "AQ").String(), "private or symmetric"},
		{"A4 private RSA oth", rs.with("oth", []any{}).String(), "private or symmetric"},
		{"A4 RSA with k", rs.with("k", "AQ").String(), "private or symmetric"},
		{"A4 private, whatever its type", ec.with("d", 7).String(), "private or symmetric"},

		{"A4 RSA of 512 bits", rsaOf(512, 65537).String(), "512 bits"},
		{"A4 RSA of 1024 bits", rsaOf(1024, 65537).String(), "1024 bits"},
		{"A4 RSA of 2047 bits", rsaOf(2047, 65537).String(), "2047 bits"},
		{"A4 RSA of 2047 bits, padded with zeros", rsaOf(2047, 65537).with("n", long(text(rsaOf(2047, 3), "n"), 8)).String(), "2047 bits"},
		{"A4 RSA of 8193 bits", rsaOf(8193, 65537).String(), "8193 bits"},
		{"A4 RSA of 8192 bits, with two zero octets in front", rsaOf(8192, 65537).with("n", long(text(rsaOf(8192, 3), "n"), 2)).String(), "too long"},
		{"A4 RSA of 16384 bits", rsaOf(16384, 65537).String(), "too long"},
		{"A4 RSA of a million bits", rsaOf(1_000_000, 65537).String(), "too long"},
		{"A4 RSA, even modulus", rsaJWK(bit(2047), 65537).String(), "even RSA modulus"},
		{"A4 RSA exponent 1", rs.with("e", "AQ").String(), "exponent"},
		{"A4 RSA exponent 3 without AllowSmallExponents", rs.with("e", "Aw").String(), "exponent"},
		{"A4 RSA exponent 65535", bigE(big.NewInt(65535)).String(), "exponent"},
		{"A4 RSA exponent 65536", bigE(big.NewInt(65536)).String(), "exponent"},
		{"A4 RSA exponent 65538", bigE(big.NewInt(65538)).String(), "exponent"},
		{"A4 RSA exponent 2^31+1", bigE(new(big.Int).Add(bit(31), big.NewInt(1))).String(), "exponent"},
		{"A4 RSA exponent 2^63+1", bigE(new(big.Int).Add(bit(63), big.NewInt(1))).String(), "exponent"},
		{"A4 RSA exponent 2^64+65537", bigE(new(big.Int).Add(bit(64), big.NewInt(65537))).String(), "exponent"},
		{"A4 RSA exponent 0", rs.with("e", "AA").String(), "exponent"},
		{"A4 RSA without n", rs.with("n", nil).String(), "missing"},
		{"A4 RSA without e", rs.with("e", nil).String(), "missing"},
		{"A4 RSA, empty e", rs.with("e", "").String(), "missing"},

		{"A4 EC off its curve", ec.with("y", ec["x"]).String(), ""},
		{"A4 EC at zero", ec.with("x", b64(make([]byte, 32)), "y", b64(make([]byte, 32))).String(), ""},
		{"A4 EC with a coordinate beyond the field", ec.with("x", strings.Repeat("_", 42)+"8").String(), ""},
		{"A4 EC x too long", ec.with("x", long(text(ec, "x"), 1)).String(), "too long"},
		{"A4 EC y too long", ec.with("y", long(text(ec, "y"), 1)).String(), "too long"},
		{"A4 EC x too long, P-384", ec384.with("x", long(text(ec384, "x"), 1)).String(), "too long"},
		{"A4 EC y too long, P-521", ec521.with("y", long(text(ec521, "y"), 1)).String(), "too long"},
		{"A4 EC without x", ec.with("x", nil).String(), "missing"},
		{"A4 EC without y", ec.with("y", nil).String(), "missing"},
		{"A4 EC, empty y", ec.with("y", "").String(), "missing"},
		{"A4 EC on another curve than it says", ec384.with("crv", "P-256").String(), "too long"},
		{"A4 Ed25519 of 31 octets", ed.with("x", b64(make([]byte, 31))).String(), "not 32"},
		{"A4 Ed25519 of 33 octets", ed.with("x", b64(make([]byte, 33))).String(), "not 32"},
		{"A4 Ed25519 of small order, the identity", ed.with("x", b64(append([]byte{1}, make([]byte, 31)...))).String(), "small order"},
		{"A4 Ed25519 of small order, zero", ed.with("x", b64(make([]byte, 32))).String(), "small order"},
		{"A4 Ed25519 that is not a point", ed.with("x", b64(append([]byte{2}, make([]byte, 31)...))).String(), "not a point"},
		{"A4 Ed25519 beyond the field", ed.with("x", strings.Repeat("_", 42)+"8").String(), "beyond the field"},
		{"A4 Ed25519 without x", ed.with("x", nil).String(), "missing"},

		{"A4 unknown kty", ec.with("kty", "AKP").String(), "unknown kty"},
		{"A4 kty in lower case", ec.with("kty", "ec").String(), "unknown kty"},
		{"A4 no kty", ec.with("kty", nil).String(), "unknown kty"},
		{"A4 kty a number", ec.with("kty", 1).String(), "broken JWK"},
		{"A4 unknown crv of EC", ec.with("crv", "secp256k1").String(), "unknown crv"},
		{"A4 no crv", ec.with("crv", nil).String(), "unknown crv"},
		{"A4 crv of another kty", ec.with("crv", "Ed25519").String(), "unknown crv"},
		{"A4 unknown crv of OKP", ed.with("crv", "Ed448").String(), "unknown crv"},
		{"A4 X25519, which is not for signatures", ed.with("crv", "X25519").String(), "unknown crv"},
		{"A4 unknown alg", ec.with("alg", "XS256").String(), "alg is unknown"},
		{"A4 alg none", ec.with("alg", "none").String(), "alg is unknown"},
		{"A4 alg HS256", rs.with("alg", "HS256").String(), "alg is unknown"},
		{"A4 alg for encryption", rs.with("alg", "RSA-OAEP").String(), "alg is unknown"},
		{"A4 alg in lower case", ec.with("alg", "es256").String(), "alg is unknown"},
		{"A4 alg a number", ec.with("alg", 256).String(), "broken JWK"},
		{"A4 alg contradicts crv: ES384, P-256", ec.with("alg", "ES384").String(), "alg is unknown"},
		{"A4 alg contradicts crv: ES256, P-384", ec384.with("alg", "ES256").String(), "alg is unknown"},
		{"A4 alg contradicts crv: EdDSA, P-256", ec.with("alg", "EdDSA").String(), "alg is unknown"},
		{"A4 alg contradicts kty: RS256, EC", ec.with("alg", "RS256").String(), "alg is unknown"},
		{"A4 alg contradicts kty: ES256, RSA", rs.with("alg", "ES256").String(), "alg is unknown"},
		{"A4 alg contradicts kty: ES256, OKP", ed.with("alg", "ES256").String(), "alg is unknown"},

		{"K7 too little padding in n", rs.with("n", text(rs, "n")+"=").String(), "n is not base64url: its padding is wrong"},
		{"K7 too much padding in x", ec.with("x", text(ec, "x")+"==").String(), "x is not base64url: its padding is wrong"},
		{"K7 padding where none is needed", rs.with("e", "AQAB====").String(), "e is not base64url: its padding is wrong"},
		{"K7 padding alone", ec.with("y", "====").String(), "y is not base64url: its padding is wrong"},
		{"K7 padding inside", ec.with("x", text(ec, "x")[:40]+"="+text(ec, "x")[40:]).String(), "x is not base64url"},
		{"K7 standard base64 with trailing bits", ec.with("x", strings.Repeat("+", 43)).String(), "x is not base64url"},
		{"K7 trailing bits before padding", rs.with("e", "Aw=").String(), "e is not base64url"},
		{"K7 hexadecimal", ec.with("x", strings.Repeat("0", 64)).String(), "x is too long"},
		{"K7 trailing bits", ec.with("x", text(ec, "x")[:42]+"_").String(), "base64url"},
		{"K7 a line break in y", ec.with("y", text(ec, "y")[:20]+"\r\n"+text(ec, "y")[20:]).String(), "base64url"},
		{"K7 a line break in e", rs.with("e", "AQAB\n").String(), "base64url"},
		{"K7 white space in x", ec.with("x", " "+text(ec, "x")).String(), "base64url"},
		{"K7 x a number", ec.with("x", 7).String(), `"x" has the wrong type`},
		{"A4 kid a number", ec.with("kid", 7).String(), "kid is not a string"},
		{"A4 kid true", ec.with("kid", true).String(), "kid is not a string"},
		{"A4 kid an array", ec.with("kid", []string{"k"}).String(), "kid is not a string"},
		{"A4 kid an object", ec.with("kid", jwk{"a": 1}).String(), "kid is not a string"},
		{"A4 use jwt-svid, not in Uses", ec.with("use", "jwt-svid").String(), `use is "jwt-svid", not sig`},
		{"A4 a member twice", `{"kty":"EC",` + strings.TrimPrefix(ec.String(), "{"), "broken JWK: two members have the same name"},
		{"A4 any member twice", `{"z":1,"z":1,` + strings.TrimPrefix(ec.String(), "{"), "broken JWK"},
		{"A4 bad UTF-8 in a key", strings.Replace(ec.String(), `"kid":"k"`, "\"kid\":\"\xff\"", 1), "broken JWK"},
		{"A4 a member under another name", ec.with("kty", nil, "KTY", "EC").String(), "unknown kty"},
		{"A4 null", `null`, "unknown kty"},
		{"A4 a number", `17`, "broken JWK"},
		{"A4 a string", `"key"`, "broken JWK"},
		{"A4 an array", `[]`, "broken JWK"},
		{"A4 an empty object", `{}`, "unknown kty"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := static(t, first.jwk.String(), row.member, last.jwk.String())
			assert.Equal(t, []crypto.PublicKey{first.public}, lookup(t, c, "first", "EdDSA"))
			assert.Equal(t, []crypto.PublicKey{last.public}, lookup(t, c, "last", "EdDSA"))
			assert.Equal(t, 2, c.Stats().Keys)
			require.Len(t, c.Stats().KeyWarnings, 1)
			assert.Contains(t, c.Stats().KeyWarnings[0].Text, "key 1 (kid ")
			assert.Contains(t, c.Stats().KeyWarnings[0].Text, row.why)
			for _, alg := range []string{"RS256", "PS512", "ES256", "ES384", "ES512", "HS256", "none", ""} {
				assert.Empty(t, lookup(t, c, "", alg))
			}
			assert.Len(t, lookup(t, c, "", "EdDSA"), 2)

			_, err := jwkscache.Static([]byte(rawSet(row.member)))
			assert.ErrorContains(t, err, "no usable key")
		})
	}

	t.Run("A4 the report names the kid, quoted and short", func(t *testing.T) {
		c := static(t, first.jwk.String(), ec.with("use", "enc", "kid", strings.Repeat("k\n", 5000)).String())
		assert.Contains(t, c.Stats().KeyWarnings[0].Text, `k\nk\n`)
		assert.Less(t, len(c.Stats().KeyWarnings[0].Text), 200)
	})

	t.Run("A4 the error of a set without a usable key is short", func(t *testing.T) {
		bad := ec.with("use", "enc", "kid", strings.Repeat("k\n", 5000)).String()
		_, err := jwkscache.Static([]byte(rawSet(strings.Repeat(bad+",", 200) + bad)))
		assert.ErrorContains(t, err, "no usable key among 201")
		assert.Less(t, len(err.Error()), 2000)
	})
}

func TestUsableKeys(t *testing.T) {
	rsaAlgs := []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	edAlgs := []string{"EdDSA", "Ed25519"}
	all := append(append([]string{"ES256", "ES384", "ES512"}, rsaAlgs...), edAlgs...)

	ec, ed, rs := newKey("k"), edKey("k"), rsaKey("k")
	stripped := func(k key) key {
		for _, member := range []string{"x", "y"} {
			b, _ := base64.RawURLEncoding.DecodeString(k.jwk[member].(string))
			k.jwk = k.jwk.with(member, b64(new(big.Int).SetBytes(b).Bytes()))
		}
		return k
	}
	having := func(k key, members ...any) key { k.jwk = k.jwk.with(members...); return k }

	for _, row := range []struct {
		name string
		k    key
		algs []string
	}{
		{"A4 P-256", ec, []string{"ES256"}},
		{"A4 P-384", ecKey("k", elliptic.P384()), []string{"ES384"}},
		{"A4 P-521", ecKey("k", elliptic.P521()), []string{"ES512"}},
		{"A4 Ed25519", ed, edAlgs},
		{"A4 RSA", rs, rsaAlgs},
		{"A4 RSA of 2048 bits", shaped(2048, 65537), rsaAlgs},
		{"A4 RSA of 3072 bits", shaped(3072, 65537), rsaAlgs},
		{"A4 RSA of 8192 bits", shaped(8192, 65537), rsaAlgs},
		{"A4 RSA exponent 65539", shaped(2048, 65539), rsaAlgs},
		{"A4 RSA exponent 2^31-1", shaped(2048, 1<<31-1), rsaAlgs},
		{"A4 use sig", having(ec, "use", "sig"), []string{"ES256"}},
		{"A4 use null", having(ec, "use", (*string)(nil)), []string{"ES256"}},
		{"A4 key_ops verify", having(ec, "key_ops", []string{"verify"}), []string{"ES256"}},
		{"A4 key_ops with verify", having(ec, "key_ops", []string{"sign", "verify"}), []string{"ES256"}},
		{"A4 alg RS256", having(rs, "alg", "RS256"), []string{"RS256"}},
		{"A4 alg PS512", having(rs, "alg", "PS512"), []string{"PS512"}},
		{"A4 alg ES256", having(ec, "alg", "ES256"), []string{"ES256"}},
		{"A4 alg EdDSA is Ed25519 too", having(ed, "alg", "EdDSA"), edAlgs},
		{"A4 alg Ed25519 is EdDSA too", having(ed, "alg", "Ed25519"), edAlgs},
		{"A4 leading zeros of x stripped, P-256", stripped(ecLeadingZero("k", elliptic.P256(), 0)), []string{"ES256"}},
		{"A4 leading zeros of y stripped, P-256", stripped(ecLeadingZero("k", elliptic.P256(), 1)), []string{"ES256"}},
		{"A4 leading zeros of x stripped, P-384", stripped(ecLeadingZero("k", elliptic.P384(), 0)), []string{"ES384"}},
		{"A4 leading zeros of y stripped, P-521", stripped(ecLeadingZero("k", elliptic.P521(), 1)), []string{"ES512"}},
		{"A4 leading zeros kept", ecLeadingZero("k", elliptic.P256(), 0), []string{"ES256"}},
		{"K7 x5c a string", having(ec, "x5c", "MIIB", "x5t", 7, "x5u", "http://evil.example"), []string{"ES256"}},
		{"K7 x5c an array of anything", having(rs, "x5c", []any{"!", 1, nil}), rsaAlgs},
		{"A4 private members that are null", having(rs, "d", (*string)(nil), "k", (*string)(nil), "oth", (*string)(nil)), rsaAlgs},
		{"A4 unknown members", having(ec, "ext", true, "nbf", 1, "issuer", jwk{}), []string{"ES256"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := static(t, row.k.jwk.String())
			assert.Empty(t, c.Stats().KeyWarnings)
			for _, alg := range all {
				want := []crypto.PublicKey(nil)
				for _, fits := range row.algs {
					if fits == alg {
						want = []crypto.PublicKey{row.k.public}
					}
				}
				assert.Equal(t, want, lookup(t, c, "k", alg), alg)
				assert.Equal(t, want, lookup(t, c, "", alg), alg)
			}
		})
	}

	t.Run("A4 another use, in Uses", inBubble(func(t *testing.T) {
		svid, sig, x509 := having(newKey("svid"), "use", "jwt-svid"), having(newKey("sig"), "use", "sig"), having(newKey("x509"), "use", "x509-svid")
		uses := []string{"jwt-svid"}
		c := open(t, newServer(publish(svid, sig, x509, newKey("none"))), jwkscache.Config{Uses: uses})
		uses[0] = "x509-svid" // later changes do not count
		require.NoError(t, c.Refresh(t.Context()))
		serves(t, c, svid)
		serves(t, c, sig)
		assert.Equal(t, 3, c.Stats().Keys)
		require.Len(t, c.Stats().KeyWarnings, 1)
		assert.Contains(t, c.Stats().KeyWarnings[0].Text, `(kid "x509"): use is "x509-svid"`)
	}))

	t.Run("A4 uses that are none", func(t *testing.T) {
		for _, uses := range [][]string{{""}, {"jwt-svid", ""}, {"enc"}} {
			_, err := jwkscache.ForURL(jwksURL, jwkscache.Config{Uses: uses})
			require.ErrorContains(t, err, "Uses")
		}
	})

	for _, row := range []struct {
		name string
		e    int64
		good bool
	}{
		{"A4 exponent 3 with AllowSmallExponents", 3, true},
		{"A4 exponent 17 with AllowSmallExponents", 17, true},
		{"A4 exponent 65537 beside it", 65537, true},
		{"A4 exponent 1, by whatever name", 1, false},
		{"A4 exponent 2, by whatever name", 2, false},
		{"A4 exponent 4, by whatever name", 4, false},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			k, other := shaped(2048, row.e), newKey("other")
			c := open(t, newServer(publish(k, other)), jwkscache.Config{AllowSmallExponents: true})
			serves(t, c, other)
			if row.good {
				serves(t, c, k)
			}
			assert.Equal(t, row.good, len(c.Stats().KeyWarnings) == 0)
		}))
	}

	t.Run("A4 the option reaches every refresh, and is off by default", inBubble(func(t *testing.T) {
		small, other := shaped(2048, 3), newKey("other")
		s := newServer(publish(other, small))
		c := open(t, s, jwkscache.Config{})
		serves(t, c, other)
		assert.Len(t, c.Stats().KeyWarnings, 1)
	}))
}

// Spellings that can mean one thing only are read. The key works, and is
// reported.
func TestOddSpellings(t *testing.T) {
	ec, ed, rs := newKey("k"), edKey("k"), rsaKey("k")
	std := func(k key, members ...string) key {
		for _, m := range members {
			b, _ := base64.RawURLEncoding.DecodeString(k.jwk[m].(string))
			k.jwk = k.jwk.with(m, base64.StdEncoding.EncodeToString(b))
		}
		return k
	}
	padded := func(k key, m string) key {
		k.jwk = k.jwk.with(m, k.jwk[m].(string)+strings.Repeat("=", 4-len(k.jwk[m].(string))%4))
		return k
	}
	slashes := func(k key, m string) key {
		k.jwk = k.jwk.with(m, strings.NewReplacer("-", "+", "_", "/").Replace(k.jwk[m].(string)))
		return k
	}
	for _, row := range []struct {
		name string
		k    key
		odd  []string // one for each report
	}{
		{"A4 padded n", padded(rs, "n"), []string{"n has padding"}},
		{"A4 padded e", padded(shaped(2048, 1<<31-1), "e"), []string{"e has padding"}},
		{"A4 standard base64 in n", std(rs, "n"), []string{"n has padding"}},
		{"A4 the standard alphabet without padding in n", slashes(rs, "n"), []string{"n is in standard base64"}},
		{"A4 padded x and y", padded(padded(ec, "x"), "y"), []string{"x has padding", "y has padding"}},
		{"A4 standard base64 in x and y", std(ec, "x", "y"), []string{"x has padding", "y has padding"}},
		{"A4 padded x of Ed25519", padded(ed, "x"), []string{"x has padding"}},
	} {
		t.Run(row.name+" is read, and reported", inBubble(func(t *testing.T) {
			j := new(journal)
			s := newServer(publish(row.k))
			c := open(t, s, jwkscache.Config{Logger: j.logger()})
			assert.Equal(t, []crypto.PublicKey{row.k.public}, lookup(t, c, "k", row.k.alg))
			require.Len(t, c.Stats().KeyWarnings, len(row.odd))
			for i, odd := range row.odd {
				assert.Contains(t, c.Stats().KeyWarnings[i].Text, `key 0 (kid "k") is used, though `+odd)
			}
			pass(day)
			assert.Equal(t, 1, j.count(), "once")
		}))
	}
}
