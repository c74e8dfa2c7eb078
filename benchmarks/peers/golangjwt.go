package peers

import (
	"context"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
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

func openGolangJWT(ctx context.Context, t Trust) (Verify, error) {
	parse, err := golangParser(ctx, t)
	if err != nil {
		return nil, err
	}
	return func(raw string) error {
		_, err := parse(raw)
		return err
	}, nil
}

// golangParser is golang-jwt with keyfunc as NewDefault has it, but for the
// refresh interval. Its budget for unknown kids stays: one in 5 minutes.
func golangParser(ctx context.Context, t Trust) (func(raw string) (*jwt.Token, error), error) {
	keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{t.JWKS}, keyfunc.Override{
		RefreshInterval:         t.Refresh,
		RefreshErrorHandlerFunc: func(string) func(context.Context, error) { return func(context.Context, error) {} },
	})
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{t.Alg}),
		jwt.WithIssuer(authority.Issuer),
		jwt.WithAudience(authority.Audience),
		jwt.WithExpirationRequired(),
	)
	return func(raw string) (*jwt.Token, error) {
		return parser.ParseWithClaims(raw, new(golangClaims), keys.Keyfunc)
	}, nil
}
