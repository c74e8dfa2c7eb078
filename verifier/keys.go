package verifier

import (
	"context"
	"crypto"
	"slices"
	"time"

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

	// A clocked is spared a reading of the clock, which is a good part of what a
	// remembered token costs.
	clocked interface {
		LookupAt(ctx context.Context, now time.Time, kid, alg string) ([]crypto.PublicKey, error)
	}
)

// candidatesAtMost bounds what one token may cost in public-key operations.
const candidatesAtMost = 4

func (t *trust) lookup(ctx context.Context, now time.Time, kid, alg string) ([]crypto.PublicKey, error) {
	if k, ok := t.keys.(clocked); ok {
		return k.LookupAt(ctx, now, kid, alg)
	}
	return t.keys.Lookup(ctx, kid, alg)
}

// verifySignature returns the key of the issuer that fits c's signature.
func (t *trust) verifySignature(ctx context.Context, now time.Time, c *compact, alg *signature.Algorithm) (crypto.PublicKey, *Error) {
	keys, err := t.lookup(ctx, now, c.header.kid, alg.Name)
	if err != nil {
		return nil, &Error{Reason: ErrUnavailable, Err: err}
	}
	key, refused := tryKeys(keys, c, alg)
	if key != nil || refused != nil {
		return key, refused
	}
	if again, ok := t.keys.(relooker); ok && len(keys) > 0 {
		newer, err := again.LookupAgain(ctx, c.header.kid, alg.Name, keys)
		if err != nil {
			return nil, &Error{Reason: ErrUnavailable, Err: err}
		}
		if key, refused = tryKeys(newer, c, alg); key != nil || refused != nil {
			return key, refused
		}
	}
	if len(keys) == 0 {
		return nil, refusal(ErrSignature, "the issuer has no key with kid %s for %s", quote(c.header.kid), alg.Name)
	}
	return nil, refusal(ErrSignature, "kid %s, %s", quote(c.header.kid), alg.Name)
}

// tryKeys returns the key that fits, nil if none does.
func tryKeys(keys []crypto.PublicKey, c *compact, alg *signature.Algorithm) (crypto.PublicKey, *Error) {
	if len(keys) > candidatesAtMost {
		return nil, refusal(ErrSignature, "%d keys could be meant, %d at most are tried", len(keys), candidatesAtMost)
	}
	for _, k := range keys {
		if alg.Verify(k, c.signed, c.signature) {
			return k, nil
		}
	}
	return nil, nil
}

// A secretKeys is the KeySource of [Config.SharedSecret].
type secretKeys []crypto.PublicKey

func newSecretKeys(secret []byte) secretKeys {
	return secretKeys{signature.Secret(slices.Clone(secret))}
}

func (s secretKeys) Lookup(context.Context, string, string) ([]crypto.PublicKey, error) {
	return s, nil
}
