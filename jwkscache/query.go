package jwkscache

import (
	"crypto"
	"time"
)

// A Query asks for the keys that may verify one token's signature. All fields but
// Algorithm may be zero.
type Query struct {
	KeyID   string // the header's kid (RFC 7515 §4.1.4)
	X5T     string // the header's x5t (§4.1.7), used where no key has KeyID
	X5TS256 string // the header's x5t#S256 (§4.1.8), likewise, and before X5T

	// Algorithm is the header's alg, a name from RFC 7518 §3.1, RFC 8037 §3.1
	// or RFC 9864 §2.2.
	Algorithm string

	// Tried are the keys that an earlier Lookup for the same token returned, if its
	// signature fits none of them. Lookup then returns newer keys or none.
	Tried []crypto.PublicKey

	// Now is what time.Now has just returned, for a caller that has read the
	// clock already. The zero time means that Lookup reads it.
	Now time.Time
}
