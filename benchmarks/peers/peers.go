// Package peers sets each library up to do one job: accept a token only if its
// signature fits the key with its kid and the algorithm that is allowed, iss
// and aud are right, exp is there and in the future, and nbf is past.
package peers

import (
	"context"
	"crypto"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
)

// A Trust is what all of them are told.
type Trust struct {
	Alg  string
	JWKS string           // the address of the key set
	Key  crypto.PublicKey // that signs, for those which cannot fetch it

	// Refresh is the interval to refresh the keys at, where a library has such
	// a setting. Zero means the library's own.
	Refresh time.Duration
}

// TrustIn returns what to trust s by.
func TrustIn(s *authority.Signer) Trust {
	return Trust{Alg: s.Alg, JWKS: s.JWKS, Key: s.PublicKey()}
}

// A Verify accepts raw, or says why not.
type Verify func(raw string) error

// A Library is one way to verify tokens.
type Library struct {
	Name string

	// Open fetches the keys. What it starts ends with ctx.
	Open func(ctx context.Context, t Trust) (Verify, error)
}

// Libraries are the peers that verify tokens and keep keys.
var Libraries = []Library{
	{"golang-jwt + keyfunc", openGolangJWT},
	{"go-oidc", openGoOIDC},
	{"jwx v2", openJWX2},
	{"jwx v3", openJWX3},
	{"auth0 validator", openAuth0},
}
