package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	gincors "github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	echov5 "github.com/labstack/echo/v5"
	middlewarev5 "github.com/labstack/echo/v5/middleware"
	"github.com/rs/cors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echoauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/echov5auth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/ginauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// The page that calls the APIs, and what it may send and read.
const page = "https://app.example.com"

var (
	allowed = []string{"Authorization", "Content-Type"}
	exposed = []string{"WWW-Authenticate", "Retry-After"}
)

// corsAPIs build one API each: a guarded handler for every method, behind the
// framework's usual CORS middleware or, for comparison, without it.
var corsAPIs = []struct {
	name  string
	build func(v *verifier.Verifier, handle http.HandlerFunc, outside bool) http.Handler
}{
	{"net/http and rs/cors", func(v *verifier.Verifier, handle http.HandlerFunc, outside bool) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/orders", httpauth.Protect(v)(handle))
		if !outside {
			return mux
		}
		return cors.New(cors.Options{
			AllowedOrigins: []string{page}, AllowedHeaders: allowed, ExposedHeaders: exposed,
		}).Handler(mux)
	}},
	{"Echo and its own CORS", func(v *verifier.Verifier, handle http.HandlerFunc, outside bool) http.Handler {
		e := echo.New()
		if outside {
			e.Use(middleware.CORSWithConfig(middleware.CORSConfig{
				AllowOrigins: []string{page}, AllowHeaders: allowed, ExposeHeaders: exposed,
			}))
		}
		e.Any("/orders", echo.WrapHandler(handle), echoauth.Protect(v))
		return e
	}},
	{"Echo v5 and its own CORS", func(v *verifier.Verifier, handle http.HandlerFunc, outside bool) http.Handler {
		e := echov5.New()
		if outside {
			e.Use(middlewarev5.CORSWithConfig(middlewarev5.CORSConfig{
				AllowOrigins: []string{page}, AllowHeaders: allowed, ExposeHeaders: exposed,
			}))
		}
		e.Any("/orders", echov5.WrapHandler(handle), echov5auth.Protect(v))
		return e
	}},
	{"Gin and gin-contrib/cors", func(v *verifier.Verifier, handle http.HandlerFunc, outside bool) http.Handler {
		gin.SetMode(gin.TestMode)
		g := gin.New()
		if outside {
			g.Use(gincors.New(gincors.Config{
				AllowOrigins: []string{page}, AllowMethods: []string{"GET", "POST"}, AllowHeaders: allowed, ExposeHeaders: exposed,
			}))
		}
		g.Any("/orders", ginauth.Protect(v), gin.WrapF(handle))
		return g
	}},
}

// R7: preflights are answered by a CORS middleware outside Protect, which has no
// way around itself; a refusal inside is one that the page can read.
func TestCORS(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	v := iss.Verifier(ordersAPI)
	bearer := "Bearer " + iss.Token(nil)
	for _, api := range corsAPIs {
		t.Run(api.name, func(t *testing.T) {
			ran := 0
			handle := func(w http.ResponseWriter, r *http.Request) {
				ran++
				body, _ := io.ReadAll(r.Body)
				_, _ = w.Write(body)
			}
			send := func(outside bool, method, body string, header ...string) *http.Response {
				t.Helper()
				srv := httptest.NewServer(api.build(v, handle, outside))
				defer srv.Close()
				req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+"/orders", strings.NewReader(body))
				require.NoError(t, err)
				for i := 0; i < len(header); i += 2 {
					req.Header.Set(header[i], header[i+1])
				}
				res, err := srv.Client().Do(req)
				require.NoError(t, err)
				defer res.Body.Close()
				return res
			}
			origin := []string{"Origin", page}
			preflight := append(origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization")

			t.Run("R7 a preflight outside", func(t *testing.T) {
				res := send(true, http.MethodOptions, "", preflight...)
				assert.Contains(t, []int{200, 204}, res.StatusCode)
				assert.Equal(t, page, res.Header.Get("Access-Control-Allow-Origin"))
				assert.Contains(t, strings.ToLower(res.Header.Get("Access-Control-Allow-Headers")), "authorization")
				assert.Contains(t, res.Header.Get("Access-Control-Allow-Methods"), "POST")
				assert.NotContains(t, res.Header, "Www-Authenticate")
			})
			t.Run("R7 a preflight straight at Protect", func(t *testing.T) {
				res := send(false, http.MethodOptions, "", preflight...)
				assert.Equal(t, 401, res.StatusCode)
				assert.Equal(t, []string{`Bearer realm="api"`}, res.Header["Www-Authenticate"])
			})
			t.Run("R7 nobody's OPTIONS runs the handler", func(t *testing.T) {
				for _, outside := range []bool{true, false} {
					for _, header := range [][]string{
						nil, origin, preflight, {"Access-Control-Request-Method", "POST"},
						{"Origin", "https://evil.example.com", "Access-Control-Request-Method", "POST"},
						append(preflight, "Authorization", "Bearer x"),
					} {
						send(outside, http.MethodOptions, `{"delete":"everything"}`, header...)
					}
				}
				assert.Zero(t, ran)
			})
			t.Run("R7 the page can read a refusal", func(t *testing.T) {
				res := send(true, http.MethodPost, "", origin...)
				assert.Equal(t, 401, res.StatusCode)
				assert.Equal(t, page, res.Header.Get("Access-Control-Allow-Origin"))
				assert.Contains(t, strings.ToLower(res.Header.Get("Access-Control-Expose-Headers")), "www-authenticate")
				assert.Equal(t, []string{`Bearer realm="api"`}, res.Header["Www-Authenticate"])
				assert.Zero(t, ran)
			})
			t.Run("R7 the page with a token", func(t *testing.T) {
				res := send(true, http.MethodPost, "", append(origin, "Authorization", bearer)...)
				assert.Equal(t, 200, res.StatusCode)
				assert.Equal(t, page, res.Header.Get("Access-Control-Allow-Origin"))
				assert.Equal(t, 1, ran)
			})
		})
	}
}
