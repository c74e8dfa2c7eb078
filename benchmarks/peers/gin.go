package peers

import (
	"context"
	"net/http"

	"github.com/MicahParks/jwkset"
	ginjwt "github.com/appleboy/gin-jwt/v2"
	"github.com/gin-gonic/gin"
	jwtv4 "github.com/golang-jwt/jwt/v4"

	"github.com/seed-12ed5b1c/jwtguard/adapters/ginauth"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func init() { gin.SetMode(gin.ReleaseMode) } // the others print no routes either

func inGin(protect ...gin.HandlerFunc) http.Handler {
	r := gin.New()
	r.GET("/orders", append(protect, func(c *gin.Context) { c.Status(http.StatusNoContent) })...)
	return r
}

func guardGin(v *verifier.Verifier) http.Handler { return inGin(ginauth.Protect(v)) }

// openGinJWT checks iss and aud in the Authorizator, the library's place for
// what is not its own. jwkset is the storage that keyfunc uses; keyfunc itself
// is for a later golang-jwt than gin-jwt v2 has.
func openGinJWT(ctx context.Context, t Trust) (http.Handler, error) {
	keys, err := jwkset.NewDefaultHTTPClientCtx(ctx, []string{t.JWKS})
	if err != nil {
		return nil, err
	}
	mw, err := ginjwt.New(&ginjwt.GinJWTMiddleware{
		IdentityKey:  "sub",
		ParseOptions: []jwtv4.ParserOption{jwtv4.WithValidMethods([]string{t.Alg})},
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
			return claims.VerifyIssuer(authority.Issuer, true) && claims.VerifyAudience(authority.Audience, true)
		},
	})
	if err != nil {
		return nil, err
	}
	return inGin(mw.MiddlewareFunc()), nil
}
