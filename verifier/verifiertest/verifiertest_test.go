package verifiertest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

const audience = "https://api.example.com"

func TestDefaultsMakeAGoodToken(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	cfg := iss.Config(audience)
	cfg.RFC9068 = true
	v, err := verifier.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	tok, err := v.Verify(t.Context(), iss.Token(verifiertest.Claims{"client_id": "billing"}))
	require.NoError(t, err)
	assert.Equal(t, "billing", tok.ClientID())
	assert.Equal(t, "billing", tok.Subject())
	assert.Equal(t, []string{audience}, tok.Audience())
	assert.NotEmpty(t, tok.ID())

	_, err = v.Verify(t.Context(), iss.Token(verifiertest.Claims{"exp": nil}))
	assert.ErrorIs(t, err, verifier.ErrClaims, "nil leaves a claim out")
	_, err = v.Verify(t.Context(), iss.Token(verifiertest.Claims{"exp": time.Now().Add(-time.Hour)}))
	assert.ErrorIs(t, err, verifier.ErrExpired, "a time.Time is a NumericDate")
}

func TestAudienceFollowsTheFirstVerifier(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	v := iss.Verifier("https://billing.example.com", audience)
	tok, err := v.Verify(t.Context(), iss.Token(nil))
	require.NoError(t, err)
	assert.Equal(t, []string{"https://billing.example.com"}, tok.Audience())
}

func TestEveryAlgorithm(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	for _, alg := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"} {
		iss.RotateTo(alg)
		_, err := iss.Verifier(audience).Verify(t.Context(), iss.Token(nil))
		assert.NoError(t, err, alg)
	}
}

// In a bubble nothing opens a socket, and time passes at once.
func TestInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := verifiertest.NewIssuer(t)
		v := iss.Verifier(audience)
		raw := iss.Token(nil)
		_, err := v.Verify(t.Context(), raw)
		require.NoError(t, err)

		iss.Hang()
		<-time.After(59 * time.Minute)
		_, err = v.Verify(t.Context(), raw)
		require.NoError(t, err, "the issuer hangs, the keys are there")
		<-time.After(2 * time.Minute)
		_, err = v.Verify(t.Context(), raw)
		assert.ErrorIs(t, err, verifier.ErrExpired)

		iss.Heal()
		<-time.After(2 * time.Minute)
		iss.Rotate()
		_, err = v.Verify(t.Context(), iss.Token(nil))
		require.NoError(t, err)
		iss.Fail(500)
		iss.Rotate()
		_, err = v.Verify(t.Context(), iss.Token(nil))
		assert.ErrorIs(t, err, verifier.ErrUnavailable)
		assert.Positive(t, iss.Fetches())
		assert.True(t, strings.HasPrefix(iss.URL(), "https://"))
	})
}

func TestNewTokenRefusesWhatNoVerifierAccepts(t *testing.T) {
	for name, claims := range map[string]verifiertest.Claims{
		"expired":     {"exp": 1},
		"no audience": {"aud": nil},
		"an ID token": {"at_hash": "x"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Panics(t, func() { verifiertest.NewToken(claims) })
		})
	}
	tok := verifiertest.NewToken(verifiertest.Claims{"aud": []string{"a", "b"}, "iss": "https://other.example.com"})
	assert.Equal(t, []string{"a", "b"}, tok.Audience())
	assert.Equal(t, "https://other.example.com", tok.Issuer())
}

// Two issuers of one bubble trust each other no more than two of the network.
func TestTwoInABubble(t *testing.T) {
	for range 2 { // the names begin anew
		synctest.Test(t, func(t *testing.T) {
			one, two, three := verifiertest.NewIssuer(t), verifiertest.NewIssuer(t), verifiertest.NewIssuer(t)
			assert.Equal(t, []string{"https://issuer.test", "https://issuer-2.test", "https://issuer-3.test"},
				[]string{one.URL(), two.URL(), three.URL()})
			v, w := one.Verifier(audience), two.Verifier(audience)
			_, err := v.Verify(t.Context(), one.Token(nil))
			require.NoError(t, err)
			_, err = w.Verify(t.Context(), two.Token(nil))
			require.NoError(t, err)
			_, err = v.Verify(t.Context(), two.Token(nil))
			assert.ErrorIs(t, err, verifier.ErrIssuer)
			_, err = v.Verify(t.Context(), two.Token(verifiertest.Claims{"iss": one.URL()}))
			assert.ErrorIs(t, err, verifier.ErrSignature)
		})
	}
}

// A configuration for production is tested with this issuer in its place: what
// it demands stays.
func TestStandIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := verifiertest.NewIssuer(t)
		production := verifier.Config{
			Issuer: "https://login.example.com/", Audiences: []string{"https://orders.example.com"}, RFC9068: true,
		}.With(verifier.Client("billing"))
		production.JWKS.MetadataURL = "https://inner.example.com/metadata"
		v, err := verifier.New(iss.StandIn(production))
		require.NoError(t, err)
		defer v.Close()
		_, err = v.Verify(t.Context(), iss.Token(verifiertest.Claims{"client_id": "billing"}))
		require.NoError(t, err, "the audience is the configuration's")
		_, err = v.Verify(t.Context(), iss.Token(verifiertest.Claims{"client_id": "other"}))
		require.ErrorIs(t, err, verifier.ErrDenied)
		_, err = v.Verify(t.Context(), iss.Token(verifiertest.Claims{"client_id": "billing", "jti": nil}))
		require.ErrorIs(t, err, verifier.ErrClaims)
		assert.Equal(t, "https://login.example.com/", production.Issuer)
	})
}

// What production allows is what the test's issuer signs with.
func TestStandInSigns(t *testing.T) {
	for name, cfg := range map[string]verifier.Config{
		"an algorithm of its own": {Algorithms: []string{"RS256", "PS256"}},
		"shared secrets":          {SharedSecrets: [][]byte{make([]byte, 32)}, Algorithms: []string{"HS256"}},
		"the default":             {},
	} {
		t.Run(name, func(t *testing.T) {
			iss := verifiertest.NewIssuer(t)
			cfg.Issuer, cfg.Audiences = "https://login.example.com/", []string{audience}
			v, err := verifier.New(iss.StandIn(cfg))
			require.NoError(t, err)
			defer v.Close()
			_, err = v.Verify(t.Context(), iss.Token(nil))
			require.NoError(t, err)
		})
	}
}
