package adapters

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/conformance"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// The mistakes that everybody makes once: what the operator reads names them.
func TestMistakesAreNamed(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	refused := func(v *verifier.Verifier, token string) (cause string) {
		guard := httpauth.Middleware{OnError: func(_ http.ResponseWriter, _ *http.Request, err *verifier.Error) { cause = err.Error() }}
		conformance.Send(guard.Protect(v)(http.NotFoundHandler()), "", "/", token, nil)
		return cause
	}
	configured := func(change func(*verifier.Config)) *verifier.Verifier {
		cfg := iss.Config(conformance.OrdersAPI)
		change(&cfg)
		v, err := verifier.New(cfg)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, v.Close()) })
		return v
	}
	t.Run("the issuer's slash, seen in a token", func(t *testing.T) {
		v := configured(func(c *verifier.Config) { c.Issuer += "/" })
		assert.Contains(t, refused(v, iss.Token(nil)), "they differ in the slash at the end")
	})
	// failed makes a verifier whose first fetch fails, and returns what the log,
	// Ready and Health say of it.
	failed := func(issuer string) []string {
		log := &firstLine{written: make(chan string, 1)}
		v := configured(func(c *verifier.Config) {
			c.Issuer = issuer
			c.JWKS.Logger = slog.New(slog.NewTextHandler(log, nil))
		})
		line := <-log.written
		done, cancel := context.WithCancel(t.Context())
		cancel()
		return []string{line, v.Ready(done).Error(), v.Health().Error()}
	}
	t.Run("the issuer's slash, seen in the metadata", func(t *testing.T) {
		for _, text := range failed(iss.URL() + "/") {
			assert.Contains(t, text, "they differ in the slash at the end")
		}
	})
	t.Run("an issuer that is not there", func(t *testing.T) {
		for _, text := range failed("http://127.0.0.1:1") {
			assert.Contains(t, text, "connection refused")
		}
	})
	t.Run("another audience", func(t *testing.T) {
		v := configured(func(c *verifier.Config) { c.Audiences = []string{conformance.BillingAPI} })
		cause := refused(v, iss.Token(nil))
		assert.Contains(t, cause, `aud is "`+conformance.OrdersAPI)
		assert.Contains(t, cause, `configured is ["`+conformance.BillingAPI)
	})
	t.Run("a plain http issuer", func(t *testing.T) {
		_, err := verifier.New(verifier.Config{Issuer: "http://login.example.com", Audiences: []string{conformance.OrdersAPI}})
		assert.ErrorContains(t, err, "is not https")
	})
	t.Run("an ID token", func(t *testing.T) {
		v := iss.Verifier(conformance.OrdersAPI)
		for _, claims := range []verifiertest.Claims{{"nonce": "n"}, {"at_hash": "h"}} {
			assert.Contains(t, refused(v, iss.Token(claims)), "an ID token")
		}
	})
	t.Run("Bearer forgotten", func(t *testing.T) {
		v := iss.Verifier(conformance.OrdersAPI)
		var cause string
		guard := httpauth.Middleware{OnError: func(_ http.ResponseWriter, _ *http.Request, err *verifier.Error) { cause = err.Error() }}
		conformance.Send(guard.Protect(v)(http.NotFoundHandler()), "", "/", "", http.Header{"Authorization": {iss.Token(nil)}})
		assert.Contains(t, cause, "scheme is not Bearer")
		assert.NotContains(t, cause, strings.Split(iss.Token(nil), ".")[0])
	})
}

// A firstLine hands on the first line that is written.
type firstLine struct{ written chan string }

func (w *firstLine) Write(line []byte) (int, error) {
	select {
	case w.written <- string(line):
	default:
	}
	return len(line), nil
}
