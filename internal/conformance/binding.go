package conformance

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// proofs is the table of DPoP (RFC 9449): the proof is about the request that the
// adapter's Guard sees.
func proofs(t *testing.T, f Framework) {
	iss := verifiertest.NewIssuer(t)
	verify := func(secrets ...[]byte) *verifier.Verifier {
		binding, err := dpop.New(dpop.Config{Origins: []string{OrdersAPI}, Algorithms: []string{"ES256"}, NonceSecrets: secrets})
		require.NoError(t, err)
		v, err := verifier.Settings{Realm: "orders", Bindings: []verifier.Binding{binding}}.New(iss.Config(OrdersAPI))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, v.Close()) })
		return v
	}
	v, nonces := verify(), verify([]byte(strings.Repeat("s", 32)))
	bound := []verifier.Rule{verifier.Bound()}
	app := f.Build([]Route{
		{Path: "/protect", Layers: []Layer{{Protect, v, nil}}, Handle: whoami},
		{Path: "/bound", Layers: []Layer{{Protect, v, bound}}, Handle: whoami},
		{Path: "/twice", Layers: []Layer{{Protect, v, bound}, {Protect, v, nil}}, Handle: whoami},
		{Path: "/require", Layers: []Layer{{Protect, v, nil}, {Kind: Require, Rules: []verifier.Rule{verifier.Scope("a")}}}, Handle: whoami},
		{Path: "/nonces", Layers: []Layer{{Protect, nonces, nil}}, Handle: whoami},
	})
	key := verifiertest.NewDPoPKey()
	token, plain := iss.DPoPToken(key, nil), iss.Token(nil)
	proof := func(path string, claims verifiertest.Claims) string {
		method, target := http.MethodGet, path
		if f.Route != nil {
			method, target, _ = strings.Cut(f.Route(method, path), " ")
		}
		return key.Proof(method, OrdersAPI+target+"?unsigned", token, claims)
	}
	with := func(authorization, proof string) http.Header {
		h := http.Header{"Authorization": {authorization}}
		if proof != "" {
			h["Dpop"] = []string{proof}
		}
		return h
	}
	const bearer, dpop = `Bearer realm="orders"`, `DPoP realm="orders"`
	const algs = `, algs="ES256"`
	both := func(a answer) answer {
		a.challenges = []string{bearer + strings.TrimPrefix(a.challenges[0], bearer), dpop + algs}
		return a
	}
	inDPoP := func(a answer, before string) answer {
		a.challenges = []string{bearer + before, dpop + strings.TrimPrefix(a.challenges[0], bearer) + algs}
		return a
	}
	onlyDPoP := func(a answer) answer {
		a.challenges = inDPoP(a, "").challenges[1:]
		return a
	}
	noToken := noToken
	noToken.body = `{"error_description":"An access token is needed, sent with a scheme that the challenge names."}`
	badProof := refusal(401, "invalid_dpop_proof", "The DPoP proof is missing or not valid.")
	needsNonce := refusal(401, "use_dpop_nonce", "The DPoP proof needs the nonce of the field DPoP-Nonce.")
	once, spent := proof("/protect", nil), proof("/bound", nil)
	for _, row := range []struct {
		name, path string
		header     http.Header
		want       answer // zero if admitted
	}{
		{"B2 a proof", "/protect", with("DPoP "+token, once), answer{}},
		{"B4 the same again", "/protect", with("DPoP "+token, once), inDPoP(badProof, "")},
		{"B2 another proof, the scheme in another case", "/protect", with("dpop "+token, proof("/protect", nil)), answer{}},
		{"B2 no proof", "/protect", with("DPoP "+token, ""), inDPoP(badProof, "")},
		{"B2 another method", "/protect", with("DPoP "+token, proof("/protect", verifiertest.Claims{"htm": "DELETE"})), inDPoP(badProof, "")},
		{"B2 the proof of another path", "/protect", with("DPoP "+token, proof("/bound", nil)), inDPoP(badProof, "")},
		{"B2 not a proof", "/protect", with("DPoP "+token, "x"), inDPoP(badProof, "")},
		{"B3 as Bearer", "/protect", with("Bearer "+token, proof("/protect", nil)), both(notValid)},
		{"B3 not bound, with a proof", "/protect", with("DPoP "+plain, proof("/protect", nil)), inDPoP(notValid, "")},
		{"B3 not bound", "/protect", with("Bearer "+plain, ""), answer{}},
		{"B3 no token", "/protect", nil, both(noToken)},
		{"B3 Bound, no token", "/bound", nil, onlyDPoP(noToken)},
		{"B3 Bound, not bound", "/bound", with("Bearer "+plain, ""), onlyDPoP(notValid)},
		{"B3 Bound", "/bound", with("DPoP "+token, spent), answer{}},
		{"B4 two Guards", "/twice", with("DPoP "+token, proof("/twice", nil)), answer{}},
		{"B3 a scope is missing", "/require", with("DPoP "+token, proof("/require", nil)), inDPoP(lacks("a"), `, scope="a"`)},
		{"B8 no nonce", "/nonces", with("DPoP "+token, proof("/nonces", nil)), inDPoP(needsNonce, "")},
	} {
		t.Run(row.name, func(t *testing.T) {
			res := Send(app, "", row.path, "", row.header)
			if row.want.status == 0 {
				assert.Equal(t, http.StatusOK, res.Code, "%s", res.Body)
				assert.Equal(t, "yes", res.Header().Get(Ran))
				return
			}
			assert.Equal(t, row.want, seen(res))
			assert.Equal(t, row.path == "/nonces", len(res.Header()["Dpop-Nonce"]) == 1)
		})
	}
	t.Run("B8 the nonce of the challenge", func(t *testing.T) {
		nonce := Send(app, "", "/nonces", "", nil).Header().Get("DPoP-Nonce")
		res := Send(app, "", "/nonces", "", with("DPoP "+token, proof("/nonces", verifiertest.Claims{"nonce": nonce})))
		assert.Equal(t, http.StatusOK, res.Code)
		assert.Empty(t, res.Header()["Dpop-Nonce"])
	})
}
