package verifier

import "strconv"

// maxQuoted is how many bytes of unverified text an operator's error contains: enough
// for an issuer that differs only at its end.
const maxQuoted = 200

// quote makes unverified text safe to log: escaped, and cut to maxQuoted bytes with its
// quotation marks.
func quote(s string) string {
	cut := min(len(s), maxQuoted-len(`""`))
	q := strconv.QuoteToASCII(s[:cut])
	for len(q) > maxQuoted {
		cut = cut * 3 / 4
		q = strconv.QuoteToASCII(s[:cut])
	}
	return q
}
