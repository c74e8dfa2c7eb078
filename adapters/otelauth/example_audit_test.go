package otelauth_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/otelauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Metrics and an audit log: Settings.Observe is one function, which calls both.
func Example_audit() {
	secret := []byte(strings.Repeat("an example's", 4))
	m, err := otelauth.New(otelauth.Config{})
	if err != nil {
		panic(err)
	}
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	observe := func(ctx context.Context, d verifier.Decision) {
		m.Observe(ctx, d)
		if d.Caller == (verifier.Caller{}) || d.Inner && d.Outcome == verifier.OutcomeAdmitted {
			return // no signature vouches for anybody, or the line is there already
		}
		log.InfoContext(ctx, "audit", "outcome", d.Outcome, "reason", verifier.ReasonName(d.Reason),
			"method", d.Method, "route", d.Route,
			"client_id", d.Caller.ClientID, "sub", d.Caller.Subject, "jti", d.Caller.ID)
	}
	v, err := verifier.Settings{Observe: observe, ObserveKeys: m.ObserveKeys}.New(verifier.Config{
		Issuer:        "https://login.example.com/",
		Audiences:     []string{"https://api.example.com"},
		SharedSecrets: [][]byte{secret}, // so that nothing is fetched here
	})
	if err != nil {
		panic(err)
	}
	defer v.Close()
	if err := m.Watch(v); err != nil {
		panic(err)
	}

	mux := http.NewServeMux()
	mux.Handle("GET /orders/{id}", httpauth.Protect(v)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	r := httptest.NewRequest(http.MethodGet, "/orders/7", nil)
	r.Header.Set("Authorization", "Bearer "+signed(secret, fmt.Sprintf(`{"iss":"https://login.example.com/",
		"aud":"https://api.example.com","exp":%d,"client_id":"shop","sub":"alice","jti":"c4f1"}`,
		time.Now().Add(time.Hour).Unix())))
	mux.ServeHTTP(httptest.NewRecorder(), r)
	// Output:
	// level=INFO msg=audit outcome=admitted reason="" method=GET route="GET /orders/{id}" client_id=shop sub=alice jti=c4f1
}

func signed(secret []byte, claims string) string {
	b64 := base64.RawURLEncoding
	text := b64.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + b64.EncodeToString([]byte(claims))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return text + "." + b64.EncodeToString(mac.Sum(nil))
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
