package peers

import (
	"context"
	"time"

	"github.com/lestrrat-go/httprc/v3"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
)

func openJWX3(ctx context.Context, t Trust) (Verify, error) {
	cache, err := jwk.NewCache(ctx, httprc.NewClient())
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() {
		late, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = cache.Shutdown(late)
	})
	var interval []jwk.RegisterOption
	if t.Refresh > 0 {
		interval = append(interval, jwk.WithHttprcResourceOption(httprc.WithConstantInterval(t.Refresh)),
			jwk.WithHttprcResourceOption(httprc.WithMinInterval(t.Refresh)))
	}
	if err := cache.Register(ctx, t.JWKS, interval...); err != nil {
		return nil, err
	}
	set, err := cache.CachedSet(t.JWKS)
	if err != nil {
		return nil, err
	}
	options := []jwt.ParseOption{
		jwt.WithKeySet(set),
		jwt.WithIssuer(authority.Issuer),
		jwt.WithAudience(authority.Audience),
		jwt.WithRequiredClaim(jwt.ExpirationKey),
	}
	return func(raw string) error {
		_, err := jwt.Parse([]byte(raw), options...)
		return err
	}, nil
}
