package statuspage_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/statuspage"
)

func TestResponse(t *testing.T) {
	page := full(t)

	t.Run("Y4 only GET and HEAD", func(t *testing.T) {
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "QUERY", "get"} {
			w := send(t, page, method)
			assert.Equal(t, http.StatusMethodNotAllowed, w.Code, method)
			assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
			assert.NotContains(t, w.Body.String(), "one.test")
		}
		w := send(t, page, http.MethodHead)
		assert.Equal(t, http.StatusOK, w.Code)
		assert.Zero(t, w.Body.Len())
		assert.NotEmpty(t, w.Header().Get("Content-Length"))
	})

	t.Run("Y4 header fields", func(t *testing.T) {
		for _, accept := range []string{"text/html", "application/json"} {
			w := send(t, page, http.MethodGet, "Accept", accept)
			for name, want := range map[string]string{
				"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
				"Cross-Origin-Resource-Policy": "same-origin", "Vary": "Accept", "Content-Length": fmt.Sprint(w.Body.Len()),
			} {
				assert.Equal(t, want, w.Header().Get(name), name)
			}
		}
	})

	t.Run("Y4 the policy names this style and this script alone", func(t *testing.T) {
		w := send(t, page, http.MethodGet)
		hash := func(element string) string {
			found := regexp.MustCompile(`(?s)<`+element+`>(.*?)</`+element+`>`).FindAllStringSubmatch(w.Body.String(), -1)
			require.Len(t, found, 1)
			sum := sha256.Sum256([]byte(found[0][1]))
			return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		}
		assert.Equal(t, "default-src 'none'; connect-src 'self'; img-src data:; style-src "+hash("style")+"; script-src "+hash("script")+
			"; frame-ancestors 'none'; base-uri 'none'; form-action 'none'", w.Header().Get("Content-Security-Policy"))
		assert.NotRegexp(t, `(?i)<[^>]+ (style|on[a-z]+)=`, w.Body.String())
		assert.NotRegexp(t, `(?i)(src|href)="(https?:)?/`, w.Body.String(), "something from elsewhere")
	})

	t.Run("Y4 JSON for those who prefer it", func(t *testing.T) {
		for accept, want := range map[string]string{
			"":                                     "text/html; charset=utf-8",
			"*/*":                                  "text/html; charset=utf-8",
			"application/json":                     "application/json",
			"Application/JSON; charset=utf-8":      "application/json",
			"application/json, text/plain, */*":    "application/json",
			"application/json;q=0.5, text/html":    "text/html; charset=utf-8",
			"text/html;q=0.5, application/json":    "application/json",
			"application/json;q=0":                 "text/html; charset=utf-8",
			"application/json;q=nonsense, */*;q=1": "text/html; charset=utf-8",
			"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8": "text/html; charset=utf-8",
		} {
			assert.Equal(t, want, send(t, page, http.MethodGet, "Accept", accept).Header().Get("Content-Type"), accept)
		}
		assert.Equal(t, "application/json", send(t, page, http.MethodGet, "Accept", "text/plain", "Accept", "application/json").Header().Get("Content-Type"), "two fields")
	})
}

// A request does not make the page keep all that is in Accept.
func TestLongAccept(t *testing.T) {
	var accept strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&accept, "%x,", i)
	}
	accept.WriteString("application/json")
	p := statuspage.New(statuspage.Config{})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept", accept.String())
	w := httptest.NewRecorder()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p.ServeHTTP(w, r)
	runtime.ReadMemStats(&after)
	assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}
