package peers

import (
	"crypto/rand"
	"maps"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
)

// What every token says and everyone demands.
const (
	Issuer   = "https://login.example.com/"
	Audience = "https://api.example.com"
)

// An Authority is the server that everyone trusts: it signs with one algorithm
// and publishes its keys over HTTP on loopback.
type Authority struct {
	*authserver.Server
	Alg  string
	JWKS string // the address of its key set
	http *httptest.Server
}

// Must returns v. What is set up here fails only where the program is wrong or
// its libraries are, so nothing goes on without.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// NewAuthority starts a server with two keys, the second of which signs.
func NewAuthority(alg string) *Authority {
	server := Must(authserver.New(Issuer, alg))
	Must(0, server.Rotate(""))
	h := httptest.NewServer(server)
	return &Authority{Server: server, Alg: alg, JWKS: h.URL + "/jwks.json", http: h}
}

// Close ends the server.
func (a *Authority) Close() { a.http.Close() }

// With returns a machine's token, good for an hour but for these claims; nil
// leaves one out.
func (a *Authority) With(claims map[string]any) string {
	now := time.Now()
	all := map[string]any{
		"iss": Issuer, "aud": []string{Audience, "https://billing.example.com"},
		"sub": "billing-service", "client_id": "billing-service", "jti": rand.Text(),
		"iat": now.Unix(), "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(),
		"scope": "orders:read orders:write invoices:read", "tenant": "acme",
		"roles": []string{"reader", "writer"},
	}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return Must(a.Token(all))
}

// Good returns n distinct good tokens.
func (a *Authority) Good(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = a.With(nil)
	}
	return all
}

// Bad returns tokens that must be refused, by what is wrong with them.
func (a *Authority) Bad() map[string]string {
	all := make(map[string]string)
	for what, claims := range map[string]map[string]any{
		"an expired token":         {"exp": time.Now().Add(-time.Hour).Unix()},
		"a token not yet valid":    {"nbf": time.Now().Add(30 * time.Minute).Unix()},
		"a token without exp":      {"exp": nil},
		"another audience's token": {"aud": []string{"https://other.example.com"}},
		"another issuer's token":   {"iss": "https://other.example.com/"},
		"a broken signature":       nil,
	} {
		raw := a.With(claims)
		if claims == nil {
			at := strings.LastIndexByte(raw, '.') + 10
			raw = raw[:at] + string('A'+(raw[at]-'A'+1)%26) + raw[at+1:]
		}
		all[what] = raw
	}
	return all
}
