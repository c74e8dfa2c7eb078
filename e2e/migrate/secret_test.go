package migrate

import (
	"net/http"
	"testing"
	"time"

	ginjwt "github.com/appleboy/gin-jwt/v2"
	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"
	echojwt "github.com/labstack/echo-jwt/v4"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echoauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/ginauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const issuer = "https://login.example.com/"

func secretBefore(e *echo.Echo, r *gin.Engine, secret []byte) error {
	e.Use(echojwt.JWT(secret))
	mw, err := ginjwt.New(&ginjwt.GinJWTMiddleware{Key: secret})
	if err != nil {
		return err
	}
	r.Use(mw.MiddlewareFunc())

	return nil
}

func secretAfter(e *echo.Echo, r *gin.Engine, secret []byte) error {
	v, err := verifier.New(verifier.Config{
		Issuer:        issuer,
		Audiences:     []string{audience},
		SharedSecrets: [][]byte{secret},
		Algorithms:    []string{"HS256"},
	})
	if err != nil {
		return err
	}
	e.Use(echoauth.Protect(v))
	r.Use(ginauth.Protect(v))

	return nil
}

func TestSharedSecret(t *testing.T) {
	secret := []byte("0123456789abcdef0123456789abcdef")
	token := func(claims jwt.MapClaims) string {
		raw, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(secret)
		require.NoError(t, err)
		return raw
	}
	exp := time.Now().Add(time.Hour).Unix()
	good := token(jwt.MapClaims{"iss": issuer, "aud": audience, "sub": "billing", "exp": exp})
	withoutExp := token(jwt.MapClaims{"iss": issuer, "aud": audience, "sub": "billing"})
	withoutAud := token(jwt.MapClaims{"iss": issuer, "sub": "billing", "exp": exp})
	withoutIss := token(jwt.MapClaims{"aud": audience, "sub": "billing", "exp": exp})

	statuses := func(protect func(*echo.Echo, *gin.Engine, []byte) error) (inEcho, inGin []int) {
		e, r := echo.New(), newGin()
		require.NoError(t, protect(e, r, secret))
		e.GET("/orders", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
		r.GET("/orders", func(c *gin.Context) { c.Status(http.StatusOK) })
		for _, raw := range []string{good, withoutExp, withoutAud, withoutIss} {
			inEcho = append(inEcho, ask(e, raw).Code)
			inGin = append(inGin, ask(r, raw).Code)
		}
		return inEcho, inGin
	}
	inEcho, inGin := statuses(secretBefore)
	assert.Equal(t, []int{200, 200, 200, 200}, inEcho)
	assert.Equal(t, []int{200, 400, 200, 200}, inGin)
	inEcho, inGin = statuses(secretAfter)
	assert.Equal(t, []int{200, 401, 401, 401}, inEcho)
	assert.Equal(t, []int{200, 401, 401, 401}, inGin)

	require.Error(t, secretAfter(echo.New(), newGin(), secret[:31]))
}
