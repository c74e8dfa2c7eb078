package verifier

// ParseCompact returns what the compact parser takes raw apart into.
func ParseCompact(raw string) (alg, kid, signed string, payload, signature []byte, err error) {
	if len(raw) > defaultTokenLength {
		return "", "", "", nil, nil, ErrMalformed
	}
	s := new(scratch)
	c, refused := parse(raw, new(headerCache), s)
	if refused != nil {
		return "", "", "", nil, nil, refused
	}
	return c.header.alg, c.header.kid, string(c.signed), []byte(c.claims.payload), c.signature, nil
}

// ReadObject returns what the strict reader takes text for: names in their
// order, and raw values.
func ReadObject(text []byte) (names []string, values [][]byte, err error) {
	o, err := readObject(string(text), new(scratch))
	for _, m := range o {
		names, values = append(names, m.name), append(values, []byte(m.value))
	}
	return names, values, err
}
