package verifier_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func probe(h http.Handler, method string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, "/", nil))
	return w
}

// statuses returns the statuses of both handlers.
func statuses(v *verifier.Verifier) [2]int {
	return [2]int{probe(v.HealthHandler(), http.MethodGet).Code, probe(v.ReadyHandler(), http.MethodGet).Code}
}

// The handlers follow the key caches of two issuers through their life.
func TestHealthHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := verifiertest.NewIssuer(t), verifiertest.NewIssuer(t)
		if a.URL() > b.URL() {
			a, b = b, a // in the order of the report
		}
		a.Hang()
		b.Hang()
		v := newVerifier(t, a.Config(api), b.Config(api))
		both := func(partOfA, partOfB string, status string) string {
			return `{"status":"` + status + `","issuers":[{"issuer":"` + a.URL() + `",` + partOfA + `},{"issuer":"` + b.URL() + `",` + partOfB + `}]}`
		}
		body := func() string { return probe(v.HealthHandler(), http.MethodGet).Body.String() }
		const waiting = `"usable":false,"state":"empty","keys":0,"error":"jwkscache: keys unavailable: no fetch has ended yet"`
		good := func(age int) string {
			return `"usable":true,"state":"fresh","keys":1,"age_seconds":` + strconv.Itoa(age)
		}

		began := time.Now()
		assert.Equal(t, [2]int{503, 503}, statuses(v), "O7 no keys yet")
		assert.JSONEq(t, both(waiting, waiting, "unavailable"), body())
		assert.Zero(t, time.Since(began), "O7 they do not wait")

		a.Heal()
		<-time.After(time.Minute) // past the time-out of the first fetch
		synctest.Wait()
		assert.Equal(t, [2]int{200, 503}, statuses(v), "O7 one of two issuers is there")
		b.Heal()
		require.NoError(t, v.Ready(ctx))
		require.NoError(t, v.Refresh(ctx))
		<-time.After(90 * time.Second)
		assert.Equal(t, [2]int{200, 200}, statuses(v), "O7")
		assert.JSONEq(t, both(good(90), good(90), "ok"), body())

		a.Fail(http.StatusInternalServerError)
		require.Error(t, v.Refresh(ctx))
		assert.Equal(t, [2]int{200, 200}, statuses(v), "O7 the last keys serve while refreshing fails")
		assert.Contains(t, body(), `"usable":true,"state":"fresh","keys":1,"age_seconds":90,"error":"`)
		assert.Contains(t, body(), `responded with 500`)
		<-time.After(25 * time.Hour)
		synctest.Wait()
		assert.Equal(t, [2]int{200, 503}, statuses(v), "O7 the keys of one are too old")
		assert.Contains(t, body(), `"usable":false,"state":"expired"`)
		b.Fail(http.StatusInternalServerError)
		<-time.After(25 * time.Hour)
		synctest.Wait()
		assert.Equal(t, [2]int{503, 503}, statuses(v), "O7 the keys of both are too old")
		a.Heal()
		b.Heal()
		require.NoError(t, v.Refresh(ctx))
		assert.Equal(t, [2]int{200, 200}, statuses(v), "O7 and again")
		require.NoError(t, v.Close())
		assert.Equal(t, [2]int{503, 503}, statuses(v), "O7 closed")
	})
}

func TestHealthHandlersResponse(t *testing.T) {
	down := &health{err: errors.New("a \"cause\"\n<script>" + strings.Repeat("é", 1000))}
	v := newVerifier(t, part("a", func(cfg *set) { cfg.Keys = down }), part("b"))
	for name, h := range map[string]http.Handler{"O7 Health": v.HealthHandler(), "O7 Ready": v.ReadyHandler()} {
		t.Run(name, func(t *testing.T) {
			get, head := probe(h, http.MethodGet), probe(h, http.MethodHead)
			assert.Equal(t, get.Code, head.Code)
			assert.Equal(t, get.Header(), head.Header())
			assert.Equal(t, http.Header{
				"Cache-Control": {"no-store"}, "Content-Type": {"application/json"}, "Content-Length": {strconv.Itoa(get.Body.Len())},
			}, get.Header())
			assert.Empty(t, head.Body.String())
			for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "X"} {
				w := probe(h, method)
				assert.Equal(t, http.StatusMethodNotAllowed, w.Code, method)
				assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"), method)
				assert.Equal(t, "no-store", w.Header().Get("Cache-Control"), method)
				assert.NotContains(t, w.Body.String(), "cause", method)
			}
			var report struct {
				Issuers []struct {
					Issuer, Error string
					Usable        bool
				}
			}
			require.NoError(t, json.Unmarshal(get.Body.Bytes(), &report))
			require.Len(t, report.Issuers, 2)
			assert.False(t, report.Issuers[0].Usable)
			text := report.Issuers[0].Error
			assert.True(t, strings.HasPrefix(down.err.Error(), text), "whole characters of it")
			assert.Less(t, len(text), 501)
			assert.Greater(t, len(text), 490)
			assert.True(t, utf8.ValidString(text))
			assert.Contains(t, get.Body.String(), `{"issuer":"b","usable":true}`, "of keys that nobody manages there is nothing more to say")
			assert.NotContains(t, get.Body.String(), "<")
		})
	}
	t.Run("O7 tenants do not count", func(t *testing.T) {
		resolve, _ := tenantsOf(1, signerOf("ES256"))
		v := newVerifierWith(t, verifier.Settings{Tenants: resolve})
		verified(t, v, ofTenant(signerOf("ES256"), 0))
		assert.Equal(t, [2]int{200, 200}, statuses(v))
		assert.JSONEq(t, `{"status":"ok","issuers":[]}`, probe(v.HealthHandler(), http.MethodGet).Body.String())
	})
	t.Run("O7 of no Verifier", func(t *testing.T) {
		for _, v := range []*verifier.Verifier{nil, {}} {
			panicText(t, func() { v.HealthHandler() })
			panicText(t, func() { v.ReadyHandler() })
		}
	})
}
