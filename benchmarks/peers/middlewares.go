package peers

import (
	"context"
	"net/http"

	"github.com/MicahParks/jwkset"
	ginjwt "github.com/appleboy/gin-jwt/v2"
	jwtmiddleware "github.com/auth0/go-jwt-middleware/v3"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/jwtauth/v5"
	jwtv4 "github.com/golang-jwt/jwt/v4"
	echojwt "github.com/labstack/echo-jwt/v4"
	"github.com/labstack/echo/v4"
	jwt2 "github.com/lestrrat-go/jwx/v2/jwt"
)

func openAuth0Middleware(_ context.Context, a *Authority) http.Handler {
	return netHTTP(Must(jwtmiddleware.New(jwtmiddleware.WithValidator(auth0Validator(a)))).CheckJWT)
}

// openJWTAuth gives jwtauth the key itself: it takes no key set and no kid.
func openJWTAuth(_ context.Context, a *Authority) http.Handler {
	ja := jwtauth.New(a.Alg, nil, a.PublicKey(),
		jwt2.WithIssuer(Issuer), jwt2.WithAudience(Audience), jwt2.WithRequiredClaim(jwt2.ExpirationKey))
	return netHTTP(jwtauth.Authenticator(ja), jwtauth.Verifier(ja))
}

// openEchoJWT gives echo-jwt a parser of our own: with its KeyFunc alone it
// checks neither iss nor aud, and demands no exp.
func openEchoJWT(ctx context.Context, a *Authority) http.Handler {
	parse := golangParser(ctx, a)
	return inEcho(Must(echojwt.Config{
		ParseTokenFunc: func(_ echo.Context, raw string) (any, error) { return parse(raw) },
	}.ToMiddleware()))
}

// openGinJWT checks iss and aud in the Authorizator, the library's place for
// what is not its own. jwkset is the storage that keyfunc uses; keyfunc itself
// is for a later golang-jwt than gin-jwt v2 has.
func openGinJWT(ctx context.Context, a *Authority) http.Handler {
	keys := Must(jwkset.NewDefaultHTTPClientCtx(ctx, []string{a.JWKS}))
	return inGin(Must(ginjwt.New(&ginjwt.GinJWTMiddleware{
		IdentityKey:  "sub",
		ParseOptions: []jwtv4.ParserOption{jwtv4.WithValidMethods([]string{a.Alg})},
		KeyFunc: func(token *jwtv4.Token) (any, error) {
			kid, _ := token.Header["kid"].(string)
			key, err := keys.KeyRead(ctx, kid)
			if err != nil {
				return nil, err
			}
			return key.Key(), nil
		},
		Authorizator: func(_ any, c *gin.Context) bool {
			claims := jwtv4.MapClaims(ginjwt.ExtractClaims(c))
			return claims.VerifyIssuer(Issuer, true) && claims.VerifyAudience(Audience, true)
		},
	})).MiddlewareFunc())
}
