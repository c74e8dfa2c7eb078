package differential

import (
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

// golangJWT has an option for everything in the policy: algorithms, issuer,
// audience, a required exp, the leeway. Key sets come from keyfunc, which its
// README names. It cannot be told a typ, and has no name for Ed25519. Strict
// base64 is an option that its documentation does not ask for; it stays off.
var golangJWT = library{"golang-jwt", func(jwks string) (check, error) {
	keys, err := keyfunc.NewJWKSetJSON([]byte(jwks))
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods(algorithms),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(leeway),
	)
	return func(token string) (report, error) {
		t, err := parser.Parse(token, keys.Keyfunc)
		if err != nil {
			return report{}, err
		}
		claims := t.Claims.(jwt.MapClaims)
		r := report{Claims: claims}
		r.Issuer, _ = claims.GetIssuer()
		r.Subject, _ = claims.GetSubject()
		r.ID, _ = claims["jti"].(string)
		aud, err := claims.GetAudience()
		if err != nil {
			return report{}, err
		}
		r.Audience = aud
		exp, err := claims.GetExpirationTime()
		if err != nil {
			return report{}, err
		}
		r.Expiry = exp.Unix()
		r.derive()
		return r, nil
	}, nil
}}
