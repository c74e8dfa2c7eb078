package verifier

import (
	"context"
	"maps"
	"net/http"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/internal/testbinding"
)

// extensions are optional parts of a Verifier. Nothing exported sets them yet.
type extensions struct {
	bindings []binding
	revoked  func(context.Context, *Token) (bool, error)
}

// A binding confirms that the sender of a request holds the key that its token
// is bound to by a member of cnf (RFC 7800 §3.1).
type binding struct {
	member  string // of cnf
	scheme  string // of the Authorization field, "" for Bearer
	confirm func(r *http.Request, raw string, t *Token) (http.Header, error)
}

func init() {
	testbinding.Add = func(v any, member string, confirm func(*http.Request) (http.Header, error)) {
		a := v.(*Verifier).api
		a.bindings = append(a.bindings, binding{member: member, confirm: func(r *http.Request, _ string, _ *Token) (http.Header, error) {
			return confirm(r)
		}})
	}
}

// cutBindingScheme calls cutScheme with the scheme of each binding.
func (a *api) cutBindingScheme(field string) (string, *binding, bool) {
	for i := range a.bindings {
		b := &a.bindings[i]
		if b.scheme == "" {
			continue
		}
		if raw, found := cutScheme(field, b.scheme); found {
			return raw, b, true
		}
	}
	return "", nil, false
}

var boundToken = refusal(ErrBinding, "the token has cnf")

// confirmBinding checks a token that has cnf, or that was sent with a binding's scheme.
// At least one member of cnf must have a binding, every binding whose member is there
// must confirm it, and the scheme must be the one that these bindings require.
func (a *api) confirmBinding(r *http.Request, raw string, scheme *binding, t *Token) (header http.Header, _ *Error) {
	switch {
	case !t.bound:
		return nil, t.refused(refusal(ErrBinding, "the token is not bound, but was sent with the scheme %s", scheme.scheme))
	case r == nil:
		return nil, boundToken
	}
	confirmed, required := false, ""
	for i := range a.bindings {
		b := &a.bindings[i]
		if t.members().At(jose.Path{"cnf", b.member}) == "" {
			continue
		}
		h, err := b.confirm(r, raw, t)
		if err != nil {
			return nil, t.refused(asRefusal(err, ErrBinding))
		}
		confirmed = true
		if b.scheme != "" {
			required = b.scheme
		}
		if header == nil {
			header = maps.Clone(h)
		} else {
			maps.Copy(header, h)
		}
	}
	sent := ""
	if scheme != nil {
		sent = scheme.scheme
	}
	if !confirmed || sent != required {
		return nil, t.refused(refusal(ErrBinding, "cnf is not confirmed by the scheme that the token was sent with"))
	}
	return header, nil
}

func (a *api) checkRevocation(ctx context.Context, t *Token) *Error {
	switch revoked, err := a.revoked(ctx, t); {
	case err != nil:
		return t.refused(&Error{Reason: ErrUnavailable, Err: err})
	case revoked:
		return t.refused(&Error{Reason: ErrRevoked})
	}
	return nil
}
