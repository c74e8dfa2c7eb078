package differential

// claimKinds give every claim that is read a value of another kind.
func claimKinds() []kind {
	var all []kind
	for _, name := range []string{"iss", "sub", "jti", "client_id", "azp", "scope", "scp"} {
		for _, value := range []string{"7", "true", "{}", `[7]`, `[null]`} {
			all = append(all, wrong(name, value))
		}
	}
	for _, name := range []string{"sub", "jti", "client_id"} {
		all = append(all, wrong(name, `["a"]`))
	}
	for _, value := range []string{"[]", `[["a"]]`, `["a",7]`, `[""]`, `["a b"]`} {
		all = append(all, wrong("scope", value))
	}
	return all
}

// wrong puts value where the claim is looked for first.
func wrong(name, value string) kind {
	return drafted("claim "+name+": "+value, func(_ *generator, d *draft) {
		switch name {
		case "azp":
			d.claims = d.claims.without("client_id")
		case "scp":
			d.claims = d.claims.without("scope")
		}
		d.claims = d.claims.set(name, value)
	})
}
