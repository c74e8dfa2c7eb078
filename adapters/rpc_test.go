package adapters_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A refusal of gRPC is 200 in HTTP. Other responses with a status below 400 are none.
func TestOnErrorOfProtocolsWithTheirOwnStatus(t *testing.T) {
	v := verifiertest.NewIssuer(t).Verifier("https://api.example.com")
	for name, row := range map[string]struct {
		contentType string
		status      int
		want        int
	}{
		"R6 gRPC":                     {"application/grpc", 200, 200},
		"R6 gRPC with a codec":        {"application/grpc+proto", 200, 200},
		"R6 gRPC-Web":                 {"application/grpc-web+proto", 200, 200},
		"R6 a stream of Connect":      {"application/connect+json", 200, 200},
		"R6 a call of Connect":        {"application/json", 200, 401},
		"R6 text":                     {"text/plain", 200, 401},
		"R6 no type":                  {"", 200, 401},
		"R6 gRPC with another status": {"application/grpc", 204, 401},
		"R6 gRPC with a redirect":     {"application/grpc", 302, 401},
		"R6 gRPC with 403":            {"application/grpc", 403, 403},
	} {
		t.Run(name, func(t *testing.T) {
			mw := httpauth.Middleware{OnError: func(w http.ResponseWriter, _ *http.Request, _ *verifier.Error) {
				w.Header().Set("Content-Type", row.contentType)
				w.WriteHeader(row.status)
				_, _ = w.Write([]byte("hook"))
			}}
			app := mw.Protect(v)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") }))
			r := httptest.NewRequest(http.MethodPost, "/orders.v1.Orders/List", nil)
			r.Header.Set("Content-Type", "application/grpc") // of the request, which says nothing about the response
			w := httptest.NewRecorder()
			app.ServeHTTP(w, r)
			assert.Equal(t, row.want, w.Code)
			if row.want == row.status {
				assert.Equal(t, "hook", w.Body.String())
			} else {
				assert.NotContains(t, w.Body.String(), "hook")
			}
		})
	}
}
