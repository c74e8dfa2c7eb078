package verifier

import "strconv"

// maxQuoted is what an operator's error shows of unverified text, in bytes: it
// has room for an issuer whose only difference is at its end.
const maxQuoted = 200

// quote makes unverified text safe to log: escaped, and maxQuoted bytes at most,
// its quotation marks included.
func quote(s string) string {
	cut := min(len(s), maxQuoted-len(`""`))
	q := strconv.QuoteToASCII(s[:cut])
	for len(q) > maxQuoted {
		cut = cut * 3 / 4
		q = strconv.QuoteToASCII(s[:cut])
	}
	return q
}
