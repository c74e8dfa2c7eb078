package httpauth_test

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/exampletb"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A complete program: one route that requires a scope.
func Example() {
	run := func() error {
		v, err := verifier.New(verifier.Config{
			Issuer:    "https://login.example.com/",
			Audiences: []string{"https://api.example.com"},
		})
		if err != nil {
			return err
		}
		defer v.Close()

		mux := http.NewServeMux()
		read := httpauth.Protect(v, verifier.Scope("orders:read"))
		mux.Handle("GET /orders", read(http.HandlerFunc(listOrders)))
		return http.ListenAndServe("127.0.0.1:8080", mux)
	}
	_ = run // an example does not serve
}

// Keys from an address, for issuers without metadata.
func Example_keysByAddress() {
	cache, err := jwkscache.ForURL("https://login.example.com/keys", jwkscache.Config{MaxStale: 12 * time.Hour})
	if err != nil {
		panic(err)
	}
	defer cache.Close()
	v, err := verifier.New(verifier.Config{
		Issuer:    "https://login.example.com/",
		Keys:      cache,
		Audiences: []string{"https://api.example.com"},
	})
	fmt.Println(v != nil, err)
	// Output: true <nil>
}

func listOrders(w http.ResponseWriter, r *http.Request) {
	tok, _ := httpauth.Token(r)
	fmt.Fprintln(w, "client:", tok.ClientID())
}

func ExampleProtect() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	v := iss.Verifier("https://api.example.com", "https://billing.example.com")

	read := httpauth.Protect(v, verifier.Audience("https://api.example.com"), verifier.Scope("orders:read"))
	bill := httpauth.Protect(v, verifier.Audience("https://billing.example.com"))
	mux := http.NewServeMux()
	mux.Handle("GET /orders", read(http.HandlerFunc(listOrders)))
	mux.Handle("GET /invoices", bill(http.HandlerFunc(listOrders)))

	token := iss.Token(verifiertest.Claims{"client_id": "shop", "scope": "orders:read"})
	fmt.Print(get(mux, "/orders", token))
	fmt.Print(get(mux, "/invoices", token))
	fmt.Print(get(mux, "/orders", ""))
	// Output:
	// 200 client: shop
	// 401 {"error":"invalid_token","error_description":"The access token is not valid for this API."}
	// 401 {"error_description":"An access token is needed, sent as Authorization: Bearer."}
}

func ExampleOptional() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	greet := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tok, ok := httpauth.Token(r); ok {
			fmt.Fprintln(w, "hello", tok.ClientID())
			return
		}
		fmt.Fprintln(w, "hello stranger")
	})
	h := httpauth.Optional(iss.Verifier("https://api.example.com"))(greet)

	fmt.Print(get(h, "/", ""))
	fmt.Print(get(h, "/", iss.Token(verifiertest.Claims{"client_id": "shop"})))
	fmt.Print(get(h, "/", "rubbish"))
	// Output:
	// 200 hello stranger
	// 200 hello shop
	// 401 {"error":"invalid_token","error_description":"The access token is not a well-formed JWT."}
}

func ExampleRefuse() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	h := httpauth.Protect(iss.Verifier("https://api.example.com"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scope := "orders:" + r.URL.Query().Get("do")
		if err := verifier.Require(r.Context(), verifier.AnyScope(scope, "orders:all")); err != nil {
			httpauth.Refuse(w, r, err)
			return
		}
		fmt.Fprintln(w, "done")
	}))

	token := iss.Token(verifiertest.Claims{"scope": "orders:read"})
	fmt.Print(get(h, "/?do=read", token))
	fmt.Print(get(h, "/?do=write", token))
	// Output:
	// 200 done
	// 403 {"error":"insufficient_scope","error_description":"The access token lacks a scope that this needs."}
}

// A custom body, with the refusal's status and header fields.
func ExampleMiddleware_text() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	guard := httpauth.Middleware{OnError: func(w http.ResponseWriter, _ *http.Request, err *verifier.Error) {
		_, _ = fmt.Fprintln(w, err.Description()) // status and headers are set already
	}}
	h := guard.Protect(iss.Verifier("https://api.example.com"))(http.HandlerFunc(typed))

	fmt.Print(get(h, "/", iss.Token(verifiertest.Claims{"tenant": "acme"})))
	fmt.Print(get(h, "/", "rubbish"))
	// Output:
	// 200 tenant: acme
	// 401 The access token is not a well-formed JWT.
}

func typed(w http.ResponseWriter, r *http.Request) {
	tok, _ := httpauth.Token(r)
	claims, err := verifier.ClaimsOf[struct {
		Tenant string `json:"tenant"`
	}](tok)
	if err != nil {
		httpauth.Refuse(w, r, err)
		return
	}
	fmt.Fprintln(w, "tenant:", claims.Tenant)
}

func ExampleMiddleware() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	guard := httpauth.Middleware{OnError: func(w http.ResponseWriter, r *http.Request, err *verifier.Error) {
		title := "not allowed"
		if errors.Is(err, verifier.ErrExpired) {
			title = "get a new token"
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(err.Status())
		fmt.Fprintf(w, "{\"title\":%q}\n", title)
	}}
	h := guard.Protect(iss.Verifier("https://api.example.com"))(http.HandlerFunc(listOrders))

	fmt.Print(get(h, "/", iss.Token(verifiertest.Claims{"exp": 1})))
	// Output:
	// 401 {"title":"get a new token"}
}

// A route for tokens and for API keys.
func ExampleGuard() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	v := iss.Verifier("https://api.example.com")

	apiKey := func(r *http.Request) (context.Context, error) {
		if !validKey(r.Header.Get("X-API-Key")) {
			return nil, verifier.ErrNoToken
		}
		return r.Context(), nil
	}
	either := httpauth.Guard(verifier.FirstOf(apiKey, v.Protect(verifier.Scope("orders:read"))))
	h := either(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, sent := httpauth.Token(r)
		fmt.Fprintln(w, "with a token:", sent)
	}))

	fmt.Print(get(h, "/", iss.Token(verifiertest.Claims{"scope": "orders:read"})))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-API-Key", "key of the nightly job")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Print(w.Code, " ", w.Body)
	// Output:
	// 200 with a token: true
	// 200 with a token: false
}

func validKey(key string) bool {
	return subtle.ConstantTimeCompare([]byte(key), []byte("key of the nightly job")) == 1
}

// get returns the status and the body of one request to h.
func get(h http.Handler, path, token string) string {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return fmt.Sprint(w.Code, " ", w.Body)
}

// A client that knows only an address learns from the challenge where to get a token.
func ExampleHandleMetadata() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	v, err := verifier.Settings{Resources: []verifier.Resource{{
		URL:  "https://api.example.com/orders",
		Name: "Orders",
	}}}.New(iss.Config("https://api.example.com/orders"))
	if err != nil {
		panic(err)
	}
	defer v.Close()

	mux := http.NewServeMux()
	httpauth.HandleMetadata(mux, v)
	mux.Handle("/orders", httpauth.Protect(v, verifier.Scope("orders:read"))(http.HandlerFunc(listOrders)))

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/orders", nil))
	fmt.Println(w.Header().Get("WWW-Authenticate"))
	w = httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/.well-known/oauth-protected-resource/orders", nil))
	fmt.Println(strings.ReplaceAll(w.Body.String(), iss.URL(), "https://login.example.com"))
	// Output:
	// Bearer realm="api", scope="orders:read", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/orders"
	// {"resource":"https://api.example.com/orders","authorization_servers":["https://login.example.com"],"scopes_supported":["orders:read"],"bearer_methods_supported":["header"],"resource_name":"Orders"}
}
