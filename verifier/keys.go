package verifier

import (
	"context"
	"crypto"

	"github.com/seed-12ed5b1c/jwtguard/internal/signature"
)

// A KeySource holds an issuer's public keys. A *jwkscache.Cache is one. It is
// called concurrently.
type KeySource interface {
	// Lookup returns the keys that may verify a signature by alg; kid may be
	// empty. No key is (nil, nil); "cannot tell" is an error, which answers
	// 503. Keys are *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey; the
	// verifier checks type, curve and size again. Lookup is called for every
	// request, so a known key costs no I/O; the result is not modified.
	Lookup(ctx context.Context, kid, alg string) ([]crypto.PublicKey, error)
}

// A KeySource may also have these, as *jwkscache.Cache has.
type (
	readier interface{ Ready(context.Context) error }
	healthy interface{ Health() error }

	// A relooker may know newer keys when none of those tried fits: where
	// tokens or keys go without kid, a rotation shows in no other way.
	relooker interface {
		LookupAgain(ctx context.Context, kid, alg string, tried []crypto.PublicKey) ([]crypto.PublicKey, error)
	}
)

// candidatesAtMost bounds what one token may cost in public-key operations.
const candidatesAtMost = 4

// verifySignature finds a key of the issuer that fits c's signature.
func (t *trust) verifySignature(ctx context.Context, c *compact, alg *signature.Algorithm) *Error {
	keys, err := t.keys.Lookup(ctx, c.header.kid, alg.Name)
	if err != nil {
		return &Error{Reason: ErrUnavailable, Err: err}
	}
	fits, refused := tryKeys(keys, c, alg)
	if fits || refused != nil {
		return refused
	}
	if again, ok := t.keys.(relooker); ok && len(keys) > 0 {
		newer, err := again.LookupAgain(ctx, c.header.kid, alg.Name, keys)
		if err != nil {
			return &Error{Reason: ErrUnavailable, Err: err}
		}
		if fits, refused = tryKeys(newer, c, alg); fits || refused != nil {
			return refused
		}
	}
	if len(keys) == 0 {
		return refusal(ErrSignature, "the issuer has no key with kid %s for %s", quote(c.header.kid), alg.Name)
	}
	return refusal(ErrSignature, "kid %s, %s", quote(c.header.kid), alg.Name)
}

func tryKeys(keys []crypto.PublicKey, c *compact, alg *signature.Algorithm) (fits bool, refused *Error) {
	if len(keys) > candidatesAtMost {
		return false, refusal(ErrSignature, "%d keys could be meant, %d at most are tried", len(keys), candidatesAtMost)
	}
	for _, k := range keys {
		if alg.Verify(k, c.signed, c.signature) {
			return true, nil
		}
	}
	return false, nil
}

// A sharedSecret is the KeySource of [Config.SharedSecret].
type sharedSecret signature.Secret

func (s sharedSecret) Lookup(context.Context, string, string) ([]crypto.PublicKey, error) {
	return []crypto.PublicKey{signature.Secret(s)}, nil
}
