package verifier_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// The examples' tokens come from these two authorization servers.
var login, partner = newSigner("ES256"), newSigner("Ed25519")

// exampleKeys returns the keys of s. A program omits Config.Keys, and finds its issuer's
// keys through the metadata.
func exampleKeys(s signer) verifier.KeySource {
	return must(jwkscache.Static(jwttest.JWKS(s.JWK(nil))))
}

func Example() {
	v, err := verifier.New(verifier.Config{
		Issuer:    "https://login.example.com/",
		Audiences: []string{"https://api.example.com"},
		Keys:      exampleKeys(login), // without it: discovered from Issuer
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()

	raw := login.token(nil, members{"client_id": `"billing"`, "scope": `"orders:read"`})
	tok, err := v.Verify(context.Background(), raw)
	fmt.Println(tok.ClientID(), tok.Scopes(), err)

	_, err = v.Verify(context.Background(), raw[:len(raw)-4]+"AAAA")
	fmt.Println(errors.Is(err, verifier.ErrSignature))
	// Output:
	// billing [orders:read] <nil>
	// true
}

// One service has two audiences. Every route names its own.
func ExampleAudience() {
	v, err := verifier.New(verifier.Config{
		Issuer:    "https://login.example.com/",
		Audiences: []string{"https://api.example.com", "https://billing.example.com"},
		Keys:      exampleKeys(login),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()
	orders := v.Protect(verifier.Audience("https://api.example.com"))
	invoices := v.Protect(verifier.Audience("https://billing.example.com"))

	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+login.token(nil, members{"aud": `"https://billing.example.com"`}))
	_, refused := orders(r)
	fmt.Println(refused)
	_, refused = invoices(r)
	fmt.Println(refused == nil)
	// Output:
	// jwtguard: token is for another audience: aud is "https://billing.example.com", the rule requires ["https://api.example.com"]
	// true
}

func ExampleScope() {
	v, err := verifier.New(verifier.Config{
		Issuer: "https://login.example.com/", Audiences: []string{"https://api.example.com"}, Keys: exampleKeys(login),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()

	raw := login.token(nil, members{"scope": `"orders:read"`})
	_, err = v.Verify(context.Background(), raw, verifier.Scope("orders:read", "orders:write"))
	var refused *verifier.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Status(), refused.Code(), refused.Scopes)
	}
	// Output: 403 insufficient_scope [orders:read orders:write]
}

// A handler whose rules depend on the request.
func ExampleRequire() {
	v, err := verifier.New(verifier.Config{
		Issuer: "https://login.example.com/", Audiences: []string{"https://api.example.com"}, Keys: exampleKeys(login),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()

	handler := func(ctx context.Context, dryRun bool) error {
		if !dryRun {
			if err := verifier.Require(ctx, verifier.Scope("orders:delete")); err != nil {
				return err
			}
		}
		return nil
	}
	r := httptest.NewRequest(http.MethodDelete, "/orders/1", nil)
	r.Header.Set("Authorization", "Bearer "+login.good())
	ctx, refused := v.Protect()(r)
	if refused != nil {
		fmt.Println(refused)
		return
	}
	fmt.Println(handler(ctx, true))
	fmt.Println(handler(ctx, false))
	// Output:
	// <nil>
	// jwtguard: a scope is missing (needs "orders:delete"): the token has "orders:read orders:write" in scope, scp; the rule requires "orders:delete"
}

// Custom claims, in a struct.
func ExampleClaimsOf() {
	v, err := verifier.New(verifier.Config{
		Issuer: "https://login.example.com/", Audiences: []string{"https://api.example.com"}, Keys: exampleKeys(login),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()
	tok, err := v.Verify(context.Background(), login.token(nil, members{"tenant": `"blue"`, "roles": `["reader"]`}))
	if err != nil {
		fmt.Println(err)
		return
	}

	type claims struct {
		Tenant string   `json:"tenant"`
		Roles  []string `json:"roles"`
	}
	c, err := verifier.ClaimsOf[claims](tok)
	fmt.Println(c.Tenant, c.Roles, err)
	// Output: blue [reader] <nil>
}

// A rule made of a function.
func ExampleCheck() {
	revoked := map[string]bool{"42": true}
	notRevoked := verifier.Check(func(_ context.Context, tok *verifier.Token) error {
		if revoked[tok.ID()] {
			return &verifier.Error{Reason: verifier.ErrRevoked}
		}
		return nil
	})
	v, err := verifier.New(verifier.Config{
		Issuer: "https://login.example.com/", Audiences: []string{"https://api.example.com"}, Keys: exampleKeys(login),
		Rules: []verifier.Rule{notRevoked},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()
	for _, jti := range []string{"41", "42"} {
		_, err := v.Verify(context.Background(), login.token(nil, members{"jti": `"` + jti + `"`}))
		fmt.Println(jti, err)
	}
	// Output:
	// 41 <nil>
	// 42 jwtguard: token has been revoked
}

// Two issuers, each with its own keys and rules.
func ExampleNew_severalIssuers() {
	v, err := verifier.New(
		verifier.Config{
			Issuer: "https://login.example.com/", Audiences: []string{"https://api.example.com"}, Keys: exampleKeys(login),
		},
		verifier.Config{
			Issuer: "https://partner.example/", Audiences: []string{"https://api.example.com"}, Keys: exampleKeys(partner),
			Rules: []verifier.Rule{verifier.Client("courier")},
		},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()

	for _, raw := range []string{
		login.good(),
		partner.token(nil, members{"iss": `"https://partner.example/"`, "client_id": `"courier"`}),
		partner.token(nil, members{"iss": `"https://login.example.com/"`}), // signed by the wrong issuer
	} {
		tok, err := v.Verify(context.Background(), raw)
		if err != nil {
			fmt.Println(errors.Is(err, verifier.ErrSignature))
			continue
		}
		fmt.Println(tok.Issuer(), tok.ClientID())
	}
	// Output:
	// https://login.example.com/ billing
	// https://partner.example/ courier
	// true
}

// Keys from a file instead of the issuer's server.
func ExampleConfig_staticKeys() {
	keys, err := jwkscache.Static([]byte(`{"keys":[
		{"kty":"OKP","crv":"Ed25519","kid":"2025","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
	]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := verifier.New(verifier.Config{
		Issuer: "https://login.example.com/", Audiences: []string{"https://api.example.com"}, Keys: keys,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()
	fmt.Println(v.Health())
	// Output: <nil>
}

// A secret shared with the issuer. Everyone who can check such tokens can also issue them.
func ExampleConfig_sharedSecrets() {
	secret := []byte("32 bytes or more, from a secret store")
	v, err := verifier.New(verifier.Config{
		Issuer: "https://login.example.com/", Audiences: []string{"https://api.example.com"}, SharedSecrets: [][]byte{secret},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()
	_, err = v.Verify(context.Background(), hmacSigner("HS256", secret).good())
	fmt.Println(err)
	_, err = v.Verify(context.Background(), login.good())
	fmt.Println(err)
	// Output:
	// <nil>
	// jwtguard: algorithm not allowed: alg is "ES256", not one of HS256
}

// A response with a custom body.
func ExampleError_SetHeaders() {
	v, err := verifier.Settings{Realm: "orders"}.New(verifier.Config{
		Issuer: "https://login.example.com/", Audiences: []string{"https://api.example.com"}, Keys: exampleKeys(login),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()
	handler := func(w http.ResponseWriter, r *http.Request) {
		if _, err := v.Authenticate(r); err != nil {
			refused := verifier.AsError(r.Context(), err)
			refused.SetHeaders(w.Header())
			http.Error(w, "please log in", refused.Status())
			return
		}
		fmt.Fprintln(w, "welcome")
	}
	w := httptest.NewRecorder()
	handler(w, httptest.NewRequest(http.MethodGet, "/", nil))
	fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"), w.Header().Get("Cache-Control"))
	fmt.Print(w.Body)
	// Output:
	// 401 Bearer realm="orders" no-store
	// please log in
}

// Explain names what is wrong with a token, all at once.
func ExampleVerifier_Explain() {
	v, err := verifier.New(verifier.Config{
		Issuer:    "https://login.example.com/",
		Audiences: []string{"https://api.example.com"},
		Keys:      exampleKeys(login),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()

	r := v.Explain(context.Background(), "2YotnFZFEjr1zCsicMWpAA")
	fmt.Println(r.Admitted, r.Mistake.Code)
	fmt.Print(r)
	// Output:
	// false opaque_token
	// REFUSED at form: 401 invalid_token
	//
	//   opaque_token
	//   This is not a JWT: only its issuer knows what it means.
	//   Let the issuer send JWT access tokens for this API; some
	//   do so only if the client names the API in its request.
	//
	// FAIL  form       22 bytes, 1 segment
	//       demanded   a JWT (RFC 7519) in compact form, at most
	//                  16384 bytes
}

// A route for users who have authenticated with more than a password, in the last ten
// minutes. The client learns from the challenge what to ask the authorization server for.
func ExampleStepUp() {
	v, err := verifier.New(verifier.Config{
		Issuer:    "https://login.example.com/",
		Audiences: []string{"https://api.example.com"},
		Keys:      exampleKeys(login),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer v.Close()
	transfer := v.Protect(verifier.StepUp(10*time.Minute, "phr"), verifier.Scope("payments:write"))

	r := httptest.NewRequest(http.MethodPost, "/transfers", nil)
	r.Header.Set("Authorization", "Bearer "+login.token(nil, members{"acr": `"pwd"`, "scope": `"payments:write"`}))
	_, err = transfer(r)
	w := httptest.NewRecorder()
	verifier.AsError(r.Context(), err).ServeHTTP(w, r)
	fmt.Println(w.Code)
	for part := range strings.SplitSeq(w.Header().Get("WWW-Authenticate"), ", ") {
		fmt.Println(part)
	}
	// Output:
	// 401
	// Bearer realm="api"
	// error="insufficient_user_authentication"
	// error_description="The user must authenticate again as the challenge says."
	// acr_values="phr"
	// max_age="600"
	// scope="payments:write"
}
