package verifier_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// TestKeylessChecksFirst has no keys at hand, and tokens that need none to be
// refused.
func TestKeylessChecksFirst(t *testing.T) {
	down := errors.New("down")
	s := signerOf("ES256")
	signed := s.unsigned()
	tests := []struct {
		name, raw string
		reason    error
	}{
		{"R4 a good token", s.good(), verifier.ErrUnavailable},
		{"R4 a forged token", newSigner("ES256").good(), verifier.ErrUnavailable},
		{"R4 a signature of rubbish", jwttest.Attach(signed, []byte("rubbish")), verifier.ErrUnavailable},
		{"R4 no JWT", "x", verifier.ErrMalformed},
		{"R4 a broken header", s.Sign("{", "{}"), verifier.ErrMalformed},
		{"R4 broken claims", s.Sign(s.Header().Text(), "{"), verifier.ErrMalformed},
		{"R4 another issuer", s.token(nil, members{"iss": `"x"`}), verifier.ErrIssuer},
		{"R4 another algorithm", s.token(members{"alg": `"none"`}, nil), verifier.ErrAlgorithm},
		{"R4 expired", s.token(nil, members{"exp": "1"}), verifier.ErrExpired},
		{"R4 not yet valid", s.token(nil, members{"nbf": "9999999999"}), verifier.ErrNotYetValid},
		{"R4 another audience", s.token(nil, members{"aud": `"x"`}), verifier.ErrAudience},
		{"R4 another type", s.token(members{"typ": `"logout+jwt"`}, nil), verifier.ErrType},
		{"R4 an ID token", s.token(nil, members{"at_hash": `"x"`}), verifier.ErrType},
		{"R4 exp missing", s.token(nil, members{"exp": ""}), verifier.ErrClaims},
		{"R4 jti missing", s.token(nil, members{"jti": ""}), verifier.ErrClaims},
		{"P7 scope of another kind", s.token(nil, members{"scope": "1"}), verifier.ErrUnavailable},
		{"R4 bound", s.token(nil, members{"cnf": "{}"}), verifier.ErrBinding},
	}
	v, keys := setup(t, func(cfg *set) { cfg.RFC9068 = true })
	keys.err = down
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys.lookups.Store(0)
			_, err := v.Verify(ctx, tt.raw)
			_, errAuthenticate := v.Authenticate(bearer(tt.raw))
			for _, err := range []error{err, errAuthenticate, guardError(v.Protect(), bearer(tt.raw))} {
				assertRefused(t, tt.reason, err)
				if tt.reason == verifier.ErrUnavailable {
					assert.ErrorIs(t, err, down)
				}
			}
			assert.Equal(t, tt.reason == verifier.ErrUnavailable, keys.lookups.Load() == 3, keys.lookups.Load())
		})
	}
	t.Run("R4 rules do not see what nobody verified", func(t *testing.T) {
		rule := verifier.Check(func(context.Context, *verifier.Token) error {
			assert.Fail(t, "called")
			return nil
		})
		_, err := v.Verify(ctx, s.good(), rule, verifier.Scope("x"))
		assertRefused(t, verifier.ErrUnavailable, err)
	})
	t.Run("R4 keys beside the error", func(t *testing.T) {
		require.NotEmpty(t, keys.keys)
		_, err := v.Verify(ctx, s.good())
		assertRefused(t, verifier.ErrUnavailable, err)
	})
	t.Run("R4 whatever the error", func(t *testing.T) {
		for _, err := range []error{context.Canceled, context.DeadlineExceeded, jwkscache.ErrUnavailable, fmt.Errorf("x: %w", verifier.ErrExpired)} {
			keys.err = err
			_, got := v.Verify(ctx, s.good())
			var e *verifier.Error
			require.ErrorAs(t, got, &e)
			assert.Equal(t, 503, e.Status())
			assert.ErrorIs(t, got, err)
		}
	})
}

// TestOwnLeeway has two issuers with different leeways. That of the token's own
// decides, whether there are keys or not.
func TestOwnLeeway(t *testing.T) {
	for name, order := range map[string][]int{"strict first": {0, 1}, "loose first": {1, 0}} {
		t.Run("C3 R4 the leeway of the token's own issuer, "+name, func(t *testing.T) { testOwnLeeway(t, order) })
	}
	t.Run("R3 expiry tells nothing of whom we trust", func(t *testing.T) {
		v, _ := setup(t)
		for claims, want := range map[string]string{
			`"exp":1`: "The access token has expired.", `"exp":9999999999,"nbf":9999999998`: "The access token is not valid yet.",
		} {
			for _, iss := range []string{issuer, "unknown"} {
				payload := `{"iss":"` + iss + `",` + claims + `}`
				_, err := v.Verify(ctx, newSigner("ES256").Sign(`{"alg":"ES256"}`, payload))
				var e *verifier.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, want, e.Description(), iss)
			}
		}
	})
	t.Run("R3 leeway tells nothing of whom we trust", func(t *testing.T) {
		v := newVerifier(t, part(issuer, func(cfg *set) { cfg.Leeway = -1 }), part("b", func(cfg *set) { cfg.Leeway = 5 * time.Minute }))
		exp := members{"exp": seconds(time.Now().Add(-time.Minute))}
		forger := newSigner("ES256")
		for _, iss := range []string{issuer, "b", "unknown"} {
			_, err := v.Verify(ctx, forger.token(nil, members{"iss": `"` + iss + `"`}.Over(exp)))
			var e *verifier.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, notValid, e.Description(), iss)
			assert.Contains(t, challengeOf(t, err), notValid, iss)
			body, err := e.MarshalJSON()
			require.NoError(t, err)
			assert.Contains(t, string(body), notValid, iss)
		}
	})
}

func testOwnLeeway(t *testing.T, order []int) {
	synctest.Test(t, func(t *testing.T) {
		strict := part(issuer, func(cfg *set) { cfg.Leeway = -1 })
		keys := strict.Keys.(*keyMap)
		parts := []verifier.Config{strict, part("b", func(cfg *set) { cfg.Leeway = 5 * time.Minute })}
		v := newVerifier(t, parts[order[0]], parts[order[1]])
		s := signerOf("ES256")
		exp := members{"exp": seconds(time.Now().Add(time.Minute))}
		own, other := s.token(nil, exp), s.token(nil, members{"iss": `"b"`}.Over(exp))
		nbf := s.token(nil, members{"nbf": seconds(time.Now().Add(time.Minute))})
		_, err := v.Verify(ctx, nbf)
		assertRefused(t, verifier.ErrNotYetValid, err)
		<-time.After(time.Minute - 1)
		verified(t, v, own)
		<-time.After(1)
		verified(t, v, nbf)
		_, err = v.Verify(ctx, own)
		assertRefused(t, verifier.ErrExpired, err)
		verified(t, v, other)

		keys.err = errors.New("down")
		_, err = v.Verify(ctx, own)
		assertRefused(t, verifier.ErrExpired, err) // R4
		keys.err = nil

		<-time.After(5*time.Minute - 1)
		verified(t, v, other)
		<-time.After(1)
		_, err = v.Verify(ctx, other)
		assertRefused(t, verifier.ErrExpired, err)
	})
}

// TestIssuerDown asks the real cache of keys.
func TestIssuerDown(t *testing.T) {
	t.Run("R4 keys never loaded, refreshing fails, too old", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			iss := verifiertest.NewIssuer(t)
			iss.Fail(500)
			v := iss.Verifier(api)
			raw := iss.Token(nil)
			_, err := v.Verify(ctx, raw)
			assertRefused(t, verifier.ErrUnavailable, err) // R4 keys never loaded
			assert.ErrorIs(t, err, jwkscache.ErrUnavailable)
			_, err = v.Verify(ctx, iss.Token(verifiertest.Claims{"aud": "x"}))
			assertRefused(t, verifier.ErrAudience, err) // R4 no key is needed for that

			iss.Heal()
			<-time.After(2 * time.Minute)
			verified(t, v, iss.Token(nil))

			iss.Fail(500)
			<-time.After(23 * time.Hour)
			verified(t, v, iss.Token(nil))
			_, err = v.Verify(ctx, iss.Sign(`{"alg":"ES256","kid":"x"}`, "{"+`"iss":"`+iss.URL()+`","aud":"`+api+`","exp":9999999999}`))
			assertRefused(t, verifier.ErrUnavailable, err) // R4 an unknown kid while refreshing is failing
			<-time.After(2 * time.Hour)
			_, err = v.Verify(ctx, iss.Token(nil))
			assertRefused(t, verifier.ErrUnavailable, err) // R4 older than MaxStale

			iss.Heal()
			<-time.After(time.Minute) // the longest backoff
			verified(t, v, iss.Token(nil))
		})
	})
}

// TestZeroNetwork counts what reaches the issuer's server.
func TestZeroNetwork(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	v := iss.Verifier(api)
	require.NoError(t, v.Ready(ctx))
	before := iss.Fetches()
	kid, _ := iss.Key()
	header := `{"alg":"ES256","kid":"` + kid + `"}`
	body := strings.Replace(goodClaims().Text(), issuer, iss.URL(), 1)
	verified(t, v, iss.Sign(header, body))
	for name, raw := range map[string]string{
		"C1 untrusted issuer":              iss.Token(verifiertest.Claims{"iss": "https://evil.example"}),
		"C1 untrusted issuer, unknown kid": signerOf("ES256").good(),
		"C2 other audience":                iss.Token(verifiertest.Claims{"aud": "x"}),
		"C3 expired, unknown kid":          iss.Sign(`{"alg":"ES256","kid":"x"}`, strings.Replace(body, `"exp":`, `"exp":1,"old":`, 1)),
		"A1 none, unknown kid":             iss.Sign(`{"alg":"none","kid":"x"}`, body),
		"P3 crit, unknown kid":             iss.Sign(`{"alg":"ES256","kid":"x","crit":["a"]}`, body),
		"P4 cty JWT, unknown kid":          iss.Sign(`{"alg":"ES256","kid":"x","cty":"JWT"}`, body),
		"C5 another type, unknown kid":     iss.Sign(`{"alg":"ES256","kid":"x","typ":"dpop+jwt"}`, body),
		"B1 bound, unknown kid":            iss.Sign(`{"alg":"ES256","kid":"x"}`, strings.Replace(body, "{", `{"cnf":{},`, 1)),
		"P1 no JWT":                        "x.y.z",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Verify(ctx, raw)
			var e *verifier.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, http.StatusUnauthorized, e.Status())
			assert.Equal(t, before, iss.Fetches())
		})
	}
}
