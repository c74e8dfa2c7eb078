package vectors

import (
	"crypto"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// refuseDerived takes a good signature, and has refused what is made of it by
// changing its length, which Wycheproof does for few of its signatures only.
func refuseDerived(t *testing.T, own string, g *group, key crypto.PublicKey, v *vector) {
	t.Helper()
	sig := v.signature()
	half := len(sig) / 2
	zero := []byte{0}
	if own != "" {
		for name, s := range map[string][]byte{
			"none":                   nil,
			"a byte less":            sig[:len(sig)-1],
			"half":                   sig[:half],
			"a zero after it":        slices.Concat(sig, zero),
			"a zero before it":       slices.Concat(zero, sig),
			"a zero in the middle":   slices.Concat(sig[:half], zero, sig[half:]),
			"a zero before each":     slices.Concat(zero, sig[:half], zero, sig[half:]),
			"a zero after each half": slices.Concat(sig[:half], zero, sig[half:], zero),
			"twice":                  slices.Concat(sig, sig),
		} {
			assert.False(t, fits(own, key, &vector{Msg: v.Msg, Sig: s}), "A3 %d %s", v.ID, name)
		}
	}
	if g.Type != "EcdsaP1363Verify" {
		return
	}
	for alg, size := range map[string]int{"ES256": 32, "ES384": 48, "ES512": 66} {
		if alg != own && size > half { // else its length gives it away
			pad := make([]byte, size-half)
			s := slices.Concat(pad, sig[:half], pad, sig[half:])
			assert.False(t, fits(alg, key, &vector{Msg: v.Msg, Sig: s}), "A2 %d is accepted as %s at its length", v.ID, alg)
		}
	}
}
