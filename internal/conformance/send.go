package conformance

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Send sends a request to app, by GET if method is empty, with token if there is one.
func Send(app http.Handler, method, path, token string, header http.Header) *httptest.ResponseRecorder {
	if method == "" {
		method = http.MethodGet
	}
	r := httptest.NewRequest(method, path, nil)
	for name, values := range header {
		r.Header[name] = values
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	return w
}

func seen(res *httptest.ResponseRecorder) answer {
	return answer{
		res.Code, res.Header()["Www-Authenticate"], res.Header().Get("Retry-After"),
		strings.TrimSuffix(res.Body.String(), "\n"),
	}
}

// payloadOf returns the claims of a token, as text.
func payloadOf(t *testing.T, token string) string {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	require.NoError(t, err)
	return string(payload)
}
