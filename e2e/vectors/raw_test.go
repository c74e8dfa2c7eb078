package vectors

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// rawFiles have messages and signatures without a JOSE form around them.
var rawFiles = []string{
	"ecdsa_secp*.json", "ed25519_*.json", "hmac_*.json",
	"rsa_pss_*.json", "rsa_signature_*.json", "rsa_pkcs1_*_sig_gen_*.json",
}

// otherCurves are the files whose keys crypto/ecdsa and crypto/ed25519 cannot
// hold. Their JWKs must not load, where they have any.
var otherCurves = []string{
	"ecdsa_brainpool*.json", "ecdsa_secp160*.json", "ecdsa_secp192*.json", "ecdsa_secp224k1*.json",
	"ecdsa_secp256k1*.json", "ed448_*.json",
}

// tooSlow are files of other algorithms that show nothing but what the files of
// SHA-512 and SHAKE128 with smaller curves do, in half of the time of all.
var tooSlow = []string{"ecdsa_secp384r1_shake256_p1363_test.json", "ecdsa_secp521r1_shake256_p1363_test.json"}

// allAlgorithms but EdDSA's second name (RFC 9864 §2.2), which is the same.
var allAlgorithms = slices.DeleteFunc(algorithmNames(), func(alg string) bool { return alg == "Ed25519" })

// runRaw decides every vector of a file as a token's signature would be.
func runRaw(t *testing.T, name string) (r row) {
	f := load(t, name)
	for i := range f.Groups {
		g := &f.Groups[i]
		own := f.joseAlgorithm(g)
		key := g.key(t)
		if own != "" || g.rsaBits() > 0 { // ECDSA with another hash has the same keys
			checkJWK(t, g, key)
		}
		for j := range g.Tests {
			v := &g.Tests[j]
			if v.Key != nil {
				key = jose.NewSecret(v.Key)
			}
			for _, alg := range allAlgorithms {
				if alg != own && (own == "" || g.rsaBits() <= 3072) { // larger ones take too long
					assert.Equal(t, alg == g.meantFor(v), fits(alg, key, v), "A2 %d as %s: %s", v.ID, alg, v.Comment)
				}
			}
			if v.Result == "valid" {
				refuseDerived(t, own, g, key, v)
			}
			if own == "" {
				r.add(t, name, v, other)
				continue
			}
			accepted := fits(own, key, v)
			if own == "EdDSA" {
				assert.Equal(t, accepted, fits("Ed25519", key, v), "A1 %d under the other name", v.ID)
			}
			refuseForeign(t, own, key, v)
			r.add(t, name, v, map[bool]string{true: "", false: "signature"}[accepted])
		}
	}
	return r
}

func fits(alg string, key crypto.PublicKey, v *vector) bool {
	return jose.ByName(alg).Verify(key, v.Msg, v.signature())
}

// checkJWK looks up g's key in a set that holds its JWK, where it has one, or
// finds that such a set does not load.
func checkJWK(t *testing.T, g *group, want crypto.PublicKey) {
	t.Helper()
	k := g.PublicKeyJWK
	if k == nil {
		k = g.KeyJWK
	}
	if k == nil {
		return
	}
	var m struct{ Alg string }
	require.NoError(t, json.Unmarshal(k, &m))
	cache, err := jwkscache.Static(asSet(k))
	switch k := want.(type) {
	case *rsa.PublicKey:
		if k.E < 65537 || k.N.BitLen() < 2048 {
			require.Error(t, err, "A4 a weak RSA key loads")
			return
		}
	case *ecdsa.PublicKey:
		m.Alg = map[string]string{"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}[k.Curve.Params().Name]
	default:
		m.Alg = "EdDSA"
	}
	require.NoError(t, err)
	for _, kid := range []string{"none", ""} { // so they are called
		got, err := cache.Lookup(context.Background(), jwkscache.Query{KeyID: kid, Algorithm: m.Alg})
		require.NoError(t, err)
		require.Len(t, got, 1, "A2 kid %q", kid)
		assert.True(t, want.(interface{ Equal(crypto.PublicKey) bool }).Equal(got[0]), "A4 another key comes out")
	}
}

// TestOtherCurves has the keys that are not run: a set of such a key is refused.
func TestOtherCurves(t *testing.T) {
	checked := 0
	for _, name := range named(t, otherCurves...) {
		f := load(t, name)
		for i := range f.Groups {
			g := &f.Groups[i]
			assert.Empty(t, f.joseAlgorithm(g), name)
			if g.PublicKeyJWK == nil {
				continue
			}
			_, err := jwkscache.Static(asSet(g.PublicKeyJWK))
			assert.Error(t, err, "A4 %s: the key of group %d loads", name, i)
			checked++
		}
	}
	assert.NotZero(t, checked)
}

func algorithmNames() (names []string) {
	for _, a := range jose.Algorithms() {
		names = append(names, a.Name)
	}
	slices.Sort(names)
	return names
}
