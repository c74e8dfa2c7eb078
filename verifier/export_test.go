package verifier

import "crypto"

// Secret is an HMAC key.
type Secret = secret

// VerifySignature lets tests check published signatures over texts that are no
// tokens.
func VerifySignature(alg string, key crypto.PublicKey, signed string, signature []byte) bool {
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
