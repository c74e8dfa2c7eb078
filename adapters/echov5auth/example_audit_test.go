package echov5auth_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/labstack/echo/v5"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echov5auth"
	"github.com/seed-12ed5b1c/jwtguard/internal/exampletb"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A log of who was admitted to which route, and of whom a handler then refused.
func Example_audit() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	v, err := verifier.Settings{
		Observe: func(ctx context.Context, d verifier.Decision) {
			if d.Caller == (verifier.Caller{}) || d.Inner && d.Outcome == verifier.OutcomeAdmitted {
				return // no signature vouches for anybody, or the line is there already
			}
			log.InfoContext(ctx, "audit", "outcome", d.Outcome, "reason", verifier.ReasonName(d.Reason),
				"method", d.Method, "route", d.Route,
				"client_id", d.Caller.ClientID, "sub", d.Caller.Subject, "jti", d.Caller.ID)
		},
	}.New(iss.Config("https://api.example.com"))
	if err != nil {
		panic(err)
	}
	defer v.Close()

	e := echo.New()
	e.GET("/orders/:id", func(c *echo.Context) error {
		if c.Param("id") != "7" {
			return echov5auth.Refuse(c, verifier.ErrDenied) // another customer's
		}
		return nil
	}, echov5auth.Protect(v, verifier.Scope("orders:read")))

	token := iss.Token(verifiertest.Claims{"client_id": "shop", "sub": "alice", "jti": "c4f1", "scope": "orders:read"})
	get(e, "/orders/7", token)
	get(e, "/orders/8", token)
	get(e, "/orders/7", iss.Token(verifiertest.Claims{"client_id": "shop", "sub": "bob", "jti": "c4f2"}))
	get(e, "/orders/7", "")
	// Output:
	// level=INFO msg=audit outcome=admitted reason="" method=GET route=/orders/:id client_id=shop sub=alice jti=c4f1
	// level=INFO msg=audit outcome=admitted reason="" method=GET route=/orders/:id client_id=shop sub=alice jti=c4f1
	// level=INFO msg=audit outcome=refused reason=denied method="" route="" client_id=shop sub=alice jti=c4f1
	// level=INFO msg=audit outcome=refused reason=scope method=GET route=/orders/:id client_id=shop sub=bob jti=c4f2
}

// get sends a request with token, if there is one.
func get(h http.Handler, path, token string) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	h.ServeHTTP(httptest.NewRecorder(), r)
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
