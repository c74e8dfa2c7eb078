package peers

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/auth0/go-jwt-middleware/v3/jwks"
	"github.com/auth0/go-jwt-middleware/v3/validator"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/httprc/v3"
	jwk2 "github.com/lestrrat-go/jwx/v2/jwk"
	jwt2 "github.com/lestrrat-go/jwx/v2/jwt"
	jwk3 "github.com/lestrrat-go/jwx/v3/jwk"
	jwt3 "github.com/lestrrat-go/jwx/v3/jwt"
)

// golangClaims are the typed claims that golang-jwt's documentation suggests:
// they cost less than its MapClaims.
type golangClaims struct {
	jwt.RegisteredClaims
	ClientID string   `json:"client_id"`
	Scope    string   `json:"scope"`
	Tenant   string   `json:"tenant"`
	Roles    []string `json:"roles"`
}

func openGolangJWT(ctx context.Context, a *Authority) Verify {
	parse := golangParser(ctx, a)
	return func(raw string) error { _, err := parse(raw); return err }
}

func golangParser(ctx context.Context, a *Authority) func(raw string) (*jwt.Token, error) {
	keys := Must(keyfunc.NewDefaultCtx(ctx, []string{a.JWKS}))
	parser := jwt.NewParser(jwt.WithValidMethods([]string{a.Alg}),
		jwt.WithIssuer(Issuer), jwt.WithAudience(Audience), jwt.WithExpirationRequired())
	return func(raw string) (*jwt.Token, error) {
		return parser.ParseWithClaims(raw, new(golangClaims), keys.Keyfunc)
	}
}

func openGoOIDC(ctx context.Context, a *Authority) Verify {
	v := oidc.NewVerifier(Issuer, oidc.NewRemoteKeySet(ctx, a.JWKS), &oidc.Config{
		ClientID: Audience, SupportedSigningAlgs: []string{a.Alg},
	})
	return func(raw string) error { _, err := v.Verify(ctx, raw); return err }
}

func openJWX2(ctx context.Context, a *Authority) Verify {
	cache := jwk2.NewCache(ctx)
	Must(0, cache.Register(a.JWKS))
	Must(cache.Refresh(ctx, a.JWKS))
	options := []jwt2.ParseOption{jwt2.WithKeySet(jwk2.NewCachedSet(cache, a.JWKS)),
		jwt2.WithIssuer(Issuer), jwt2.WithAudience(Audience), jwt2.WithRequiredClaim(jwt2.ExpirationKey)}
	return func(raw string) error { _, err := jwt2.Parse([]byte(raw), options...); return err }
}

func openJWX3(ctx context.Context, a *Authority) Verify {
	cache := Must(jwk3.NewCache(ctx, httprc.NewClient()))
	context.AfterFunc(ctx, func() {
		late, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = cache.Shutdown(late)
	})
	Must(0, cache.Register(ctx, a.JWKS))
	options := []jwt3.ParseOption{jwt3.WithKeySet(Must(cache.CachedSet(a.JWKS))),
		jwt3.WithIssuer(Issuer), jwt3.WithAudience(Audience), jwt3.WithRequiredClaim(jwt3.ExpirationKey)}
	return func(raw string) error { _, err := jwt3.Parse([]byte(raw), options...); return err }
}

func openAuth0(ctx context.Context, a *Authority) Verify {
	v := auth0Validator(a)
	return func(raw string) error { _, err := v.ValidateToken(ctx, raw); return err }
}

// auth0Validator demands exp by a function of ours: the library has no setting
// for it.
func auth0Validator(a *Authority) *validator.Validator {
	keys := Must(jwks.NewCachingProvider(jwks.WithIssuerURL(Must(url.Parse(Issuer))), jwks.WithCustomJWKSURI(Must(url.Parse(a.JWKS)))))
	return Must(validator.New(
		validator.WithKeyFunc(keys.KeyFunc),
		validator.WithAlgorithm(validator.SignatureAlgorithm(a.Alg)),
		validator.WithIssuer(Issuer),
		validator.WithAudience(Audience),
		validator.WithRegisteredClaimsValidator(func(c validator.RegisteredClaims) error {
			if c.Expiry == 0 {
				return errors.New("no exp")
			}
			return nil
		}),
	))
}
