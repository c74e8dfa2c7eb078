package verifier

import "crypto"

// VerifySignature lets tests check published signatures over texts that are no
// tokens. A []byte is an HMAC secret.
func VerifySignature(alg string, key crypto.PublicKey, signed string, signature []byte) bool {
	if s, ok := key.([]byte); ok {
		key = secret(s)
	}
	a := algorithms[alg]
	return a != nil && a.verify(a, key, signed, signature)
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
