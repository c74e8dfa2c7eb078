package peers

import (
	"context"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jwt"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
)

func openJWX2(ctx context.Context, t Trust) (Verify, error) {
	var tick []jwk.CacheOption
	var interval []jwk.RegisterOption
	if t.Refresh > 0 {
		tick = append(tick, jwk.WithRefreshWindow(t.Refresh))
		interval = append(interval, jwk.WithRefreshInterval(t.Refresh))
	}
	cache := jwk.NewCache(ctx, tick...)
	if err := cache.Register(t.JWKS, interval...); err != nil {
		return nil, err
	}
	if _, err := cache.Refresh(ctx, t.JWKS); err != nil {
		return nil, err
	}
	options := []jwt.ParseOption{
		jwt.WithKeySet(jwk.NewCachedSet(cache, t.JWKS)),
		jwt.WithIssuer(authority.Issuer),
		jwt.WithAudience(authority.Audience),
		jwt.WithRequiredClaim(jwt.ExpirationKey),
	}
	return func(raw string) error {
		_, err := jwt.Parse([]byte(raw), options...)
		return err
	}, nil
}
