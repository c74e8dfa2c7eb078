package e2e

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
	echov5 "github.com/labstack/echo/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echoauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/echov5auth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/ginauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// The names that the protected APIs answer to.
const (
	ordersAPI  = "https://api.example.com"
	billingAPI = "https://billing.example.com"
)

// frameworks build one API each: a route that says who calls it.
var frameworks = []struct {
	name    string
	protect func(*verifier.Verifier, []verifier.Rule) http.Handler
}{
	{"net/http", func(v *verifier.Verifier, rules []verifier.Rule) http.Handler {
		return httpauth.Protect(v, rules...)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			tok, _ := httpauth.Token(r)
			_, _ = io.WriteString(w, tok.ClientID())
		}))
	}},
	{"echo", func(v *verifier.Verifier, rules []verifier.Rule) http.Handler {
		e := echo.New()
		e.GET("/", func(c echo.Context) error {
			tok, _ := echoauth.Token(c)
			return c.String(http.StatusOK, tok.ClientID())
		}, echoauth.Protect(v, rules...))
		return e
	}},
	{"echo v5", func(v *verifier.Verifier, rules []verifier.Rule) http.Handler {
		e := echov5.New()
		e.GET("/", func(c *echov5.Context) error {
			tok, _ := echov5auth.Token(c)
			return c.String(http.StatusOK, tok.ClientID())
		}, echov5auth.Protect(v, rules...))
		return e
	}},
	{"gin", func(v *verifier.Verifier, rules []verifier.Rule) http.Handler {
		gin.SetMode(gin.TestMode)
		g := gin.New()
		g.GET("/", ginauth.Protect(v, rules...), func(c *gin.Context) {
			tok, _ := ginauth.Token(c)
			c.String(http.StatusOK, tok.ClientID())
		})
		return g
	}},
}

// expect sends token to these APIs, which must answer alike and as want, a
// reason of package verifier or nil, demands.
func expect(t *testing.T, v *verifier.Verifier, want error, token string, rules ...verifier.Rule) {
	t.Helper()
	expectOf(t, v, want, "Bearer "+token, rules...)
	_, err := v.Verify(t.Context(), token, rules...)
	if want == nil {
		assert.NoError(t, err)
		return
	}
	assert.ErrorIs(t, err, want)
}

// expectOf is expect for the whole Authorization field.
func expectOf(t *testing.T, v *verifier.Verifier, want error, field string, rules ...verifier.Rule) {
	t.Helper()
	status, challenge := answerFor(want)
	var first *answer
	for _, f := range frameworks {
		got := call(t, f.protect(v, rules), field)
		assert.Equal(t, status, got.status, "%s: %s", f.name, got.body)
		if challenge == "" {
			assert.Empty(t, got.challenges, f.name)
		} else if assert.Len(t, got.challenges, 1, f.name) {
			assert.Regexp(t, "^"+challenge, got.challenges[0], f.name)
		}
		assert.Equal(t, status == http.StatusServiceUnavailable, got.retryAfter != "", f.name)
		if first == nil {
			first = &got
		}
		assert.Equal(t, *first, got, "%s answers otherwise than %s", f.name, frameworks[0].name)
	}
}

// answerFor returns the status and how the challenge begins.
func answerFor(reason error) (status int, challenge string) {
	const bearer = `Bearer realm="api"`
	switch {
	case reason == nil:
		return http.StatusOK, ""
	case errors.Is(reason, verifier.ErrUnavailable):
		return http.StatusServiceUnavailable, ""
	case errors.Is(reason, verifier.ErrNoToken):
		return http.StatusUnauthorized, bearer + "$"
	case errors.Is(reason, verifier.ErrScope), errors.Is(reason, verifier.ErrDenied):
		return http.StatusForbidden, bearer + `, error="insufficient_scope"`
	}
	return http.StatusUnauthorized, bearer + `, error="invalid_token"`
}

// An answer is all that a client sees.
type answer struct {
	status     int
	challenges []string
	retryAfter string
	body       string
}

func call(t *testing.T, api http.Handler, field string) answer {
	t.Helper()
	srv := httptest.NewServer(api)
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", field)
	res, err := srv.Client().Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{
		res.StatusCode, res.Header.Values("WWW-Authenticate"), res.Header.Get("Retry-After"),
		strings.TrimSuffix(string(body), "\n"), // Echo ends JSON with one
	}
}
