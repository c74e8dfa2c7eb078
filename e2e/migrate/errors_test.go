package migrate

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func logged(v *verifier.Verifier, log *slog.Logger) func(http.Handler) http.Handler {
	mw := httpauth.Middleware{OnError: func(_ http.ResponseWriter, r *http.Request, e *verifier.Error) {
		switch {
		case errors.Is(e, verifier.ErrUnavailable):
			log.ErrorContext(r.Context(), "no keys", "cause", e)
		case errors.Is(e, verifier.ErrExpired), errors.Is(e, verifier.ErrNoToken):
			// everyday
		default:
			log.WarnContext(r.Context(), "refused", "cause", e)
		}
	}}
	protect := mw.Protect(v)

	return protect
}

func TestErrors(t *testing.T) {
	iss := newIssuer(t)
	var lines strings.Builder
	h := logged(iss.Verifier(audience), slog.New(slog.NewTextHandler(&lines, nil)))(http.NotFoundHandler())

	assert.Equal(t, 401, ask(h, iss.Token(verifiertest.Claims{"exp": time.Now().Add(-time.Hour).Unix()})).Code)
	assert.Empty(t, lines.String())
	assert.Equal(t, 401, ask(h, iss.Token(verifiertest.Claims{"aud": "https://other.example.com"})).Code)
	assert.Contains(t, lines.String(), "level=WARN msg=refused")
}
