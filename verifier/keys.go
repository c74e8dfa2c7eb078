package verifier

import (
	"context"
	"crypto"
	"slices"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// A KeySource holds an issuer's public keys. A *jwkscache.Cache is one. It is
// called concurrently.
type KeySource interface {
	// Lookup returns the keys that may verify the signature of the token that q
	// describes. No key is (nil, nil); "cannot tell" is an error, which answers
	// 503. Keys are *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey; the
	// verifier checks type, curve and size again. Lookup is called for every
	// request, so it must do no I/O for a known key. The verifier does not modify
	// the result.
	//
	// If the signature fits none of the keys, Lookup is called once more with
	// those in q.Tried. A source that can look for newer keys then does, and any
	// other returns none. A wrapper that passes q on keeps what the wrapped
	// source can do.
	Lookup(ctx context.Context, q jwkscache.Query) ([]crypto.PublicKey, error)
}

// ManagedKeys is a KeySource that is filled and refreshed, as a
// *jwkscache.Cache is. [Verifier.Ready] and [Verifier.Health] reach it; any
// other KeySource counts as always ready. A wrapper that embeds a
// *jwkscache.Cache has all of these methods.
type ManagedKeys interface {
	KeySource
	Ready(ctx context.Context) error   // waits for keys
	Health() error                     // reports at once why there are none to use
	Refresh(ctx context.Context) error // looks for newer keys now
	Stats() jwkscache.Stats
}

// candidatesAtMost bounds what one token may cost in public-key operations.
const candidatesAtMost = 4

// query returns what to ask the issuer's keys for a token with header h.
func (h *header) query(now time.Time) jwkscache.Query {
	return jwkscache.Query{KeyID: h.kid, X5T: h.x5t, X5TS256: h.x5tS256, Algorithm: h.alg, Now: now}
}

// keyName returns what a token with header h names its key by.
func (h *header) keyName() string {
	switch {
	case h.kid == "" && h.x5tS256 != "":
		return "x5t#S256 " + quote(h.x5tS256)
	case h.kid == "" && h.x5t != "":
		return "x5t " + quote(h.x5t)
	}
	return "kid " + quote(h.kid)
}

// verifySignature returns the key of the issuer that fits c's signature.
func (t *trust) verifySignature(ctx context.Context, now time.Time, c *compact, alg *jose.Algorithm) (crypto.PublicKey, *Error) {
	q := c.header.query(now)
	keys, err := t.keys.Lookup(ctx, q)
	if err != nil {
		return nil, unavailable(err)
	}
	key, refused := tryKeys(keys, nil, c, alg)
	if key != nil || refused != nil {
		return key, refused
	}
	if len(keys) == 0 {
		return nil, noKey(c.header)
	}
	q.Tried = keys
	newer, err := t.keys.Lookup(ctx, q)
	if err != nil {
		return nil, unavailable(err)
	}
	if key, refused = tryKeys(newer, keys, c, alg); key != nil || refused != nil {
		return key, refused
	}
	return nil, refusal(ErrSignature, "no key with %s verifies the %s signature", c.header.keyName(), alg.Name)
}

// unavailable is for a KeySource that cannot tell.
func unavailable(err error) *Error {
	return &Error{Reason: ErrUnavailable, Err: err, logs: true}
}

// noKey is for a token whose issuer has no key that could verify it.
func noKey(h *header) *Error {
	return refusal(ErrSignature, "the issuer has no key with %s for %s", h.keyName(), h.alg)
}

// tryKeys returns the key that fits, nil if none does. Keys that were tried
// already are passed over.
func tryKeys(keys, tried []crypto.PublicKey, c *compact, alg *jose.Algorithm) (crypto.PublicKey, *Error) {
	if len(keys) > candidatesAtMost {
		return nil, refusal(ErrSignature, "%d keys could be meant, %d at most are tried", len(keys), candidatesAtMost)
	}
	for _, k := range keys {
		if contains(tried, k) {
			continue
		}
		if alg.Verify(k, c.signed, c.signature) {
			return k, nil
		}
	}
	return nil, nil
}

// contains reports whether keys has k.
func contains(keys []crypto.PublicKey, k crypto.PublicKey) bool {
	return slices.ContainsFunc(keys, func(other crypto.PublicKey) bool { return jose.Equal(k, other) })
}

// A secretKeys is the KeySource of [Config.SharedSecrets]: those long enough,
// by algorithm.
type secretKeys map[string][]crypto.PublicKey

func newSecretKeys(secrets [][]byte) secretKeys {
	keys := make(secretKeys)
	for _, a := range jose.Algorithms() {
		name := a.Name
		for _, secret := range secrets {
			if a.MinSecret > 0 && len(secret) >= a.MinSecret {
				keys[name] = append(keys[name], jose.NewSecret(secret))
			}
		}
	}
	return keys
}

func (s secretKeys) Lookup(_ context.Context, q jwkscache.Query) ([]crypto.PublicKey, error) {
	if q.Tried != nil {
		return nil, nil
	}
	return s[q.Algorithm], nil
}

// discoverKeys makes the default KeySource. It logs where the verifier does.
func discoverKeys(cfg *Config) (*jwkscache.Cache, error) {
	jwks := cfg.JWKS
	if jwks.Logger == nil {
		jwks.Logger = cfg.Logger
	}
	return jwkscache.ForIssuer(cfg.Issuer, jwks)
}
