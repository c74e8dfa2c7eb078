package migrate

import (
	"context"
	"net/http"
	"testing"

	"github.com/MicahParks/jwkset"
	ginjwt "github.com/appleboy/gin-jwt/v2"
	"github.com/gin-gonic/gin"
	jwtv4 "github.com/golang-jwt/jwt/v4"
	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/adapters/ginauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func newGin() *gin.Engine {
	gin.SetMode(gin.TestMode)
	return gin.New()
}

func ginJWTBefore(a *api, _, jwksURL string) error {
	r := newGin()
	keys, err := jwkset.NewDefaultHTTPClient([]string{jwksURL})
	if err != nil {
		return err
	}
	mw, err := ginjwt.New(&ginjwt.GinJWTMiddleware{
		IdentityKey: "sub",
		KeyFunc: func(t *jwtv4.Token) (any, error) {
			kid, _ := t.Header["kid"].(string)
			key, err := keys.KeyRead(context.Background(), kid)
			if err != nil {
				return nil, err
			}
			return key.Key(), nil
		},
	})
	if err != nil {
		return err
	}
	r.Use(mw.MiddlewareFunc())
	r.GET("/orders", func(c *gin.Context) {
		sub, _ := ginjwt.ExtractClaims(c)["sub"].(string)
		c.String(http.StatusOK, sub)
	})

	a.handler = r
	return nil
}

func ginJWTAfter(a *api, issuer, _ string) error {
	r := newGin()
	v, err := verifier.New(verifier.Config{Issuer: issuer, Audiences: []string{audience}})
	if err != nil {
		return err
	}
	r.Use(ginauth.Protect(v))
	r.GET("/orders", func(c *gin.Context) {
		tok, _ := ginauth.Token(c)
		c.String(http.StatusOK, tok.Subject())
	})

	a.handler, a.stop = r, v.Close
	return nil
}

func TestFromGinJWT(t *testing.T) {
	assert.Equal(t, answers{
		noToken: 401, good: 200, withoutExp: 400, expired30sAgo: 401, otherAudience: 200, logoutToken: 200,
	}, asked(t, ginJWTBefore))
	assert.Equal(t, 401, startedInOutage(t, ginJWTBefore).Code)

	oursHolds(t, ginJWTAfter)
}
