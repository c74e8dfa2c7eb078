package peers

import (
	"context"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
)

// openGoOIDC ignores t.Refresh: go-oidc has no such setting, it fetches when a
// signature fits no key it has.
func openGoOIDC(ctx context.Context, t Trust) (Verify, error) {
	v := oidc.NewVerifier(authority.Issuer, oidc.NewRemoteKeySet(ctx, t.JWKS), &oidc.Config{
		ClientID:             authority.Audience,
		SupportedSigningAlgs: []string{t.Alg},
	})
	return func(raw string) error {
		_, err := v.Verify(ctx, raw)
		return err
	}, nil
}
