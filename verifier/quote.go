package verifier

import "github.com/seed-12ed5b1c/jwtguard/internal/ascii"

// maxQuoted is how many bytes of unverified text an operator's error contains.
const maxQuoted = ascii.MaxQuoted

// quote is [ascii.Quote].
func quote(s string) string { return ascii.Quote(s) }
