package verifier_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

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
