package verifier

import (
	"context"
	"net/http"
)

// Verify verifies raw, a token without "Bearer", and applies rules. The error is an
// [*Error]. A token that is bound to a sender's key (RFC 7800) is refused, because
// there is no request that could prove possession. Most programs use
// [Verifier.Authenticate] or an adapter instead.
func (v *Verifier) Verify(ctx context.Context, raw string, rules ...Rule) (*Token, error) {
	return v.authenticate(call{ctx: ctx, raw: raw}, rules)
}

// Authenticate reads the token from r, verifies it and applies rules. The error is an
// [*Error], whose ServeHTTP writes the response. The token is read from the
// Authorization field (RFC 6750 §2.1) or by Settings.TokenFrom, never from the query
// or a form.
//
// A DPoP proof admits one request ([Settings.Bindings]): a second call for the same
// request is refused as a replay, unless Protect or another Guard has admitted it.
//
// Authenticate works with every framework that has an *http.Request. Where the rules
// are fixed, prefer [Verifier.Protect], which checks them once.
func (v *Verifier) Authenticate(r *http.Request, rules ...Rule) (*Token, error) {
	return v.authenticate(call{ctx: r.Context(), request: r}, rules)
}

func (v *Verifier) authenticate(c call, rules []Rule) (*Token, error) {
	g, err := v.decide(c, rules)
	if err != nil {
		return nil, err
	}
	return g.token, nil
}
