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

// No adapter knows of what extends the core: here it is a binding whose proof is a
// header field, a list of revoked tokens, and an observer.
func TestExtensions(t *testing.T) {
	s := signerOf("ES256")
	var seen []verifier.Decision
	confirmed, unreachable := 0, errors.New("the list is not there")
	v, _ := setup(t, func(cfg *set) {
		cfg.Rules = []verifier.Rule{verifier.Scope("orders:read")}
		cfg.Observe = func(_ context.Context, d verifier.Decision) { seen = append(seen, d) }
		cfg.Bindings = []verifier.Binding{{Member: "pop", Scheme: "PoP", Confirm: func(r *http.Request, tok *verifier.Token, key string) (verifier.Confirmation, error) {
			confirmed++
			if key != "key" || r.Header.Get("Proof") != "of "+tok.ID() {
				return verifier.Confirmation{}, errors.New("no such proof")
			}
			return verifier.Confirmation{Header: http.Header{"Pop-Nonce": {"next"}}}, nil
		}}}
		cfg.Revocation = revokedFunc(func(_ context.Context, tok *verifier.Token) (bool, error) {
			if tok.ID() == "lost" {
				return false, unreachable
			}
			return tok.ID() == "revoked", nil
		})
	})
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
	v, _ := setup(t, func(cfg *set) {
		cfg.Bindings = []verifier.Binding{
			{Member: "a", Scheme: "PoP", Confirm: confirm("Proof-A")}, {Member: "b", Confirm: confirm("Proof-B")},
		}
	})
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

// A Binding that cannot work is an error of New, and so is Bound without one.
func TestBindingErrors(t *testing.T) {
	confirm := func(*http.Request, *verifier.Token, string) (c verifier.Confirmation, err error) { return c, nil }
	good := verifier.Binding{Member: "jkt", Scheme: "DPoP", Algorithms: []string{"ES256"}, Confirm: confirm}
	for name, row := range map[string]struct {
		change func(*verifier.Binding)
		want   string
	}{
		"empty":              {func(b *verifier.Binding) { *b = verifier.Binding{} }, "in Bindings[1]: it is empty"},
		"no Member":          {func(b *verifier.Binding) { b.Member = "" }, "in Bindings[1]: it is empty"},
		"no Confirm":         {func(b *verifier.Binding) { b.Confirm = nil }, "in Bindings[1]: it is empty"},
		"the same Member":    {func(b *verifier.Binding) { b.Member = "jkt" }, `two Bindings have the Member "jkt"`},
		"Bearer":             {func(b *verifier.Binding) { b.Scheme = "bearer" }, `in Bindings[1]: the Scheme is "bearer"`},
		"no scheme":          {func(b *verifier.Binding) { b.Scheme = "PoP x" }, `in Bindings[1]: the Scheme is "PoP x"`},
		"no algorithm":       {func(b *verifier.Binding) { b.Algorithms = []string{"ES256", "a b"} }, "in Bindings[1]: it has Algorithms"},
		"an empty algorithm": {func(b *verifier.Binding) { b.Algorithms = []string{""} }, "in Bindings[1]: it has Algorithms"},
	} {
		t.Run("B7 "+name, func(t *testing.T) {
			second := good
			second.Member, second.Scheme = "pop", ""
			row.change(&second)
			_, err := verifier.Settings{Bindings: []verifier.Binding{good, second}}.New(newSet().Config)
			require.ErrorContains(t, err, "verifier: "+row.want)
		})
	}
	t.Run("B7 Bound without a Binding", func(t *testing.T) {
		const want = "rule Bound: there are no Settings.Bindings that could confirm a token"
		_, err := verifier.New(newSet(func(s *set) { s.Rules = []verifier.Rule{verifier.Bound()} }).Config)
		require.ErrorContains(t, err, want)
		v, _ := setup(t)
		assert.PanicsWithValue(t, "verifier: "+want, func() { v.Protect(verifier.Bound()) })
	})
}

type ownKey struct{}

// The order of what a Binding does, and what its errors mean.
func TestBindingCalls(t *testing.T) {
	var calls []string
	fails := map[string]error{}
	call := func(name string) error {
		calls = append(calls, name)
		return fails[name]
	}
	binding := verifier.Binding{
		Member: "pop",
		Check:  func(*http.Request) error { return call("check") },
		Confirm: func(r *http.Request, _ *verifier.Token, key string) (verifier.Confirmation, error) {
			return verifier.Confirmation{
				Header: http.Header{"Pop-Nonce": {"next"}},
				Record: func(context.Context) error { return call("record") },
				Proof:  r.Header.Get("Proof"),
			}, call("confirm " + key)
		},
	}
	v, _ := setup(t, func(s *set) { s.Bindings = []verifier.Binding{binding} })
	rule := verifier.Check(func(context.Context, *verifier.Token) error { return call("rule") })
	sign := func(cnf string) string { return signerOf("ES256").token(nil, members{"cnf": cnf}) }
	bound := sign(`{"pop":"key"}`)
	for _, row := range []struct {
		name   string
		raw    string
		fails  map[string]error
		calls  []string
		reason error // nil if it is admitted
	}{
		{"B4 recorded last", bound, nil, []string{"check", "confirm key", "rule", "record"}, nil},
		{"B9 checked without cnf", signerOf("ES256").good(), nil, []string{"check", "rule"}, nil},
		{"B9 checked first", bound, map[string]error{"check": errors.New("a stranger's")}, []string{"check"}, verifier.ErrBinding},
		{"B9 checked without cnf, refused", signerOf("ES256").good(), map[string]error{"check": errors.New("a stranger's")}, []string{"check"}, verifier.ErrBinding},
		{"B1 not confirmed", bound, map[string]error{"confirm key": errors.New("another key")}, []string{"check", "confirm key"}, verifier.ErrBinding},
		{"B4 refused by a rule, not recorded", bound, map[string]error{"rule": errors.New("no")}, []string{"check", "confirm key", "rule"}, verifier.ErrDenied},
		{"B4 a replay", bound, map[string]error{"record": verifier.ErrReplay}, []string{"check", "confirm key", "rule", "record"}, verifier.ErrReplay},
		{"B4 a store that fails", bound, map[string]error{"record": verifier.ErrUnavailable}, []string{"check", "confirm key", "rule", "record"}, verifier.ErrUnavailable},
		{"B1 a member that is a number", sign(`{"pop":7}`), nil, []string{"check"}, verifier.ErrBinding},
		{"B1 a member that is empty", sign(`{"pop":""}`), nil, []string{"check"}, verifier.ErrBinding},
		{"B1 a member that is null", sign(`{"pop":null}`), nil, []string{"check"}, verifier.ErrBinding},
		{"B1 unknown members beside it", sign(`{"pop":"key","x":{}}`), nil, []string{"check", "confirm key", "rule", "record"}, nil},
		{"B1 jkt beside it", sign(`{"pop":"key","jkt":"x"}`), nil, []string{"check"}, verifier.ErrBinding},
		{"B1 x5t#S256 beside it", sign(`{"pop":"key","x5t#S256":"x"}`), nil, []string{"check"}, verifier.ErrBinding},
	} {
		for _, seen := range []string{"new", "remembered"} {
			t.Run(row.name+", "+seen, func(t *testing.T) {
				calls, fails = nil, row.fails
				err := guardError(v.Protect(rule), bearer(row.raw))
				assert.Equal(t, row.calls, calls)
				if row.reason == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, row.reason)
				}
			})
		}
	}

	within := func(ctx context.Context, proof string) int {
		calls = nil
		r := bearer(bound).WithContext(ctx)
		r.Header.Set("Proof", proof)
		require.NoError(t, guardError(v.Protect(), r))
		recorded := 0
		for _, c := range calls {
			if c == "record" {
				recorded++
			}
		}
		return recorded
	}
	fails = nil
	outside := bearer(bound)
	outside.Header.Set("Proof", "1")
	admitted := behind(t, v.Protect(), outside)
	assert.Equal(t, 0, within(admitted, "1"), "B4 the same proof, inside")
	assert.Equal(t, 1, within(admitted, "2"), "B4 another proof, inside")
	assert.Equal(t, 1, within(ctx, "1"), "B4 the same proof, in another request")
	key := verifier.Guard(func(r *http.Request) (context.Context, error) {
		return context.WithValue(r.Context(), ownKey{}, true), nil
	})
	between, refused := key.Admit(httptest.NewRequest(http.MethodGet, "/", nil).WithContext(admitted))
	require.Nil(t, refused)
	assert.Equal(t, 0, within(between.Context(), "1"), "B4 the same proof, with another Guard between")
}

// The header fields of a Binding replace those of before, are the response's own, and
// add to the list of fields that scripts may read.
func TestBindingHeaders(t *testing.T) {
	shared := http.Header{"Pop-Nonce": append(make([]string, 0, 2), "new"), "Access-Control-Expose-Headers": {"Pop-Nonce"}}
	v, _ := setup(t, func(s *set) {
		s.Bindings = []verifier.Binding{{
			Member: "pop", Scheme: "PoP", ChallengeHeader: func() http.Header { return shared },
			Confirm: func(*http.Request, *verifier.Token, string) (verifier.Confirmation, error) {
				return verifier.Confirmation{Header: shared}, nil
			},
		}}
	})
	r := anonymous()
	r.Header.Set("Authorization", "PoP "+signerOf("ES256").token(nil, members{"cnf": `{"pop":"key"}`}))
	admitted := behind(t, v.Protect(), r)
	_, refused := v.Authenticate(anonymous())
	for name, set := range map[string]func(http.Header){
		"B8 admitted": func(h http.Header) { verifier.SetHeaders(admitted, h) },
		"B8 refused":  verifier.AsError(ctx, refused).SetHeaders,
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{"Pop-Nonce": {"old"}, "Access-Control-Expose-Headers": {"ETag"}}
			set(h)
			set(h)
			h.Add("Pop-Nonce", "another")
			assert.Equal(t, []string{"new", "another"}, h["Pop-Nonce"])
			assert.Equal(t, []string{"ETag", "Pop-Nonce"}, h["Access-Control-Expose-Headers"])
			assert.Equal(t, []string{"new", ""}, shared["Pop-Nonce"][:2], "it is the response's own")
		})
	}
}

// A challenge of each scheme; only that of the token has the error and what belongs to it.
func TestChallengesOfSchemes(t *testing.T) {
	confirm := func(*http.Request, *verifier.Token, string) (c verifier.Confirmation, err error) { return c, nil }
	byProof := verifier.Binding{Member: "pop", Scheme: "PoP", Algorithms: []string{"ES256", "EdDSA"}, Confirm: confirm}
	v, _ := setup(t, func(s *set) { s.Bindings = []verifier.Binding{byProof} })
	bound := signerOf("ES256").token(nil, members{"cnf": `{"pop":"key"}`})
	const (
		bearer, pop = `Bearer realm="api"`, `PoP realm="api"`
		algs        = `, algs="ES256 EdDSA"`
		stepUp      = `, error="insufficient_user_authentication", error_description="The user must authenticate again as the challenge says.", acr_values="gold"`
		notValid    = `, error="invalid_token", error_description="The access token is not valid for this API."`
	)
	for name, row := range map[string]struct {
		field string
		rules []verifier.Rule
		want  []string
	}{
		"no token":                 {"", nil, []string{bearer, pop + algs}},
		"no token, Bound":          {"", []verifier.Rule{verifier.Bound()}, []string{pop + algs}},
		"StepUp":                   {"PoP " + bound, []verifier.Rule{verifier.StepUp(0, "gold")}, []string{bearer, pop + stepUp + algs}},
		"StepUp, as Bearer":        {"Bearer " + signerOf("ES256").good(), []verifier.Rule{verifier.StepUp(0, "gold")}, []string{bearer + stepUp, pop + algs}},
		"bound, as Bearer":         {"Bearer " + bound, nil, []string{bearer + notValid, pop + algs}},
		"not bound, Bound":         {"Bearer " + signerOf("ES256").good(), []verifier.Rule{verifier.Bound()}, []string{pop + notValid + algs}},
		"not bound, with a scheme": {"PoP " + signerOf("ES256").good(), nil, []string{bearer, pop + notValid + algs}},
	} {
		t.Run("B3 "+name, func(t *testing.T) {
			r := anonymous()
			if row.field != "" {
				r.Header.Set("Authorization", row.field)
			}
			_, err := v.Protect(row.rules...)(r)
			h := http.Header{}
			verifier.AsError(ctx, err).SetHeaders(h)
			assert.Equal(t, row.want, h["Www-Authenticate"])
		})
	}

	// A token that is bound without a scheme of its own is sent as Bearer.
	either, _ := setup(t, func(s *set) { s.Bindings = []verifier.Binding{{Member: "cert", Confirm: confirm}, byProof} })
	_, err := either.Protect(verifier.Bound())(anonymous())
	h := http.Header{}
	verifier.AsError(ctx, err).SetHeaders(h)
	assert.Equal(t, []string{bearer, pop + algs}, h["Www-Authenticate"], "B3")
}
