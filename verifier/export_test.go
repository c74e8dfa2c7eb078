package verifier

// ReadObject returns what the strict reader takes text for: names in their
// order, and raw values.
func ReadObject(text []byte) (names []string, values [][]byte, err error) {
	o, err := readObject(text)
	for _, m := range o {
		names, values = append(names, m.name), append(values, m.value)
	}
	return names, values, err
}
