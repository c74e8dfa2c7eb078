package verifier_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// remembering is setup with the cache on, whatever the default.
func remembering(t testing.TB, changes ...func(*set)) (*verifier.Verifier, *keyMap) {
	t.Helper()
	return setup(t, append([]func(*set){func(cfg *set) { cfg.TokenCache = 4096 }}, changes...)...)
}

// assertStats asserts the figures of v's cache.
func assertStats(t testing.TB, v *verifier.Verifier, hits, misses, tokens int) {
	t.Helper()
	assert.Equal(t, verifier.Stats{Hits: hits, Misses: misses, Tokens: tokens}, v.Stats())
}

func TestRemembered(t *testing.T) {
	for _, alg := range jwttest.Asymmetric {
		t.Run(alg, func(t *testing.T) {
			v, keys := remembering(t)
			raw := signerOf(alg).good()
			first := verified(t, v, raw)
			assertStats(t, v, 0, 1, 1)
			for i := range 3 {
				require.Same(t, first, verified(t, v, strings.Clone(raw)))
				assertStats(t, v, i+1, 1, 1)
			}
			assert.EqualValues(t, 4, keys.lookups.Load(), "the keys are asked every time")
		})
	}
	t.Run("shared secret", func(t *testing.T) {
		secret := []byte(strings.Repeat("s", 32))
		v := newVerifierWith(t, verifier.Settings{TokenCache: 1}, verifier.Config{Issuer: issuer, Audiences: []string{api}, SharedSecrets: [][]byte{secret}})
		raw := hmacSigner("HS256", secret).good()
		require.Same(t, verified(t, v, raw), verified(t, v, raw))
		assertStats(t, v, 1, 1, 1)
	})
	t.Run("4,096 by default", func(t *testing.T) {
		v, _ := setup(t)
		verified(t, v, signerOf("EdDSA").good())
		assert.Equal(t, map[int]int{4096: 1, -1: 0}[verifier.DefaultTokenCache], v.Stats().Tokens)
		assert.Equal(t, max(0, verifier.DefaultTokenCache), verifier.MaxTokens(v))
	})
	t.Run("off", func(t *testing.T) {
		v, _ := setup(t, func(cfg *set) { cfg.TokenCache = -1 })
		raw := signerOf("EdDSA").good()
		require.NotSame(t, verified(t, v, raw), verified(t, v, raw))
		assertStats(t, v, 0, 0, 0)
	})
	t.Run("the caller's text may change", func(t *testing.T) {
		v, _ := remembering(t)
		var text [2000]byte
		n := copy(text[:], signerOf("EdDSA").good())
		raw := unsafe.String(&text[0], n)
		verified(t, v, raw)
		good := strings.Clone(raw)
		text[n-3] = map[bool]byte{true: 'B', false: 'A'}[text[n-3] == 'A']
		_, err := v.Verify(ctx, raw)
		assertRefused(t, verifier.ErrSignature, err)
		verified(t, v, good)
		assertStats(t, v, 1, 2, 1)
	})
}

// Only what passed every check is remembered.
func TestNotRemembered(t *testing.T) {
	s := signerOf("EdDSA")
	for name, raw := range map[string]string{
		"no JWT":           "x",
		"too long":         strings.Repeat("x", 20000),
		"a bad signature":  jwttest.Attach(s.unsigned(), make([]byte, 64)),
		"another's key":    newSigner("EdDSA").good(),
		"expired":          s.token(nil, members{"exp": "1"}),
		"not yet valid":    s.token(nil, members{"nbf": "9999999999"}),
		"another audience": s.token(nil, members{"aud": `"x"`}),
		"another issuer":   s.token(nil, members{"iss": `"x"`}),
		"an ID token":      s.token(nil, members{"at_hash": `"x"`}),
		"bound":            s.token(nil, members{"cnf": "{}"}),
		"a rule says no":   s.token(nil, members{"scope": ""}),
	} {
		t.Run(name, func(t *testing.T) {
			v, _ := remembering(t)
			for range 2 {
				_, err := v.Verify(ctx, raw, verifier.Scope("orders:read"))
				require.Error(t, err)
			}
			verifier.Upkeep(v)
			assert.Zero(t, v.Stats().Tokens)
			assert.Zero(t, v.Stats().Hits)
		})
	}
}

// Rules are for the request: they are asked every time, and mean the same.
func TestRulesOfRememberedTokens(t *testing.T) {
	var asked []string
	rule := func(name string, err error) verifier.Rule {
		return verifier.Check(func(context.Context, *verifier.Token) error {
			asked = append(asked, name)
			return err
		})
	}
	v, _ := remembering(t, func(cfg *set) { cfg.Rules = []verifier.Rule{rule("config", nil)} })
	raw := signerOf("EdDSA").good()
	verified(t, v, raw, rule("route", nil))
	verified(t, v, raw, rule("route", nil))
	_, err := v.Verify(ctx, raw, verifier.Scope("x"))
	assertRefused(t, verifier.ErrScope, err)
	_, err = v.Verify(ctx, raw, rule("deny", errors.New("no")))
	assertRefused(t, verifier.ErrDenied, err)
	assert.Equal(t, []string{"config", "route", "config", "route", "config", "config", "deny"}, asked)
	assertStats(t, v, 3, 1, 1)
}

// A token is refused from its last second on, remembered or not, and believed
// for an hour at most.
func TestRememberedTokensExpire(t *testing.T) {
	for _, row := range []struct {
		name   string
		leeway time.Duration
		claims verifiertest.Claims
		good   time.Duration // the last moment
		reason error         // afterwards; nil: it is verified again
	}{
		{"C3 exp", -1, verifiertest.Claims{"exp": 946684800 + 10}, 10*time.Second - 1, verifier.ErrExpired},
		{"C3 exp and the leeway", 0, verifiertest.Claims{"exp": 946684800 + 10}, 70*time.Second - 1, verifier.ErrExpired},
		{"an hour", 0, verifiertest.Claims{"exp": 946684800 + 86400}, time.Hour - 1, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				iss := verifiertest.NewIssuer(t)
				cfg := iss.Config(api)
				cfg.Leeway = row.leeway
				v := newVerifierWith(t, verifier.Settings{TokenCache: 10}, cfg)
				require.NoError(t, v.Ready(ctx))
				raw := iss.Token(row.claims)
				first := verified(t, v, raw)
				<-time.After(row.good)
				require.Same(t, first, verified(t, v, raw))
				<-time.After(1)
				tok, err := v.Verify(ctx, raw)
				if row.reason != nil {
					assertRefused(t, row.reason, err)
					assertStats(t, v, 1, 2, 0)
					return
				}
				require.NoError(t, err)
				require.NotSame(t, first, tok)
				assertStats(t, v, 1, 2, 1)
			})
		})
	}
	t.Run("C3 nbf, when the clock steps back", func(t *testing.T) {
		v, _ := remembering(t)
		now := time.Now().Truncate(time.Second)
		raw := signerOf("EdDSA").token(nil, members{"nbf": seconds(now)})
		verified(t, v, raw)
		require.NotNil(t, verifier.LookupCached(v, raw, now.Add(-time.Minute)))
		require.Nil(t, verifier.LookupCached(v, raw, now.Add(-time.Minute-1)))
	})
	for _, row := range []struct {
		name    string
		rfc9068 bool
		claims  func(now time.Time) members
		ever    bool // valid
	}{
		{"C3 iat, when the clock steps back", false, func(now time.Time) members { return members{"iat": seconds(now)} }, true},
		{"C3 iat with RFC9068, when the clock steps back", true, func(now time.Time) members { return members{"iat": seconds(now)} }, false},
		{"C3 nbf after iat with RFC9068, when the clock steps back", true, func(now time.Time) members {
			return members{"iat": seconds(now.Add(-time.Hour)), "nbf": seconds(now)}
		}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			v, _ := remembering(t, func(cfg *set) { cfg.RFC9068 = row.rfc9068 })
			now := time.Now().Truncate(time.Second)
			raw := signerOf("EdDSA").token(nil, row.claims(now))
			verified(t, v, raw)
			require.NotNil(t, verifier.LookupCached(v, raw, now.Add(-time.Minute)))
			require.Equal(t, row.ever, verifier.LookupCached(v, raw, now.Add(-time.Minute-1)) != nil)
		})
	}
}

// A withdrawn key takes its tokens with it; one that stays keeps them, however
// often it is read anew.
func TestRememberedTokensAndRotation(t *testing.T) {
	for _, alg := range []string{"PS384", "ES256", "EdDSA"} { // one of each type of key
		t.Run(alg, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				iss := verifiertest.NewIssuer(t)
				iss.RotateTo(alg)
				cfg := iss.Config(api)
				v := newVerifierWith(t, verifier.Settings{TokenCache: 10}, cfg)
				require.NoError(t, v.Ready(ctx))
				raw := iss.Token(verifiertest.Claims{"exp": 9999999999})
				first := verified(t, v, raw)

				iss.RotateTo(alg) // the key is still published
				verified(t, v, iss.Token(nil))
				for range 3 {
					require.Same(t, first, verified(t, v, raw))
				}
				assertStats(t, v, 3, 2, 2)

				iss.RotateTo(alg) // it is no more
				require.Same(t, first, verified(t, v, raw), "until the keys are fetched")
				verified(t, v, iss.Token(nil))
				_, err := v.Verify(ctx, raw)
				assertRefused(t, verifier.ErrSignature, err)
				assertStats(t, v, 4, 4, 2)
			})
		})
	}
}

// What a key source may do to the key of a remembered token.
func TestRememberedTokensAndKeys(t *testing.T) {
	s := signerOf("RS256")
	same := func() crypto.PublicKey {
		k := s.Public().(*rsa.PublicKey)
		return &rsa.PublicKey{N: new(big.Int).Set(k.N), E: k.E}
	}
	other, ec := newSigner("RS256").Public(), signerOf("ES256").Public()
	down := errors.New("down")
	for _, row := range []struct {
		name   string
		keys   []crypto.PublicKey
		err    error
		reason error // nil: it is remembered
	}{
		{"another copy", []crypto.PublicKey{same()}, nil, nil},
		{"beside another", []crypto.PublicKey{other, same()}, nil, nil},
		{"among four", []crypto.PublicKey{other, other, other, same()}, nil, nil},
		{"A5 among five", []crypto.PublicKey{same(), other, other, other, other}, nil, verifier.ErrSignature},
		{"none", nil, nil, verifier.ErrSignature},
		{"another", []crypto.PublicKey{other}, nil, verifier.ErrSignature},
		{"of another type", []crypto.PublicKey{ec}, nil, verifier.ErrSignature},
		{"nil", []crypto.PublicKey{nil}, nil, verifier.ErrSignature},
		{"nothing in it", []crypto.PublicKey{&rsa.PublicKey{}, (*rsa.PublicKey)(nil), &ecdsa.PublicKey{}}, nil, verifier.ErrSignature},
		{"R4 cannot tell", nil, down, verifier.ErrUnavailable},
	} {
		t.Run(row.name, func(t *testing.T) {
			v, keys := remembering(t)
			raw := s.good()
			first := verified(t, v, raw)
			was := keys.keys["RS256"]
			keys.keys["RS256"], keys.err = row.keys, row.err
			tok, err := v.Verify(ctx, raw)
			if row.reason == nil {
				require.NoError(t, err)
				require.Same(t, first, tok)
				return
			}
			assertRefused(t, row.reason, err)
			assert.Equal(t, 2, v.Stats().Misses)
			assert.Equal(t, len(row.keys) == 0, keys.lookups.Load() == 2, "who cannot tell, or says no, is asked once")
			assert.Equal(t, row.err != nil, v.Stats().Tokens == 1, "an outage forgets nothing, a withdrawal does")
			keys.keys["RS256"], keys.err = was, nil
			again := verified(t, v, raw)
			assert.Equal(t, row.err != nil, first == again)
		})
	}
}

// Keys too old to be believed verify nothing, remembered tokens included.
func TestRememberedTokensAndMaxStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := verifiertest.NewIssuer(t)
		cfg := iss.Config(api)
		v := newVerifierWith(t, verifier.Settings{TokenCache: 10}, cfg)
		require.NoError(t, v.Ready(ctx))
		raw := iss.Token(verifiertest.Claims{"exp": 9999999999})
		iss.Fail(503)
		<-time.After(23*time.Hour + 30*time.Minute)
		verified(t, v, raw)
		<-time.After(29 * time.Minute)
		verified(t, v, raw)
		assertStats(t, v, 1, 1, 1)
		<-time.After(2 * time.Minute)
		_, err := v.Verify(ctx, raw)
		assertRefused(t, verifier.ErrUnavailable, err)
		iss.Heal()
		<-time.After(2 * time.Minute)
		verified(t, v, raw)
	})
}

// Two tokens with one hash are still two tokens.
func TestCollisions(t *testing.T) {
	v, _ := remembering(t)
	verifier.Collide(v)
	s := signerOf("EdDSA")
	var raws []string
	for i := range 5 {
		raws = append(raws, s.token(nil, members{"client_id": fmt.Sprintf(`"client-%d"`, i)}))
	}
	for range 3 {
		for i, raw := range raws {
			for range 2 {
				require.Equal(t, fmt.Sprintf("client-%d", i), verified(t, v, raw).ClientID())
			}
			_, err := v.Verify(ctx, raw[:len(raw)-10]+"AAAAAAAAAA")
			assertRefused(t, verifier.ErrSignature, err)
			_, err = v.Verify(ctx, "x")
			assertRefused(t, verifier.ErrMalformed, err)
		}
	}
	assertStats(t, v, 15, 45, 1)
}

// Policies never share an answer: of verifiers beside each other, of the parts
// of one, and of one whose entry was tampered with.
func TestPolicies(t *testing.T) {
	s := signerOf("EdDSA")
	a, _ := remembering(t)
	b, _ := remembering(t, func(cfg *set) { cfg.Audiences = []string{"https://b.example.com"} })
	raw := s.good()
	for range 3 {
		verified(t, a, raw)
		_, err := b.Verify(ctx, raw)
		assertRefused(t, verifier.ErrAudience, err)
	}
	assertStats(t, a, 2, 1, 1)
	assert.Zero(t, b.Stats().Tokens)

	t.Run("several issuers of one verifier", func(t *testing.T) {
		v := newVerifierWith(t, verifier.Settings{TokenCache: 10}, part("x"), part("y", func(cfg *set) { cfg.Audiences = []string{"y"} }))
		ofX, ofY := s.token(nil, members{"iss": `"x"`}), s.token(nil, members{"iss": `"y"`, "aud": `"y"`})
		mixed := s.token(nil, members{"iss": `"x"`, "aud": `"y"`})
		for range 2 {
			verified(t, v, ofX)
			verified(t, v, ofY, verifier.Audience("y"))
			_, err := v.Verify(ctx, ofX, verifier.Audience("y"))
			assertRefused(t, verifier.ErrAudience, err)
			_, err = v.Verify(ctx, mixed)
			assertRefused(t, verifier.ErrAudience, err)
		}
		assert.Equal(t, 2, v.Stats().Tokens)
		assert.Equal(t, 4, v.Stats().Hits)
	})
	t.Run("C2 an entry for another audience", func(t *testing.T) {
		v, _ := remembering(t)
		tok := verified(t, v, raw)
		verifier.Change(tok, false, "https://b.example.com")
		require.NotSame(t, tok, verified(t, v, raw), "it was verified again")
	})
	t.Run("B1 an entry that is bound", func(t *testing.T) {
		v, _ := remembering(t)
		tok := verified(t, v, raw)
		verifier.Change(tok, true, api)
		_, err := v.Verify(ctx, raw)
		assertRefused(t, verifier.ErrBinding, err)
	})
}

// The cache has room for so many tokens, and for 16 MiB of them.
func TestTokenCacheBounds(t *testing.T) {
	secret := []byte(strings.Repeat("s", 32))
	s := hmacSigner("HS256", secret)
	for _, row := range []struct {
		name                  string
		size, claim           int
		tokens, atLeast, most int
	}{
		{"1", 1, 0, 50, 1, 1},
		{"100", 100, 0, 1000, 100, 100},
		{"as many as there are", 6000, 0, 500, 500, 500},
		{"16 MiB of short ones", 1 << 30, 0, 10000, 4096, 9000},
		{"16 MiB of long ones", 4096, 10000, 800, 200, 600},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := newVerifierWith(t, verifier.Settings{TokenCache: row.size}, verifier.Config{Issuer: issuer, Audiences: []string{api}, SharedSecrets: [][]byte{secret}})
			for i := range row.tokens {
				verified(t, v, s.token(nil, members{"jti": fmt.Sprintf(`"%d"`, i), "x": `"` + strings.Repeat("x", row.claim) + `"`}))
			}
			verifier.Upkeep(v)
			assert.LessOrEqual(t, v.Stats().Tokens, row.most)
			assert.GreaterOrEqual(t, v.Stats().Tokens, row.atLeast)
		})
	}
}

// One verifier, many goroutines, keys that rotate: nobody gets another's claims.
func TestTokenCacheConcurrently(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	cfg := iss.Config(api)
	v := newVerifierWith(t, verifier.Settings{TokenCache: 16}, cfg)
	require.NoError(t, v.Ready(t.Context()))
	tokens := make([]string, 32)
	for i := range tokens {
		tokens[i] = iss.Token(verifiertest.Claims{"client_id": fmt.Sprint(i)})
	}
	iss.Rotate()
	fresh := iss.Token(nil)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 200 {
				n := (i*(g+1) + g) % len(tokens)
				tok, err := v.Verify(t.Context(), tokens[n])
				if !assert.NoError(t, err) || !assert.Equal(t, fmt.Sprint(n), tok.ClientID()) {
					return
				}
				if i == 100 {
					_, err := v.Verify(t.Context(), fresh)
					assert.NoError(t, err)
				}
			}
		})
	}
	all.Wait()
	s := v.Stats()
	assert.Equal(t, 8*201, s.Hits+s.Misses)
}

// With MaxLifetime, a token is valid for so long before its exp, and a clock that steps
// back counts.
func TestRememberedTokensAndMaxLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _ := remembering(t, func(cfg *set) { cfg.MaxLifetime = time.Hour })
		raw := signerOf("EdDSA").token(nil, members{"iat": "", "exp": seconds(time.Now().Add(59 * time.Minute))})
		tok := verified(t, v, raw)
		require.Same(t, tok, verifier.LookupCached(v, raw, time.Now()), "C13")
		assert.Nil(t, verifier.LookupCached(v, raw, time.Now().Add(-time.Hour)), "C13 an hour before")
	})
	synctest.Test(t, func(t *testing.T) {
		v, _ := remembering(t, func(cfg *set) { cfg.MaxLifetime = time.Hour })
		now := time.Now()
		raw := signerOf("EdDSA").token(nil, members{"iat": "", "nbf": seconds(now), "exp": seconds(now.Add(time.Minute))})
		verified(t, v, raw)
		assert.NotNil(t, verifier.LookupCached(v, raw, now.Add(-time.Minute)), "C13 nbf and the leeway")
		assert.Nil(t, verifier.LookupCached(v, raw, now.Add(-time.Minute-1)), "C13 before nbf, though MaxLifetime allows that")
	})
	unlimited, _ := setup(t, func(cfg *set) { cfg.MaxLifetime = math.MaxInt64 })
	verified(t, unlimited, signerOf("EdDSA").good())
}
