package differential

// otherTokenKinds are tokens of the issuer that are no access tokens, or not
// for whoever holds them.
func otherTokenKinds() []kind {
	var all []kind
	for _, r := range []struct{ name, value string }{
		{"events", `{"http://schemas.openid.net/event/backchannel-logout":{}}`}, {"events", "null"},
		{"at_hash", `"x"`}, {"c_hash", `"x"`},
		{"token_use", `"id"`}, {"token_use", `"access"`}, {"token_use", `7`},
		{"typ", `"ID"`}, {"typ", `"Refresh"`}, {"typ", `"Offline"`}, {"typ", `"Logout"`}, {"typ", `"Bearer"`},
		{"nonce", `"n"`},
		{"cnf", `{"jkt":"x"}`}, {"cnf", `{"x5t#S256":"x"}`}, {"cnf", `{}`}, {"cnf", `null`}, {"cnf", `"none"`},
	} {
		all = append(all, claim(r.name, r.value))
	}
	return append(all,
		drafted("nonce and no scope", func(_ *generator, d *draft) {
			d.claims = d.claims.without("scope").with("nonce", `"n"`)
		}),
		drafted("nonce and roles", func(_ *generator, d *draft) {
			d.claims = d.claims.without("scope").with("nonce", `"n"`).with("roles", `["a"]`)
		}),
		drafted("nested token", func(g *generator, d *draft) {
			inner := g.draft().token()
			d.header = d.header.with("cty", `"JWT"`)
			d.claims = object{{"inner", quoted(inner)}}
		}),
	)
}
