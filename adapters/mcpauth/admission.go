package mcpauth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// An admission is what Protect knows of a request. The SDK hands it, with the request's
// TokenInfo, to the middleware that enforces the tools' rules.
type admission struct {
	ctx       context.Context // of the HTTP request, with the token
	tools     Tools
	permitted []string        // keys of tools whose rules the token has passed
	info      context.Context // has nothing but the SDK's TokenInfo
}

// extraKey is an admission's place in TokenInfo.Extra.
const extraKey = "github.com/seed-12ed5b1c/jwtguard"

// admissionOf returns the admission of a request that the SDK has parsed, or nil.
func admissionOf(req mcp.Request) *admission {
	extra := req.GetExtra()
	if extra == nil || extra.TokenInfo == nil {
		return nil
	}
	a, _ := extra.TokenInfo.Extra[extraKey].(*admission)
	return a
}

// require applies the rules that tools has for keys.
func (a *admission) require(keys ...string) error {
	var rules []verifier.Rule
	for _, key := range keys {
		rules = append(rules, a.tools[key]...)
	}
	if len(rules) == 0 {
		return nil
	}
	return verifier.Require(a.ctx, rules...)
}

// forSDK returns the context of the request for the SDK, which ends with the token if
// the response is a stream.
//
// Whatever is in the context of the request that opens a session, the SDK shows to all
// later requests of the session. So the token is not in it: enforce puts that of each
// request into the context of its handler, and its TokenInfo in place of the opener's.
func (a *admission) forSDK(stream bool) (ctx context.Context, cancel context.CancelFunc) {
	ctx, cancel = a.ctx, func() {}
	if stream {
		ctx, cancel = verifier.UntilExpiry(ctx)
	}
	t, _ := verifier.FromContext(a.ctx)
	a.info = tokenInfo(a, t)
	return infoContext{verifier.NewContext(ctx, nil), a.info}, cancel
}

// tokenInfo returns a context that has nothing but the TokenInfo of t. The SDK does not
// export the key, so the SDK's own middleware puts it in, for a request that has no token
// to check.
func tokenInfo(a *admission, t *verifier.Token) (ctx context.Context) {
	info := &auth.TokenInfo{Scopes: t.Scopes(), UserID: userID(t), Extra: map[string]any{extraKey: a}}
	set := auth.RequireBearerToken(
		func(context.Context, string, *http.Request) (*auth.TokenInfo, error) { return info, nil },
		&auth.RequireBearerTokenOptions{AllowMissingExpiration: true}, // which Protect has checked, with the leeway
	)
	r := (&http.Request{Header: http.Header{"Authorization": {"Bearer -"}}}).WithContext(context.Background())
	set(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ctx = r.Context() })).ServeHTTP(nil, r)
	info.Expiration = t.Expiry()
	return ctx
}

// An infoContext is a context with the TokenInfo of another.
type infoContext struct {
	context.Context
	info context.Context
}

func (c infoContext) Value(key any) any {
	if info, ok := c.info.Value(key).(*auth.TokenInfo); ok {
		return info
	}
	return c.Context.Value(key)
}

// userID names the caller, to whom the SDK ties a session. A client id is unique only
// within its issuer, and a subject may use several clients. A token that names neither
// has a session of its own.
func userID(t *verifier.Token) string {
	id := fmt.Sprintf("%q %q %q", t.Issuer(), t.ClientID(), t.Subject())
	if t.ClientID() == "" && t.Subject() == "" {
		id += fmt.Sprintf(" %x", sha256.Sum256([]byte(t.Raw())))
	}
	return id
}
