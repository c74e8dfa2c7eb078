package peers

import (
	"context"
	"log/slog"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Jwtguard is this library, as it comes.
var Jwtguard = Library{"jwtguard", openJwtguard(0)}

// JwtguardNoCache is this library without its memory for verified tokens.
var JwtguardNoCache = Library{"jwtguard, no token cache", openJwtguard(-1)}

func openJwtguard(tokens int) func(context.Context, Trust) (Verify, error) {
	return func(ctx context.Context, t Trust) (Verify, error) {
		keys, err := Keys(ctx, t)
		if err != nil {
			return nil, err
		}
		v, err := Verifier(t, keys, tokens)
		if err != nil {
			return nil, err
		}
		return func(raw string) error {
			_, err := v.Verify(ctx, raw)
			return err
		}, nil
	}
}

// Keys returns jwtguard's key cache, loaded. It is closed with ctx.
func Keys(ctx context.Context, t Trust) (*jwkscache.Cache, error) {
	keys, err := jwkscache.ForURL(t.JWKS, jwkscache.Config{Refresh: t.Refresh, Logger: quiet})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = keys.Close() })
	return keys, keys.Ready(ctx)
}

// Verifier returns a verifier with these keys and this Config.TokenCache.
func Verifier(t Trust, keys verifier.KeySource, tokens int) (*verifier.Verifier, error) {
	return verifier.New(verifier.Config{
		Issuer:     authority.Issuer,
		Audiences:  []string{authority.Audience},
		Algorithms: []string{t.Alg},
		Keys:       keys,
		TokenCache: tokens,
		Logger:     quiet,
	})
}

// quiet keeps the faults of the races out of the tables.
var quiet = slog.New(slog.DiscardHandler)
