package verifier

// ParseCompact returns what the compact parser takes raw apart into.
func ParseCompact(raw string) (alg, kid, signed string, payload, signature []byte, err error) {
	c, refused := parse(raw, defaultTokenLength)
	if refused != nil {
		return "", "", "", nil, nil, refused
	}
	return c.header.alg, c.header.kid, c.signed, c.claims.payload, c.signature, nil
}

// ReadObject returns what the strict reader takes text for: names in their
// order, and raw values.
func ReadObject(text []byte) (names []string, values [][]byte, err error) {
	o, err := readObject(text)
	for _, m := range o {
		names, values = append(names, m.name), append(values, m.value)
	}
	return names, values, err
}
