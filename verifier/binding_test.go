package verifier_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// What later packages will bring fits into the core, and no adapter knows of it:
// here it is a binding whose proof is a header field, a list of revoked tokens,
// and an observer.
func TestExtensions(t *testing.T) {
	s := signerOf("ES256")
	var seen []verifier.Decision
	v, _ := setup(t, func(cfg *set) {
		cfg.Rules = []verifier.Rule{verifier.Scope("orders:read")}
		cfg.Observe = func(_ context.Context, d verifier.Decision) { seen = append(seen, d) }
	})
	confirmed, unreachable := 0, errors.New("the list is not there")
	verifier.Extend(v,
		[]verifier.Binding{{Member: "pop", Scheme: "PoP", Confirm: func(r *http.Request, tok *verifier.Token, key string) (verifier.Confirmation, error) {
			confirmed++
			if key != "key" || r.Header.Get("Proof") != "of "+tok.ID() {
				return verifier.Confirmation{}, errors.New("no such proof")
			}
			return verifier.Confirmation{Header: http.Header{"Pop-Nonce": {"next"}}}, nil
		}}},
		func(_ context.Context, tok *verifier.Token) (bool, error) {
			if tok.ID() == "lost" {
				return false, unreachable
			}
			return tok.ID() == "revoked", nil
		},
	)
	app := httpauth.Protect(v)(httpauth.Require(verifier.Client("billing"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tok, _ := httpauth.Token(r)
		_, _ = w.Write([]byte(tok.ClientID()))
	})))
	bound := func(claims members) string { return s.token(nil, claims.Over(members{"cnf": `{"pop":"key"}`})) }
	for _, row := range []struct {
		name, scheme, raw, proof string
		reason                   error
		observed                 int
		proofs                   int
	}{
		{"B1 a bound token with its proof", "PoP", bound(nil), "of 1", nil, 2, 1},
		{"B1 the same once more is confirmed again", "PoP", bound(nil), "of 1", nil, 2, 1},
		{"B1 the same without a proof", "PoP", bound(nil), "", verifier.ErrBinding, 1, 1},
		{"B1 a bound token as Bearer", "Bearer", bound(nil), "of 1", verifier.ErrBinding, 1, 0},
		{"B1 a token that is not bound, with the scheme", "PoP", s.good(), "of 1", verifier.ErrBinding, 1, 0},
		{"B1 a token bound to what nobody knows", "PoP", s.token(nil, members{"cnf": `{"x":"key"}`}), "of 1", verifier.ErrBinding, 1, 0},
		{"B1 a token bound to what nobody knows, as Bearer", "Bearer", s.token(nil, members{"cnf": `{"x":"key"}`}), "of 1", verifier.ErrBinding, 1, 0},
		{"B1 a token that is not bound", "Bearer", s.good(), "", nil, 2, 0},
		{"C11 a revoked token", "Bearer", s.token(nil, members{"jti": `"revoked"`}), "", verifier.ErrRevoked, 1, 0},
		{"C11 a token of which it cannot be said", "Bearer", s.token(nil, members{"jti": `"lost"`}), "", verifier.ErrUnavailable, 1, 0},
		{"C11 a refusal inside", "Bearer", s.token(nil, members{"client_id": `"x"`}), "", verifier.ErrDenied, 2, 0},
		{"R1 another scheme", "Basic", "x", "", verifier.ErrNoToken, 1, 0},
		{"A5 a forged token", "Bearer", newSigner("ES256").good(), "", verifier.ErrSignature, 1, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			seen, confirmed = nil, 0
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Authorization", row.scheme+" "+row.raw)
			r.Header.Set("Proof", row.proof)
			w := httptest.NewRecorder()
			app.ServeHTTP(w, r)
			require.Len(t, seen, row.observed)
			assert.Equal(t, row.proofs, confirmed)
			last := seen[len(seen)-1]
			assert.Equal(t, row.observed == 2, last.Inner)
			if row.reason == nil {
				assert.Equal(t, 200, w.Code)
				assert.Equal(t, "billing", last.Caller.ClientID)
				assert.NoError(t, last.Reason)
				assert.Equal(t, row.proofs == 1, w.Header().Get("Pop-Nonce") == "next", "SetHeaders")
				return
			}
			assert.Equal(t, promised[row.reason].status, w.Code)
			assert.Equal(t, row.reason, last.Reason)
			assert.Equal(t, row.reason == verifier.ErrSignature || row.reason == verifier.ErrNoToken, last.Caller == verifier.Caller{}, "who it was is known by a signature only")
		})
	}
	t.Run("B1 the cause names the scheme", func(t *testing.T) {
		r := anonymous()
		r.Header.Set("Authorization", "PoP "+s.good())
		_, err := v.Authenticate(r)
		assertRefused(t, verifier.ErrBinding, err)
		assert.ErrorContains(t, err, "the token is not bound, but was sent with the scheme PoP")
	})
	t.Run("R8 nobody is observed where no token was sent", func(t *testing.T) {
		seen = nil
		require.NoError(t, guardError(v.Optional(), anonymous()))
		require.Len(t, seen, 1)
		assert.NoError(t, seen[0].Reason)
		assert.Equal(t, verifier.Caller{}, seen[0].Caller)
	})
	t.Run("B1 without a request nothing confirms", func(t *testing.T) {
		_, err := v.Verify(ctx, bound(nil))
		assertRefused(t, verifier.ErrBinding, err)
		_, err = v.Verify(ctx, newSigner("ES256").token(nil, members{"cnf": `{"pop":"key"}`}))
		assertRefused(t, verifier.ErrBinding, err) // before the signature
		r, raw := anonymous(), bound(nil)
		r.Header.Set("Authorization", "PoP "+raw)
		r.Header.Set("Proof", "of 1")
		require.NoError(t, guardError(v.Protect(), r))
		_, err = v.Verify(ctx, raw) // which is remembered now
		assertRefused(t, verifier.ErrBinding, err)
	})
	t.Run("what was observed", func(t *testing.T) {
		raw := s.token(nil, members{"jti": `"observed"`})
		seen = nil
		verified(t, v, raw)
		verified(t, v, raw)
		require.Len(t, seen, 2)
		assert.Positive(t, seen[0].Signature)
		assert.False(t, seen[0].Remembered)
		assert.Equal(t, verifier.DefaultTokenCache > 0, seen[1].Remembered)
		assert.Equal(t, "observed", seen[1].Caller.ID)
	})
	t.Run("R8 what no guard admits is observed once, and what one admits, too", func(t *testing.T) {
		other, _ := setup(t)
		for _, guards := range [][]verifier.Guard{{v.Protect()}, {v.Protect(), v.Protect()}, {other.Protect(), v.Protect()}} {
			seen = nil
			assertRefused(t, verifier.ErrNoToken, guardError(verifier.FirstOf(guards...), anonymous()))
			require.Len(t, seen, 1)
			assert.Equal(t, verifier.ErrNoToken, seen[0].Reason)
			seen = nil
			require.NoError(t, guardError(verifier.FirstOf(v.Protect()), bearer(s.good())))
			require.Len(t, seen, 1)
			assert.NoError(t, seen[0].Reason)
		}
		seen = nil
		assertRefused(t, verifier.ErrNoToken, guardError(verifier.FirstOf(v.Protect(), other.Protect()), anonymous()))
		assert.Empty(t, seen, "the refusal is the other's, who has no observer")
	})
	t.Run("R8 what another guard may still admit is not observed", func(t *testing.T) {
		seen = nil
		key := verifier.Guard(func(r *http.Request) (context.Context, error) { return r.Context(), nil })
		_, err := verifier.FirstOf(v.Protect(), key)(anonymous())
		require.NoError(t, err)
		assert.Empty(t, seen)
	})
}

// A token may be bound in two ways. Each binding has to confirm it, and the response
// has the header fields of both.
func TestTwoBindings(t *testing.T) {
	refuses := map[string]bool{}
	confirm := func(name string) func(*http.Request, *verifier.Token, string) (verifier.Confirmation, error) {
		return func(*http.Request, *verifier.Token, string) (verifier.Confirmation, error) {
			if refuses[name] {
				return verifier.Confirmation{}, errors.New("no proof of " + name)
			}
			return verifier.Confirmation{Header: http.Header{name: {"confirmed"}}}, nil
		}
	}
	v, _ := setup(t)
	verifier.Extend(v, []verifier.Binding{
		{Member: "a", Scheme: "PoP", Confirm: confirm("Proof-A")}, {Member: "b", Confirm: confirm("Proof-B")},
	}, nil)
	raw := signerOf("ES256").token(nil, members{"cnf": `{"a":"key","b":"key"}`})
	r := anonymous()
	r.Header.Set("Authorization", "PoP "+raw)

	h := http.Header{}
	verifier.SetHeaders(behind(t, v.Protect(), r), h)
	assert.Equal(t, http.Header{"Proof-A": {"confirmed"}, "Proof-B": {"confirmed"}}, h, "B1")
	assertRefused(t, verifier.ErrBinding, guardError(v.Protect(), bearer(raw)))
	for _, field := range []string{"", " " + raw} { // the second binding has no scheme
		other := anonymous()
		other.Header["Authorization"] = []string{field}
		assertRefused(t, verifier.ErrNoToken, guardError(v.Protect(), other))
	}
	for name := range h {
		t.Run("B1 refused by "+name, func(t *testing.T) {
			refuses[name] = true
			defer delete(refuses, name)
			err := guardError(v.Protect(), r)
			assertRefused(t, verifier.ErrBinding, err)
			assert.ErrorContains(t, err, "no proof of "+name)
		})
	}
}
