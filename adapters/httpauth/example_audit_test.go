package httpauth_test

import (
	"context"
	"log/slog"
	"net/http"
	"os"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
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

	mux := http.NewServeMux()
	read := httpauth.Protect(v, verifier.Scope("orders:read"))
	mux.Handle("GET /orders/{id}", read(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") != "7" {
			httpauth.Refuse(w, r, verifier.ErrDenied) // another customer's
		}
	})))

	token := iss.Token(verifiertest.Claims{"client_id": "shop", "sub": "alice", "jti": "c4f1", "scope": "orders:read"})
	get(mux, "/orders/7", token)
	get(mux, "/orders/8", token)
	get(mux, "/orders/7", iss.Token(verifiertest.Claims{"client_id": "shop", "sub": "bob", "jti": "c4f2"}))
	get(mux, "/orders/7", "")
	// Output:
	// level=INFO msg=audit outcome=admitted reason="" method=GET route="GET /orders/{id}" client_id=shop sub=alice jti=c4f1
	// level=INFO msg=audit outcome=admitted reason="" method=GET route="GET /orders/{id}" client_id=shop sub=alice jti=c4f1
	// level=INFO msg=audit outcome=refused reason=denied method="" route="" client_id=shop sub=alice jti=c4f1
	// level=INFO msg=audit outcome=refused reason=scope method=GET route="GET /orders/{id}" client_id=shop sub=bob jti=c4f2
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
