package peers

import (
	"context"
	"log/slog"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Keys returns this library's key cache, loaded. It is closed with ctx.
func Keys(ctx context.Context, a *Authority) *jwkscache.Cache {
	keys := Must(jwkscache.ForURL(a.JWKS, jwkscache.Config{}))
	context.AfterFunc(ctx, func() { _ = keys.Close() })
	return Must(keys, keys.Ready(ctx))
}

// Verifier returns a verifier with these keys and this size of its token cache.
// Refusals are not logged: nobody else does.
func Verifier(a *Authority, keys verifier.KeySource, tokens int) *verifier.Verifier {
	settings := verifier.Settings{TokenCache: tokens, Logger: slog.New(slog.DiscardHandler)}
	return Must(settings.New(verifier.Config{
		Issuer:     Issuer,
		Audiences:  []string{Audience},
		Algorithms: []string{a.Alg},
		Keys:       keys,
	}))
}
