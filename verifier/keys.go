package verifier

import (
	"context"
	"crypto"
	"errors"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// A KeySource holds an issuer's public keys. A *jwkscache.Cache is one. It is
// called concurrently.
type KeySource interface {
	// Lookup returns the keys that may verify the signature of the token that q
	// describes. (nil, nil) means that there is no such key: the response is 401.
	// An error means that this cannot be decided now: the response is 503. Keys
	// are *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey; the verifier
	// checks type, curve and size again. Lookup is called in every request, so it
	// must do no I/O for a known key. The verifier does not modify the result.
	//
	// If the signature fits none of the keys, Lookup is called again with them in
	// q.Tried. A source that can fetch newer keys may do so; any other returns
	// none. A wrapper that passes q on keeps this ability of the wrapped source.
	Lookup(ctx context.Context, q jwkscache.Query) ([]crypto.PublicKey, error)
}

// ManagedKeys is a KeySource that fetches its keys, as a *jwkscache.Cache does.
// [Verifier.Ready], [Verifier.Health], [Verifier.Issuers] and [Verifier.Refresh]
// call it; any other KeySource counts as always ready. A wrapper that embeds a
// *jwkscache.Cache has all of these methods.
type ManagedKeys interface {
	KeySource
	Ready(ctx context.Context) error   // waits for keys
	Health() error                     // why there are no keys to use, without waiting
	Refresh(ctx context.Context) error // fetches newer keys now
	Stats() jwkscache.Stats
}

// queryOf returns the Query for the keys of a token with that header.
func queryOf(h *jose.Header, now time.Time) jwkscache.Query {
	return jwkscache.Query{KeyID: h.Kid, X5T: h.X5T, X5TS256: h.X5TS256, Algorithm: h.Alg, Now: now}
}

// verifySignature returns the issuer's key that verifies the signature of c. If no key
// does, it calls Lookup again with Tried: the source may have newer keys.
func (p *issuerPolicy) verifySignature(ctx context.Context, now time.Time, c *jose.Compact, alg *jose.Algorithm, w *stopwatch) (crypto.PublicKey, *Error) {
	q := queryOf(&c.Header, now)
	keys, err := p.keys.Lookup(ctx, q)
	w.lap(&w.keyLookup)
	if err != nil {
		return nil, keysUnavailable(err)
	}
	key, refused := tryKeys(keys, nil, c, alg, w)
	if key != nil || refused != nil {
		return key, refused
	}
	if len(keys) == 0 {
		return nil, noKey(&q)
	}
	q.Tried = keys
	newer, err := p.keys.Lookup(ctx, q)
	w.lap(&w.keyLookup)
	if err != nil {
		return nil, keysUnavailable(err)
	}
	if key, refused = tryKeys(newer, keys, c, alg, w); key != nil || refused != nil {
		return key, refused
	}
	if _, secret := keys[0].(jose.Secret); secret {
		return nil, refusal(ErrSignature, "none of the SharedSecrets verifies the %s signature", alg.Name)
	}
	return nil, refusal(ErrSignature, "no key with %s verifies the %s signature", keyName(&q), alg.Name)
}

// keysUnavailable returns the refusal for an error of a KeySource.
func keysUnavailable(err error) *Error {
	return &Error{Reason: ErrUnavailable, Err: err, ours: true}
}

// noKey returns the refusal of a token for which the issuer has no key.
func noKey(q *jwkscache.Query) *Error {
	return refusal(ErrSignature, "%w with %s for %s", errNoKey, keyName(q), q.Algorithm)
}

var errNoKey = errors.New("the issuer has no key")

// keyName returns the kid or thumbprint by which a token names its key.
func keyName(q *jwkscache.Query) string {
	switch {
	case q.KeyID == "" && q.X5TS256 != "":
		return "x5t#S256 " + quote(q.X5TS256)
	case q.KeyID == "" && q.X5T != "":
		return "x5t " + quote(q.X5T)
	}
	return "kid " + quote(q.KeyID)
}

// tryKeys returns the key that verifies the signature, nil if none does. Keys
// that were tried already are skipped.
func tryKeys(keys, tried []crypto.PublicKey, c *jose.Compact, alg *jose.Algorithm, w *stopwatch) (crypto.PublicKey, *Error) {
	key, err := alg.FindKey(keys, tried, c)
	if err != nil {
		return nil, refusal(ErrSignature, "%w", err)
	}
	if len(keys) > 0 {
		w.lap(&w.signature)
	}
	return key, nil
}

// secretKeys is the KeySource of [Config.SharedSecrets]. It has for each algorithm the
// secrets that are long enough.
type secretKeys map[string][]crypto.PublicKey

func newSecretKeys(secrets [][]byte) secretKeys {
	keys := make(secretKeys)
	for _, a := range jose.Algorithms() {
		for _, secret := range secrets {
			if a.MinSecret > 0 && len(secret) >= a.MinSecret {
				keys[a.Name] = append(keys[a.Name], jose.NewSecret(secret))
			}
		}
	}
	return keys
}

func (s secretKeys) Lookup(_ context.Context, q jwkscache.Query) ([]crypto.PublicKey, error) {
	return s[q.Algorithm], nil
}

// discoverKeys returns the default KeySource. It has the Logger and the observer of a
// unless the Config has others.
func (a *api) discoverKeys(cfg *Config) (*jwkscache.Cache, error) {
	jwks := cfg.JWKS
	if jwks.Logger == nil {
		jwks.Logger = a.log.logger
	}
	if jwks.Observe == nil {
		jwks.Observe = a.observeKeys
	}
	return jwkscache.ForIssuer(cfg.Issuer, jwks)
}
