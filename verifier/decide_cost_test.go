package verifier_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/hostile"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// allocated returns what a call of f allocates.
func allocated(f func()) (objects, bytes int) {
	const runs = 20
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return int(after.Mallocs-before.Mallocs) / runs, int(after.TotalAlloc-before.TotalAlloc) / runs
}

// Whatever a token without a signature is made of, it takes little memory. Its
// time is for the guard of the benchmarks, which knows the same tokens.
func TestMemoryBeforeTheSignature(t *testing.T) {
	early := map[string]error{ // all others come as far as the signature
		"aud of many elements": verifier.ErrClaims, "aud of nothing, many times": verifier.ErrClaims,
		"aud of 256 elements with escapes": verifier.ErrAudience, "aud of escapes": verifier.ErrAudience,
		"aud of short escapes": verifier.ErrAudience, "aud of commas": verifier.ErrAudience, "aud of another API": verifier.ErrAudience,
		"iss of another": verifier.ErrIssuer, "iss of quotation marks": verifier.ErrIssuer,
		"token_use of short escapes": verifier.ErrType,
		"exp of many digits":         verifier.ErrClaims, "exp of many zeros": verifier.ErrClaims, "exp out of range": verifier.ErrClaims,
		"nbf of many digits": verifier.ErrClaims,
		"members":            verifier.ErrMalformed, "a name twice at the end": verifier.ErrMalformed,
		"lists in lists, too deep": verifier.ErrMalformed, "bad UTF-8 at the end": verifier.ErrMalformed, "rubbish at the end": verifier.ErrMalformed,
		"header: members": verifier.ErrMalformed,
		"header: alg":     verifier.ErrAlgorithm, "header: alg of short escapes": verifier.ErrAlgorithm,
		"header: typ": verifier.ErrType, "header: typ of media types": verifier.ErrType, "header: typ of short escapes": verifier.ErrType,
		"one segment": verifier.ErrMalformed, "one segment of dashes": verifier.ErrMalformed, "segments": verifier.ErrMalformed,
		"base64 that ends badly": verifier.ErrBadRequest,
	}
	maxObjects, maxBytes := 2*256+50, 4*hostile.Length
	if raced { // which makes pools forget, so that they allocate
		maxBytes *= 2
	}
	v, _ := setup(t)
	aim := hostile.Aim{Issuer: issuer, Audience: api, Alg: "RS256", KeyID: "RS256"}
	for _, tok := range aim.Tokens() {
		t.Run("P7 "+tok.Kind, func(t *testing.T) {
			require.LessOrEqual(t, len(tok.Raw), hostile.Length)
			r := bearer(tok.Raw)
			_, err := v.Authenticate(r)
			reason := early[tok.Kind]
			if reason == nil {
				reason = verifier.ErrSignature
			}
			delete(early, tok.Kind)
			assertRefused(t, reason, err)
			objects, bytes := allocated(func() { _, err = v.Authenticate(r) })
			assert.LessOrEqual(t, objects, maxObjects)
			assert.LessOrEqual(t, bytes, maxBytes)
		})
	}
	assert.Empty(t, early, "there is no such kind")
}

// What is bounded passes up to its bound.
func TestBounds(t *testing.T) {
	s := signerOf("EdDSA")
	v, keys := setup(t)
	// object has so many members, some of them given.
	object := func(n int, some members) string {
		all := members{}
		for i := range n - len(some) {
			all[fmt.Sprintf("m%d", i)] = "1"
		}
		return some.Over(all).Text()
	}
	list := func(n int, element string) string { return "[" + strings.Repeat(element+",", n-1) + `"` + api + `"]` }
	claims := func(name, value string) string { return members{name: value}.Over(goodClaims()).Text() }
	head, body := s.Header().Text(), goodClaims().Text()
	for _, row := range []struct {
		name         string
		within, past [2]string // header and claims
		reason       error
	}{
		{"members of the header", [2]string{object(256, s.Header()), body}, [2]string{object(257, s.Header()), body}, verifier.ErrMalformed},
		{"members of the claims", [2]string{head, object(256, goodClaims())}, [2]string{head, object(257, goodClaims())}, verifier.ErrMalformed},
		{
			"members of an object in it",
			[2]string{head, claims("x", object(256, nil))}, [2]string{head, claims("x", object(257, nil))}, verifier.ErrMalformed,
		},
		{
			"members of each of several",
			[2]string{head, claims("x", "["+object(256, nil)+","+object(256, nil)+"]")},
			[2]string{head, claims("x", `{"x":`+object(256, nil)+`,"y":`+object(257, nil)+"}")}, verifier.ErrMalformed,
		},
		{"elements of aud", [2]string{head, claims("aud", list(256, `"a"`))}, [2]string{head, claims("aud", list(257, `"a"`))}, verifier.ErrClaims},
		{"elements of aud, empty", [2]string{head, claims("aud", list(256, `""`))}, [2]string{head, claims("aud", list(257, `""`))}, verifier.ErrClaims},
		{
			"digits of a date",
			[2]string{head, claims("exp", "9999999999."+strings.Repeat("0", 53))},
			[2]string{head, claims("exp", "9999999999."+strings.Repeat("0", 54))}, verifier.ErrClaims,
		},
	} {
		t.Run("P7 "+row.name, func(t *testing.T) {
			verified(t, v, s.Sign(row.within[0], row.within[1]))
			keys.lookups.Store(0)
			_, err := v.Verify(ctx, s.Sign(row.past[0], row.past[1]))
			assertRefused(t, row.reason, err)
			assert.Zero(t, keys.lookups.Load())
		})
	}
	t.Run("P7 other lists have none", func(t *testing.T) {
		tok := verified(t, v, s.token(nil, members{"scope": list(2000, `"a"`)}))
		assert.Len(t, tok.Scopes(), 2000)
	})
}

// A flood of made-up kids, of broken signatures, and of both: good tokens pass
// meanwhile, a key that the issuer rotates to in the middle is accepted within
// 6 seconds, and the issuer hears little of it.
func TestFloodAroundARotation(t *testing.T) {
	for name, row := range map[string]struct {
		kids, signatures bool
		within           time.Duration
		fetches          int // while the flood lasts
	}{
		"K5 made-up kids":      {true, false, 6 * time.Second, 5 + 96/5},
		"K5 broken signatures": {false, true, 0, 1 + 96/15 + 1}, // with the rotation's own
		"K5 both":              {true, true, 6 * time.Second, 5 + 96/5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				iss := verifiertest.NewIssuer(t)
				v := iss.Verifier(api)
				require.NoError(t, v.Ready(ctx))
				good := iss.Token(nil)
				broken := good[:len(good)-4] + "AAAA"
				if broken == good {
					broken = good[:len(good)-4] + "AAAB"
				}
				body := fmt.Sprintf(`{"iss":%q,"aud":%q,"exp":%d}`, iss.URL(), api, time.Now().Add(time.Hour).Unix())
				var serial atomic.Int64
				hostile := func() (raws []string) {
					if row.kids {
						raws = append(raws, iss.Sign(fmt.Sprintf(`{"alg":"ES256","kid":"made-up-%d"}`, serial.Add(1)), body))
					}
					if row.signatures {
						raws = append(raws, broken)
					}
					return raws
				}
				before := iss.Fetches()

				stop := make(chan struct{})
				var flying sync.WaitGroup
				defer flying.Wait()
				defer close(stop)
				flying.Go(func() {
					for {
						select {
						case <-time.After(100 * time.Millisecond):
						case <-stop:
							return
						}
						for _, raw := range hostile() {
							flying.Go(func() {
								_, err := v.Verify(ctx, raw)
								assert.ErrorIs(t, err, verifier.ErrSignature)
							})
						}
					}
				})
				passes := func(raw string) {
					start := time.Now()
					verified(t, v, raw)
					assert.Zero(t, time.Since(start), "it waited")
				}
				for range 50 {
					passes(good)
					<-time.After(time.Second)
				}
				iss.Rotate()
				start := time.Now()
				renewed := iss.Token(nil)
				verified(t, v, renewed)
				assert.LessOrEqual(t, time.Since(start), row.within)
				for range 40 {
					passes(good)
					passes(renewed)
					<-time.After(time.Second)
				}
				assert.LessOrEqual(t, iss.Fetches()-before, row.fetches)
			})
		})
	}
}

// While the issuer fails, what is known to be bad stays 401, and only what
// nobody can know is 503.
func TestFloodWhileTheIssuerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := verifiertest.NewIssuer(t)
		v := iss.Verifier(api)
		require.NoError(t, v.Ready(ctx))
		good := iss.Token(nil)
		iss.Fail(http.StatusInternalServerError)
		<-time.After(23 * time.Hour) // refreshing has failed since
		body := fmt.Sprintf(`{"iss":%q,"aud":%q,"exp":%d}`, iss.URL(), api, time.Now().Add(time.Hour).Unix())
		kid, _ := iss.Key()
		known := iss.Sign(`{"alg":"ES256","kid":"`+kid+`"}`, body)
		unknown := iss.Sign(`{"alg":"ES256","kid":"made-up"}`, body)
		forged := strings.TrimSuffix(known, known[len(known)-4:]) + "AAAA"
		for range 100 {
			start := time.Now()
			verified(t, v, known)
			_, err := v.Verify(ctx, forged)
			assertRefused(t, verifier.ErrSignature, err)
			_, err = v.Verify(ctx, good)
			assertRefused(t, verifier.ErrExpired, err)
			assert.Zero(t, time.Since(start), "K1")
			_, err = v.Verify(ctx, unknown)
			assertRefused(t, verifier.ErrUnavailable, err)
			<-time.After(time.Second)
		}
	})
}

// TestFlood counts what made-up kids cost.
func TestFlood(t *testing.T) {
	t.Run("A5 unknown kids under flood", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			iss := verifiertest.NewIssuer(t)
			v := iss.Verifier(api)
			require.NoError(t, v.Ready(ctx))
			<-time.After(3 * time.Minute) // the budget is full again
			start, n := iss.Fetches(), 0
			flood := func(junk int) {
				for range junk {
					n++
					claims := `{"iss":"` + iss.URL() + `","aud":"` + api + `","exp":9999999999}`
					_, err := v.Verify(ctx, iss.Sign(fmt.Sprintf(`{"alg":"ES256","kid":"made-up-%d"}`, n), claims))
					assertRefused(t, verifier.ErrSignature, err)
				}
			}
			began := time.Now()
			flood(5)
			assert.Zero(t, time.Since(began))
			assert.Equal(t, start+5, iss.Fetches(), "A5 at most five fetches")
			flood(12) // each waits for the next
			assert.Equal(t, time.Minute, time.Since(began), "A5 then one per 5 s")
			assert.Equal(t, start+17, iss.Fetches())
			verified(t, v, iss.Token(nil))
		})
	})
}
