package main

// bindingMutants break the points of RFC 9449 on nonces, times, schemes and replays, and those of RFC
// 8705.
var bindingMutants = []mutant{
	{
		points: []string{"9449 4.3 10"},
		tests:  []string{"dpop.TestNonces"},
		file:   "verifier/dpop/nonce.go",
		old:    "s := n.at(now)\n",
		new: `if nonce == "" {
		return now.Add(n.slot), "", nil
	}
	s := n.at(now)
`,
	},
	{
		points: []string{"9449 4.3 10"},
		tests:  []string{"dpop.TestNonces", "dpop.TestNonceSecrets"},
		file:   "verifier/dpop/nonce.go",
		old:    "hmac.New(sha256.New, secret)",
		new:    "hmac.New(sha256.New, nil)",
	},
	{
		points: []string{"9449 4.3 10", "9449 4.3 11"},
		tests:  []string{"dpop.TestNonces"},
		file:   "verifier/dpop/nonce.go",
		old:    "if hmac.Equal([]byte(nonce), []byte(s.before[i])) {",
		new:    "if hmac.Equal([]byte(nonce), []byte(s.before[i])) || nonce == nonceOf(n.secrets[i], n.slot, s.slot-2) {",
	},
	{
		points: []string{"9449 4.3 10"},
		tests:  []string{"dpop.TestNonceSecrets"},
		file:   "verifier/dpop/nonce.go",
		old:    "for i := range n.secrets {",
		new:    "for i := range n.secrets[:1] {",
	},
	{
		points: []string{"9449 8.2"},
		tests:  []string{"dpop.TestNonces"},
		file:   "verifier/dpop/nonce.go",
		old:    "return end(s.slot), s.given, nil",
		new:    "return end(s.slot), \"\", nil",
	},
	{
		points: []string{"9449 9"},
		tests:  []string{"dpop.TestNonces", "adapters.TestNetHTTP", "adapters.TestEcho", "adapters.TestGin"},
		file:   "verifier/dpop/dpop.go",
		old:    "if b.nonces != nil {\n\t\tresult.ChallengeHeader",
		new:    "if b.nonces == nil {\n\t\tresult.ChallengeHeader",
	},
	{
		points: []string{"9449 4.3 11"},
		tests:  []string{"dpop.TestBadProofs"},
		file:   "verifier/dpop/proof.go",
		old:    "case age > window+skew:",
		new:    "case age > window+2*skew:",
	},
	{
		points: []string{"9449 4.3 11"},
		tests:  []string{"dpop.TestBadProofs"},
		file:   "verifier/dpop/proof.go",
		old:    "case age < -skew:",
		new:    "case age < -window:",
	},
	{
		points: []string{"9449 4.3 12 a"},
		tests:  []string{"dpop.TestBadProofs"},
		file:   "verifier/dpop/dpop.go",
		old:    "if p.ath != athOf(t.Raw()) {",
		new:    "if p.ath != \"\" && p.ath != athOf(t.Raw()) {",
	},
	{
		points: []string{"9449 4.3 12 a"},
		tests:  []string{"dpop.TestBadProofs"},
		file:   "verifier/dpop/dpop.go",
		old:    "if p.ath != athOf(t.Raw()) {",
		new:    "if len(p.ath) != len(athOf(t.Raw())) {",
	},
	{
		points: []string{"9449 4.3 12 b"},
		tests:  []string{"dpop.TestBadProofs"},
		file:   "verifier/dpop/dpop.go",
		old:    "if p.jwk.thumbprint() != jkt {",
		new:    "if p.jwk.thumbprint() != jkt && false {",
	},
	{
		points: []string{"9449 4.3 12 b"},
		tests:  []string{"dpop.TestBadProofs"},
		file:   "verifier/dpop/dpop.go",
		old:    "if p.jwk.thumbprint() != jkt {",
		new: `if key, err := p.jwk.public(p.algorithm); err != nil || !p.algorithm.Verify(key, p.compact.Signed, p.compact.Signature) {
		return c, refused(errSignature)
	}
	if p.jwk.thumbprint() != jkt {`,
	},
	{
		points: []string{"9449 7.1"},
		tests:  []string{"dpop.TestBadProofs", "verifier.TestExtensions"},
		file:   "verifier/binding.go",
		old:    "if sent != required {",
		new:    "if sent != required && false {",
	},
	{
		points: []string{"9449 7.1", "9700 2.2.1"},
		tests:  []string{"dpop.TestChallenges"},
		file:   "verifier/bound.go",
		old:    "if t.bound {\n\t\treturn nil\n\t}\n\treturn refusal(ErrBinding, \"the token is not bound; the rule",
		new:    "if t != nil {\n\t\treturn nil\n\t}\n\treturn refusal(ErrBinding, \"the token is not bound; the rule",
	},
	{
		points: []string{"9449 7.2"},
		tests:  []string{"verifier.TestTwoBindings", "mtls.TestBothBindings"},
		file:   "verifier/binding.go",
		old:    "if value == \"\" {\n\t\t\tcontinue",
		new:    "if value == \"\" || all != nil {\n\t\t\tcontinue",
	},
	{
		points: []string{"9449 11.1 a"},
		tests:  []string{"dpop.TestSlowRules"},
		file:   "verifier/dpop/replay.go",
		old:    "found || until <= s.forgotten {",
		new:    "found {",
	},
	{
		points: []string{"9449 11.1 a"},
		tests:  []string{"dpop.TestReplay"},
		file:   "verifier/dpop/replay.go",
		old:    "found || until <= s.forgotten {",
		new:    "found && false || until <= s.forgotten {",
	},
	{
		points: []string{"9449 11.1 a"},
		tests:  []string{"dpop.TestReplay"},
		file:   "verifier/dpop/replay.go",
		old:    "if len(s.proofs) >= s.max ||",
		new:    "s.mu.Unlock()\n\ttime.Sleep(time.Microsecond)\n\ts.mu.Lock()\n\tif len(s.proofs) >= s.max ||",
	},
	{
		points: []string{"9449 11.1 a"},
		tests:  []string{"dpop.TestUntil"},
		file:   "verifier/dpop/dpop.go",
		old:    "return p.iat.Add(b.window + b.skew), \"\", nil",
		new:    "return p.iat.Add(b.window), \"\", nil",
	},
	{
		points: []string{"9449 11.1 a"},
		tests:  []string{"dpop.TestNonces"},
		file:   "verifier/dpop/nonce.go",
		old:    "return end(s.slot + 1), \"\", nil",
		new:    "return end(s.slot), \"\", nil",
	},
	{
		points: []string{"9449 11.1 a"},
		tests:  []string{"dpop.TestReplay"},
		file:   "verifier/dpop/dpop.go",
		old:    "proof: proofHash(jkt, p.jti)",
		new:    "proof: proofHash(jkt, p.jti+p.htu)",
	},
	{
		points: []string{"9449 11.1 a"},
		tests:  []string{"dpop.TestReplay"},
		file:   "verifier/dpop/dpop.go",
		old:    "proof: proofHash(jkt, p.jti)",
		new:    "proof: proofHash(\"\", p.jti)",
	},
	{
		points: []string{"9449 11.1 b"},
		tests:  []string{"dpop.TestReplay"},
		file:   "verifier/dpop/dpop.go",
		old:    "if b.replays == nil {",
		new:    "if b.replays == nil || cfg.Replays != nil {",
	},
	{
		points: []string{"9449 11.1 c"},
		tests:  []string{"dpop.TestChallenges"},
		file:   "verifier/decide.go",
		old:    "if v.api.revocation != nil {\n",
		new: `if err := record(ctx, t, proof.all()); err != nil {
		return nil, err
	}
	for i := range proof.all() {
		proof.confirmed[i].Record = nil
	}
	if v.api.revocation != nil {
`,
	},
	{
		points: []string{"9449 11.1 c"},
		tests:  []string{"dpop.TestNestedGuards"},
		file:   "verifier/binding.go",
		old:    "if c.Proof == proof {",
		new:    "if c.Proof == proof && false {",
	},
	{
		points: []string{"9449 11.1 d"},
		tests:  []string{"dpop.TestFullStore"},
		file:   "verifier/dpop/replay.go",
		old:    "s.stats.Full++\n\t\treturn false, ErrFull",
		new:    "s.stats.Full++\n\t\treturn true, nil",
	},
	{
		points: []string{"9449 11.1 d"},
		tests:  []string{"dpop.TestFullStore"},
		file:   "verifier/dpop/replay.go",
		old:    "|| int(s.clients[e.client]) >= max(s.max/clientShare, 1) {",
		new:    "{",
	},
	{
		points: []string{"9449 11.1 d"},
		tests:  []string{"dpop.TestBrokenStore"},
		file:   "verifier/dpop/dpop.go",
		old:    "case err != nil:\n\t\treturn &verifier.Error{Reason: verifier.ErrUnavailable, Err: err}",
		new:    "case err != nil && !isNew:\n\t\treturn &verifier.Error{Reason: verifier.ErrUnavailable, Err: err}",
	},
	{
		points: []string{"8705 3"},
		tests:  []string{"mtls.TestConnections", "mtls.TestForwarded"},
		file:   "verifier/mtls/mtls.go",
		old:    "if base64.RawURLEncoding.EncodeToString(sum) != thumbprint {",
		new:    "if base64.RawURLEncoding.EncodeToString(sum) != thumbprint && false {",
	},
	{
		points: []string{"8705 3", "9113 9.1.1"},
		tests:  []string{"mtls.TestConnections"},
		file:   "verifier/mtls/mtls.go",
		old:    "sum, err := b.hash(r)\n",
		new:    "if b.source == Connection && len(r.TLS.PeerCertificates) == 0 {\n\t\treturn c, nil\n\t}\n\tsum, err := b.hash(r)\n",
	},
	{
		points: []string{"8705 6.5 a", "9700 4.13"},
		tests:  []string{"mtls.TestForwarded", "mtls.TestStranger"},
		file:   "verifier/mtls/mtls.go",
		old:    "&& !b.trusted.Has(r.RemoteAddr) {",
		new:    "&& false {",
	},
	{
		points: []string{"8705 6.5 a"},
		tests:  []string{"mtls.TestConfigErrors"},
		file:   "verifier/mtls/mtls.go",
		old:    "case cfg.Source != Connection && len(cfg.Trusted) == 0:",
		new:    "case false:",
	},
	{
		points: []string{"8705 6.5 a"},
		tests:  []string{"mtls.TestForwarded"},
		file:   "verifier/mtls/mtls.go",
		old:    "if len(values) > 1 || len(values[0]) > maxField {",
		new:    "if len(values[0]) > maxField {",
	},
	{
		points: []string{"8705 6.5 b"},
		tests:  []string{"mtls.TestForwarded"},
		file:   "verifier/mtls/mtls.go",
		old:    "members, start = nil, i+1",
		new:    "value = value[:i]",
	},
	{
		points: []string{"8705 6.5 b"},
		tests:  []string{"mtls.TestForwarded"},
		file:   "verifier/mtls/mtls.go",
		old:    "hashOfXFCC(values[len(values)-1])",
		new:    "hashOfXFCC(values[0])",
	},
	{
		points: []string{"8705 6.5 b"},
		tests:  []string{"mtls.TestForwarded"},
		file:   "verifier/mtls/mtls.go",
		old:    "case c == '\"':",
		new:    "case c == '\"' && false:",
	},
}
