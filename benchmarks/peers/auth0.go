package peers

import (
	"context"
	"errors"
	"net/url"

	"github.com/auth0/go-jwt-middleware/v3/jwks"
	"github.com/auth0/go-jwt-middleware/v3/validator"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
)

func openAuth0(ctx context.Context, t Trust) (Verify, error) {
	v, err := auth0Validator(t)
	if err != nil {
		return nil, err
	}
	return func(raw string) error {
		_, err := v.ValidateToken(ctx, raw)
		return err
	}, nil
}

// auth0Validator demands exp by a function of ours: the library has no setting
// for it.
func auth0Validator(t Trust) (*validator.Validator, error) {
	issuer, err := url.Parse(authority.Issuer)
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(t.JWKS)
	if err != nil {
		return nil, err
	}
	keys, err := jwks.NewCachingProvider(
		jwks.WithIssuerURL(issuer), jwks.WithCustomJWKSURI(address), jwks.WithCacheTTL(t.Refresh))
	if err != nil {
		return nil, err
	}
	return validator.New(
		validator.WithKeyFunc(keys.KeyFunc),
		validator.WithAlgorithm(validator.SignatureAlgorithm(t.Alg)),
		validator.WithIssuer(authority.Issuer),
		validator.WithAudience(authority.Audience),
		validator.WithRegisteredClaimsValidator(func(c validator.RegisteredClaims) error {
			if c.Expiry == 0 {
				return errors.New("no exp")
			}
			return nil
		}),
	)
}
