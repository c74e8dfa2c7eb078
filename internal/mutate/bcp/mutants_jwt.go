package main

import "slices"

// mutants are changes that break the points of docs/bcp.md. Each is a few lines of what
// somebody could write, by mistake or to make things easier.
var mutants = slices.Concat(jwtMutants, claimsMutants, proofMutants, bindingMutants)

// jwtMutants break the points of RFC 8725 on algorithms, keys and the form of a JWT (§3.1 to §3.7).
var jwtMutants = []mutant{
	{
		points: []string{"8725 3.1 a"},
		tests:  []string{"verifier.TestAlgorithmsPerIssuer"},
		file:   "verifier/evaluation.go",
		old:    "d.algorithm = d.policy.algorithms[alg]; d.algorithm == nil",
		new:    "d.algorithm = jose.ByName(alg); d.algorithm == nil",
	},
	{
		points: []string{"8725 3.1 a", "8725 3.2 a"},
		tests:  []string{"verifier.TestDefaultAlgorithms"},
		file:   "verifier/policy.go",
		old:    `return a.MinSecret == 0`,
		new:    `return true`,
	},
	{
		points: []string{"8725 3.1 b", "8725 3.1 d"},
		tests:  []string{"verifier.TestKeyFitsAlgorithm"},
		file:   "internal/jose/candidates.go",
		old:    "good := a.Verify(k, c.Signed, c.Signature)",
		new:    "good := slices.ContainsFunc(algorithms, func(a *Algorithm) bool { return a.Verify(k, c.Signed, c.Signature) })",
	},
	{
		points: []string{"8725 3.1 b", "8725 3.1 d"},
		tests:  []string{"verifier.TestKeyFitsAlgorithm", "jose.TestCurveAndAlgorithm"},
		file:   "internal/jose/signatures.go",
		old:    "k.Curve != a.curve || ",
		new:    "",
	},
	{
		points: []string{"8725 3.1 c"},
		tests:  []string{"verifier.TestAlgorithmsPerIssuer"},
		file:   "verifier/evaluation.go",
		old:    `alg := d.work.jws.Alg`,
		new: `alg := d.work.jws.Alg
	for _, p := range d.api.policies {
		if d.algorithm = p.algorithms[alg]; d.algorithm != nil {
			return nil
		}
	}`,
	},
	{
		points: []string{"8725 3.1 d"},
		tests:  []string{"verifier.TestJWKAlg"},
		file:   "jwkscache/jwk.go",
		old:    "return []string{alg}, nil",
		new:    "return names, nil",
	},
	{
		points: []string{"8725 3.1 d"},
		tests:  []string{"verifier.TestPublicKeyAsSecret"},
		file:   "verifier/evaluation.go",
		old:    "return d.policy.wrongAlgorithm(alg)",
		new:    "d.algorithm = jose.ByName(alg)",
	},
	{
		points: []string{"8725 3.1 e"},
		tests:  []string{"verifier.TestHeaderMembers"},
		file:   "verifier/evaluation.go",
		old:    "if d.algorithm = d.policy.algorithms[alg]; d.algorithm == nil {",
		new: `for name, a := range d.policy.algorithms {
		if jose.SameMediaType(name, alg) { // without case
			d.algorithm = a
		}
	}
	if d.algorithm == nil {`,
	},
	{
		points: []string{"8725 3.2 a"},
		tests:  []string{"verifier.TestRSAKeySizes"},
		file:   "internal/jose/signatures.go",
		old:    "bits >= MinRSABits && ",
		new:    "",
	},
	{
		points: []string{"8725 3.2 a"},
		tests:  []string{"verifier.TestSaltLength"},
		file:   "internal/jose/signatures.go",
		old:    "signature, saltLengthEqualsHash) == nil",
		new:    "signature, nil) == nil",
	},
	{
		points: []string{"8725 3.2 b", "9068 signature"},
		tests:  []string{"verifier.TestHeaderMembers"},
		file:   "verifier/evaluation.go",
		old:    `switch s {`,
		new: `if (s == stepAlgorithm || s == stepSignature) && d.work.jws.Alg == "none" {
		return nil
	}
	switch s {`,
	},
	{
		points: []string{"8725 3.2 b"},
		tests:  []string{"verifier.TestNew"},
		file:   "verifier/policy.go",
		old: `case name == "none":
			return nil, errors.New("algorithm none is never accepted")`,
		new: `case name == "none":`,
	},
	{
		points: []string{"8725 3.2 e"},
		tests:  []string{"verifier.TestTwoNamesOfEd25519"},
		file:   "jwkscache/jwk.go",
		old:    `alg == "" || fitting[0].KeyType == "OKP"`,
		new:    `alg == ""`,
	},
	{
		points: []string{"8725 3.3 a", "9068 signature"},
		tests:  []string{"verifier.TestDefaultAlgorithms"},
		file:   "internal/jose/candidates.go",
		old:    "good := a.Verify(k, c.Signed, c.Signature)",
		new:    "good := true",
	},
	{
		points: []string{"8725 3.3 a"},
		tests:  []string{"verifier.TestClaimsAreTheSignedBytes"},
		file:   "internal/jose/compact.go",
		old:    "c.Raw, c.Payload = c.Text[:len(raw)], c.Text[ends[0]:]",
		new:    `c.Raw, c.Payload = c.Text[:len(raw)], strings.ReplaceAll(c.Text[ends[0]:], "\t", " ")`,
	},
	{
		points: []string{"8725 3.3 b"},
		tests:  []string{"verifier.TestHeaderMembers"},
		file:   "verifier/evaluation.go",
		old: `	case jose.SameMediaType(c.Cty, "JWT"):
		return nestedJWT
`,
		new: "",
	},
	{
		points: []string{"8725 3.3 c"},
		tests:  []string{"verifier.TestSegments"},
		file:   "internal/jose/compact.go",
		old:    `body, sig, ok := strings.Cut(rest, ".")`,
		new: `body, sig, ok := strings.Cut(rest, ".")
	if ok {
		sig, _, _ = strings.Cut(sig, ".")
		raw = head + "." + body + "." + sig
	}`,
	},
	{
		points: []string{"8725 3.3 c"},
		tests:  []string{"verifier.TestSegments"},
		file:   "internal/jose/compact.go",
		old:    "if len(segment) == 0 {",
		new:    "if len(segment) == 0 && i < 2 {",
	},
	{
		points: []string{"8725 3.4"},
		tests:  []string{"jose.TestCheckKey"},
		file:   "internal/jose/key.go",
		old:    "if _, err := k.ECDH(); err != nil {",
		new:    "if _, err := k.ECDH(); err != nil && false {",
	},
	{
		points: []string{"8725 3.4"},
		tests:  []string{"jose.TestSmallOrder"},
		file:   "internal/jose/signatures.go",
		old:    "!hasSmallOrder(k) && ",
		new:    "",
	},
	{
		points: []string{"8725 3.4"},
		tests:  []string{"jose.TestSmallOrder", "jose.TestEd25519Points"},
		file:   "internal/jose/ed25519.go",
		old:    `if len(key) != ed25519.PublicKeySize {`,
		new: `if len(key) != 0 {
		return nil
	}
	if len(key) != ed25519.PublicKeySize {`,
	},
	{
		points: []string{"8725 3.4"},
		tests:  []string{"verifier.TestECDSA"},
		file:   "internal/jose/signatures.go",
		old: `if len(signature) != 2*a.KeySize {
		return false
	}`,
		new: `if len(signature) != 2*a.KeySize {
		return ecdsa.VerifyASN1(k, a.digest(signed, new(digestBuffer)), signature)
	}`,
	},
	{
		points: []string{"8725 3.5"},
		tests:  []string{"verifier.TestSharedSecret"},
		file:   "verifier/policy.go",
		old:    "slices.ContainsFunc(secrets, func(s []byte) bool { return len(s) >= a.MinSecret })",
		new:    "true",
	},
	{
		points: []string{"8725 3.7"},
		tests:  []string{"verifier.TestStrictJSON"},
		file:   "internal/jose/reader.go",
		old:    "if !utf8.Valid(text) {",
		new:    "if false {",
	},
}
