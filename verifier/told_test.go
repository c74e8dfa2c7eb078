package verifier_test

import (
	"crypto"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// What went wrong is said to the operator exactly, where the client is told one
// sentence for all.
func TestOperatorsAreTold(t *testing.T) {
	s := signerOf("ES256")
	stranger := newSigner("ES256")
	v, _ := setup(t)
	for _, row := range []struct {
		name   string
		token  string
		reason error
		told   string
	}{
		{"C1 no iss", s.token(nil, members{"iss": ""}), verifier.ErrIssuer, "no iss"},
		{"C1 an empty iss", s.token(nil, members{"iss": `""`}), verifier.ErrIssuer, "no iss"},
		{"A1 no alg", s.token(members{"alg": ""}, nil), verifier.ErrAlgorithm, "the header has no alg"},
		{"A1 no alg, of another issuer", s.token(members{"alg": ""}, members{"iss": `"b"`}), verifier.ErrAlgorithm, "the header has no alg"},
		{"C4 the first of two claims", s.token(nil, members{"sub": "7", "exp": `"x"`}), verifier.ErrClaims, "sub: of the wrong kind"},
		{"C4 a string for a date", s.token(nil, members{"exp": `"1"`}), verifier.ErrClaims, "exp: of the wrong kind"},
		{"C4 no date", s.token(nil, members{"exp": "-1"}), verifier.ErrClaims, "exp: out of range"},
		{"P1 the first segment", "=." + encode("{}") + ".AA", verifier.ErrMalformed, "segment 1: not base64url"},
		{"P1 the second segment", encode("{}") + "..AA", verifier.ErrMalformed, "segment 2: empty"},
		{"P1 the third segment", encode("{}") + "." + encode("{}") + ".A=", verifier.ErrMalformed, "segment 3: not base64url"},
		{"A5 no key", s.as("ES256", "other").token(nil, nil), verifier.ErrSignature, "the issuer has no key with kid"},
		{"A5 a key that does not fit", stranger.token(nil, nil), verifier.ErrSignature, `no key with kid "ES256" verifies the ES256 signature`},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := v.Verify(ctx, row.token)
			assertRefused(t, row.reason, err)
			assert.ErrorContains(t, err, row.told)
		})
	}

	t.Run("C1 one of several issuers", func(t *testing.T) {
		both := newVerifier(t, config(), part("b"))
		_, err := both.Verify(ctx, s.token(nil, members{"iss": `"c"`}))
		assertRefused(t, verifier.ErrIssuer, err)
		assert.ErrorContains(t, err, "none of the 2 configured")
	})

	t.Run("A5 one of two keys that do not fit", func(t *testing.T) {
		v, _ := setup(t, func(cfg *set) {
			cfg.Keys = &keyMap{keys: map[string][]crypto.PublicKey{"ES256": {s.public(), s.public()}}}
		})
		_, err := v.Verify(ctx, stranger.token(nil, nil))
		assert.ErrorContains(t, err, `no key with kid "ES256" verifies the ES256 signature`)
	})

	t.Run("X1 no Authorization field, and one of another scheme", func(t *testing.T) {
		r := bearer("")
		r.Header.Del("Authorization")
		_, err := v.Authenticate(r)
		assertRefused(t, verifier.ErrNoToken, err)
		assert.NotContains(t, err.Error(), "field")
		r.Header.Set("Authorization", "Basic eDp5")
		_, err = v.Authenticate(r)
		assertRefused(t, verifier.ErrNoToken, err)
		assert.ErrorContains(t, err, "its scheme is not Bearer")
	})

	for name, row := range map[string]struct{ text, want string }{
		"R9 198 bytes":              {strings.Repeat("a", 198), `"` + strings.Repeat("a", 198) + `"`},
		"R9 of more, 198 are shown": {strings.Repeat("a", 300), `"` + strings.Repeat("a", 198) + `"`},
		"R9 an escape counts twice": {strings.Repeat("a", 197) + `\"`, `"` + strings.Repeat("a", 148) + `"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Verify(ctx, s.token(nil, members{"iss": `"` + row.text + `"`}))
			assertRefused(t, verifier.ErrIssuer, err)
			assert.ErrorContains(t, err, "iss is "+row.want+", configured")
		})
	}
}

// At its longest a token is still looked through; beyond, it is only too long.
func TestLengthAndCharacters(t *testing.T) {
	v, _ := setup(t, func(cfg *set) { cfg.MaxTokenLength = 10 })
	for _, row := range []struct {
		name, raw string
		reason    error
	}{
		{"X1 of that length, with a comma", "aaaa,aaaaa", verifier.ErrBadRequest},
		{"X3 one longer, with a comma", "aaaa,aaaaaa", verifier.ErrMalformed},
		{"X1 of that length, and no JWT", "aaaaaaaaaa", verifier.ErrMalformed},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := bearer(row.raw)
			_, err := v.Authenticate(r)
			assertRefused(t, row.reason, err)
			assertRefused(t, row.reason, guardError(v.Protect(), r))
		})
	}
}

// A JSON object can go on so that a reader that forgot the depth would find its
// way out again.
func TestDepthIsNotForgotten(t *testing.T) {
	s := signerOf("ES256")
	v, _ := setup(t)
	// stairs is an array n deep with a number at each step on the way out.
	stairs := func(n int) string {
		return strings.Repeat("[", n) + "1" + strings.Repeat(",1]", n) + `,"y":1`
	}
	verified(t, v, s.sign(s.header().text(), inside(goodClaims(), `"x":`+stairs(31))))
	_, err := v.Verify(ctx, s.sign(s.header().text(), inside(goodClaims(), `"x":`+stairs(32))))
	assertRefused(t, verifier.ErrMalformed, err)
	assert.ErrorContains(t, err, "nested more than 32 deep")
	_, _, err = verifier.ReadObject([]byte(`{"x":` + stairs(32) + `}`))
	require.Error(t, err)
}

func TestAbsentAudience(t *testing.T) {
	v, _ := setup(t, func(cfg *set) {
		cfg.Audiences, cfg.AnyAudience, cfg.Rules = nil, true, []verifier.Rule{verifier.Client("billing")}
	})
	tok := verified(t, v, signerOf("ES256").token(nil, members{"aud": ""}))
	assert.Empty(t, tok.Audience(), "C2 none is not an empty one")
}

func TestShortestType(t *testing.T) {
	v, _ := setup(t, func(cfg *set) { cfg.Types = []string{"x"} })
	verified(t, v, signerOf("ES256").token(members{"typ": `"application/x"`}, nil)) // C5
	_, err := v.Verify(ctx, signerOf("ES256").token(members{"typ": `"application/"`}, nil))
	assertRefused(t, verifier.ErrType, err)
}
