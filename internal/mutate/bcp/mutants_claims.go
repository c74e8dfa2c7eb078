package main

// claimsMutants break the points of RFC 8725 on claims (§3.8 to §3.14), and those of RFC 9700 and
// RFC 9068.
var claimsMutants = []mutant{
	{
		points: []string{"8725 3.8 a", "9068 iss"},
		tests:  []string{"verifier.TestClaims"},
		file:   "verifier/evaluation.go",
		old: `case d.api.tenants == nil:
		return d.api.wrongIssuer(iss)`,
		new: `case d.api.tenants == nil:
		for _, d.policy = range d.api.policies {
		}
		return nil`,
	},
	{
		points: []string{"8725 3.8 a", "9068 keys"},
		tests:  []string{"verifier.TestSameKIDElsewhere"},
		file:   "verifier/keys.go",
		old:    `keys, err := p.keys.Lookup(ctx, q)`,
		new: `var keys []crypto.PublicKey
	var err error
	for _, other := range p.api.policies {
		more, failed := other.keys.Lookup(ctx, q)
		keys, err = append(keys, more...), errors.Join(err, failed)
	}`,
	},
	{
		points: []string{"8725 3.8 a", "9068 iss"},
		tests:  []string{"jwkscache.TestIssuerMatch"},
		file:   "jwkscache/metadata.go",
		old:    "case m.Issuer != issuer:",
		new:    "case false:",
	},
	{
		points: []string{"8725 3.8 b"},
		tests:  []string{"verifier.TestCheckAnswers", "verifier.TestRules"},
		file:   "verifier/rule.go",
		old:    "if err := r.check(ctx, t); err != nil {",
		new:    "if err := r.check(ctx, t); err != nil && false {",
	},
	{
		points: []string{"8725 3.8 b", "9700 4.15"},
		tests:  []string{"verifier.TestClientCredentials"},
		file:   "verifier/clientcredentials.go",
		old:    "case t.subject == id:",
		new:    `case t.subject != "":`,
	},
	{
		points: []string{"9700 4.15"},
		tests:  []string{"verifier.TestClientCredentials"},
		file:   "verifier/clientcredentials.go",
		old:    "return auth0ClientCredentials.check(ctx, t)",
		new:    "return nil",
	},
	{
		points: []string{"8725 3.9 a", "9700 2.3 a", "9068 aud"},
		tests:  []string{"verifier.TestClaims"},
		file:   "verifier/evaluation.go",
		old:    "if !d.policy.accepts(c.audience) {",
		new:    "if !d.policy.accepts(c.audience) && false {",
	},
	{
		points: []string{"8725 3.9 a", "9068 aud"},
		tests:  []string{"verifier.TestClaims"},
		file:   "verifier/evaluation.go",
		old:    "if !d.policy.accepts(c.audience) {",
		new:    "if len(c.audience) > 0 && !d.policy.accepts(c.audience) {",
	},
	{
		points: []string{"8725 3.9 b"},
		tests:  []string{"verifier.TestNew"},
		file:   "verifier/policy.go",
		old:    "case len(cfg.Audiences) == 0 && !cfg.AnyAudience:",
		new:    "case false:",
	},
	{
		points: []string{"8725 3.9 b"},
		tests:  []string{"verifier.TestNew"},
		file:   "verifier/policy.go",
		old:    "case cfg.AnyAudience && len(cfg.Rules)+len(cfg.fixedRules) == 0:",
		new:    "case false:",
	},
	{
		points: []string{"8725 3.10 b", "9068 keys"},
		tests:  []string{"verifier.TestKeysInTheHeader"},
		file:   "verifier/keys.go",
		old:    `keys, err := p.keys.Lookup(ctx, q)`,
		new: `keys, err := p.keys.Lookup(ctx, q)
	head, _ := jose.AppendDecode(nil, []byte(c.Raw[:func() (i int) { for c.Raw[i] != '.' { i++ }; return i }()]))
	_, o, _ := jose.ReadObject(head, nil, new(jose.Buffer))
	if own, err := jwkscache.Static([]byte("{\"keys\":[" + o.Value("jwk") + "]}")); err == nil {
		keys, _ = own.Lookup(ctx, q)
	}`,
	},
	{
		points: []string{"8725 3.10 b", "9068 keys"},
		tests:  []string{"verifier.TestKeysInTheHeader"},
		file:   "verifier/keys.go",
		old:    `keys, err := p.keys.Lookup(ctx, q)`,
		new: `keys, err := p.keys.Lookup(ctx, q)
	head, _ := jose.AppendDecode(nil, []byte(c.Raw[:func() (i int) { for c.Raw[i] != '.' { i++ }; return i }()]))
	_, o, _ := jose.ReadObject(head, nil, new(jose.Buffer))
	if jku, _ := o.String("jku"); jku != "" {
		theirs, _ := jwkscache.ForURL(jku, jwkscache.Config{AllowHTTP: true})
		defer theirs.Close()
		keys, _ = theirs.Lookup(ctx, q)
	}`,
	},
	{
		points: []string{"8725 3.11 a"},
		tests:  []string{"verifier.TestHeaderType"},
		file:   "verifier/tokentype.go",
		old:    "if !slices.ContainsFunc(p.types, accepted) {",
		new:    "if !slices.ContainsFunc(p.types, accepted) && false {",
	},
	{
		points: []string{"8725 3.11 a", "9068 typ"},
		tests:  []string{"verifier.TestHeaderType"},
		file:   "verifier/policy.go",
		old:    `p.types = []string{"at+jwt"}`,
		new:    `p.types = []string{"at+jwt", "JWT", ""}`,
	},
	{
		points: []string{"8725 3.11 b"},
		tests:  []string{"verifier.TestHeaderType"},
		file:   "internal/jose/compact.go",
		old:    "return t[len(prefix):]",
		new:    "return t",
	},
	{
		points: []string{"8725 3.12"},
		tests:  []string{"verifier.TestOtherKinds"},
		file:   "verifier/tokentype.go",
		old:    `[]string{"events", "at_hash", "c_hash"}`,
		new:    `[]string{"at_hash", "c_hash"}`,
	},
	{
		points: []string{"8725 3.12"},
		tests:  []string{"verifier.TestOtherKinds"},
		file:   "verifier/tokentype.go",
		old:    `[]string{"ID", "Refresh", "Offline", "Logout"}`,
		new:    `[]string{"ID", "Offline", "Logout"}`,
	},
	{
		points: []string{"8725 3.12"},
		tests:  []string{"verifier.TestOtherKinds"},
		file:   "verifier/tokentype.go",
		old:    `if members.Value("nonce") != "" && !typ("Bearer") && !p.grantsAny(members) {`,
		new:    "if false {",
	},
	{
		points: []string{"8725 3.12"},
		tests:  []string{"verifier.TestOtherKinds"},
		file:   "verifier/tokentype.go",
		old:    `err != nil || use != "access"`,
		new:    `err != nil || use == ""`,
	},
	{
		points: []string{"8725 3.14"},
		tests:  []string{"verifier.TestBase64", "jose.TestAppendDecode"},
		file:   "internal/jose/base64.go",
		old:    "err == nil && base64url.EncodedLen(len(b)-start) == len(encoded)",
		new:    "err == nil && start >= 0",
	},
	{
		points: []string{"8725 3.14"},
		tests:  []string{"verifier.TestBase64", "jose.TestAppendDecode"},
		file:   "internal/jose/base64.go",
		old:    "base64url.AppendDecode(b, encoded)",
		new:    "base64.RawURLEncoding.AppendDecode(b, encoded)",
	},
	{
		points: []string{"8725 3.14"},
		tests:  []string{"verifier.TestSegments"},
		file:   "internal/jose/compact.go",
		old:    `head, rest, _ := strings.Cut(raw, ".")`,
		new: `if raw[:min(len(raw), 1)] == "{" { // the flattened JSON serialization
		part := func(name string) string {
			_, value, _ := strings.Cut(raw, "\""+name+"\":\"")
			value, _, _ = strings.Cut(value, "\"")
			return value
		}
		raw = part("protected") + "." + part("payload") + "." + part("signature")
	}
	head, rest, _ := strings.Cut(raw, ".")`,
	},
	{
		points: []string{"9700 2.2.1", "9449 7.2"},
		tests:  []string{"verifier.TestExtensions"},
		file:   "verifier/claims.go",
		old:    `c.bound = members.Has("cnf")`,
		new:    "c.bound = false",
	},
	{
		points: []string{"9700 2.3 a", "9700 2.3 b"},
		tests:  []string{"verifier.TestRulesOfRememberedTokens"},
		file:   "verifier/decide.go",
		old:    "if g.proof, err = v.admit(c.ctx, c.request, scheme, t, rules); err == nil {",
		new:    "if g.proof, err = v.admit(c.ctx, c.request, scheme, t, nil); err == nil {",
	},
	{
		points: []string{"9700 2.3 a"},
		tests:  []string{"verifier.TestRules"},
		file:   "verifier/rules.go",
		old:    "slices.Contains(t.audience, a) && t.policy.hasAudience(a)",
		new:    "t.policy.hasAudience(a)",
	},
	{
		points: []string{"9700 2.3 b", "9068 authorization"},
		tests:  []string{"verifier.TestRules"},
		file:   "verifier/rules.go",
		old:    `if !t.HasScope(s) {`,
		new:    `if !t.HasScope(s) && false {`,
	},
	{
		points: []string{"9068 authorization"},
		tests:  []string{"verifier.TestRules"},
		file:   "verifier/rules.go",
		old:    "if found == len(r.values) || r.any && found > 0 {",
		new:    "if found >= 0 {",
	},
	{
		points: []string{"9700 4.3.2"},
		tests:  []string{"verifier.TestTokensElsewhere"},
		file:   "verifier/credential.go",
		old: `switch {
	case !found && len(fields) == 1:`,
		new: `if !found {
		raw = r.FormValue("access_token")
		found = raw != ""
	}
	switch {
	case !found && len(fields) == 1:`,
	},
	{
		points: []string{"9700 4.9.3"},
		tests:  []string{"verifier.TestTokenInLogs"},
		file:   "verifier/token.go",
		old:    `return fmt.Sprintf("Token(iss=%q`,
		new:    `return (&t).source().raw + fmt.Sprintf("Token(iss=%q`,
	},
	{
		points: []string{"9700 4.9.3"},
		tests:  []string{"verifier.TestUnverifiedText"},
		file:   "internal/ascii/ascii.go",
		old:    "cut := min(len(s), MaxQuoted-len(`\"\"`))",
		new: `cut := len(s)
	if cut >= 0 {
		return strconv.Quote(s)
	}`,
	},
	{
		points: []string{"9068 exp"},
		tests:  []string{"verifier.TestLeeway", "verifier.TestClaims"},
		file:   "verifier/claims.go",
		old:    "case c.isExpired(now, leeway):",
		new:    "case c.isExpired(now, leeway) && false:",
	},
	{
		points: []string{"9068 exp"},
		tests:  []string{"verifier.TestLeeway"},
		file:   "verifier/claims.go",
		old:    "return !now.Before(c.expiresAt.Add(leeway))",
		new:    "return now.After(c.expiresAt.Add(leeway))",
	},
	{
		points: []string{"9068 errors"},
		tests:  []string{"verifier.TestAnswers", "adapters.TestNetHTTP", "adapters.TestEcho", "adapters.TestGin"},
		file:   "verifier/response.go",
		old:    "s += `, error=\"` + k.code + `\", error_description=\"` + k.description + `\"`",
		new:    "s += `, error_description=\"` + k.description + `\"`",
	},
}
