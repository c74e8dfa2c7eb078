package verifier_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// tenantsOf returns a resolver of the tenants t0 to t<n-1>, each with the keys of
// s, and the number of calls.
func tenantsOf(n int, s signer) (func(string) (verifier.Config, bool), *atomic.Int64) {
	known := map[string]bool{}
	for i := range n {
		known[fmt.Sprintf("t%d", i)] = true
	}
	keys, calls := keysOf(s), new(atomic.Int64)
	return func(iss string) (verifier.Config, bool) {
		calls.Add(1)
		return verifier.Config{Issuer: iss, Audiences: []string{"api of " + iss}, Keys: keys}, known[iss]
	}, calls
}

func ofTenant(s signer, i int) string {
	return s.token(nil, members{"iss": fmt.Sprintf(`"t%d"`, i), "aud": fmt.Sprintf(`"api of t%d"`, i), "jti": fmt.Sprintf(`"%d"`, i)})
}

func TestTenants(t *testing.T) {
	s := signerOf("ES256")
	resolve, calls := tenantsOf(3, s)
	v := newVerifierWith(t, verifier.Settings{Tenants: resolve}, config())
	t.Run("T1 of the configured issuer nobody is asked", func(t *testing.T) {
		verified(t, v, s.good())
		assert.Zero(t, calls.Load())
	})
	t.Run("T1 a tenant is asked for once", func(t *testing.T) {
		tok := verified(t, v, ofTenant(s, 1))
		assert.Equal(t, "t1", tok.Issuer())
		verified(t, v, s.token(nil, members{"iss": `"t1"`, "aud": `"api of t1"`}))
		assert.EqualValues(t, 1, calls.Load())
	})
	t.Run("T1 no tenant", func(t *testing.T) {
		_, err := v.Verify(ctx, ofTenant(s, 7))
		assertRefused(t, verifier.ErrIssuer, err)
		assert.ErrorContains(t, err, "Settings.Tenants does not know")
		before := calls.Load()
		_, err = v.Verify(ctx, s.token(nil, members{"iss": `"` + strings.Repeat("t", 3000) + `"`}))
		assertRefused(t, verifier.ErrIssuer, err)
		assert.Equal(t, before, calls.Load(), "a very long iss")
	})
	t.Run("T1 each with its own demands", func(t *testing.T) {
		_, err := v.Verify(ctx, s.token(nil, members{"iss": `"t2"`, "aud": `"api of t1"`}))
		assertRefused(t, verifier.ErrAudience, err)
	})
	t.Run("T1 an Audience rule is checked per tenant", func(t *testing.T) {
		guard := v.Protect(verifier.Audience("api of t1"), verifier.Issuer("t1", "t2", issuer))
		assert.NoError(t, guardError(guard, bearer(ofTenant(s, 1))))
		assertRefused(t, verifier.ErrAudience, guardError(guard, bearer(ofTenant(s, 2))))
		assertRefused(t, verifier.ErrIssuer, guardError(v.Protect(verifier.Issuer("t2")), bearer(ofTenant(s, 1))))
	})
	t.Run("C11 Client needs an Issuer beside it", func(t *testing.T) {
		panicText(t, func() { v.Protect(verifier.Client("billing")) })
		assert.NoError(t, guardError(v.Protect(verifier.Client("billing"), verifier.Issuer("t1")), bearer(ofTenant(s, 1))))
	})
	t.Run("T1 they are among the issuers, sorted", func(t *testing.T) {
		var all []string
		for _, i := range v.Issuers() {
			all = append(all, i.Issuer)
			assert.Equal(t, i.Issuer != issuer, i.Tenant)
		}
		assert.Equal(t, []string{issuer, "t1", "t2"}, all)
		assert.NoError(t, v.Health())
		assert.NoError(t, v.Ready(ctx))
	})
	t.Run("T1 no Config at all is needed", func(t *testing.T) {
		v := newVerifierWith(t, verifier.Settings{Tenants: resolve})
		verified(t, v, ofTenant(s, 0))
		_, err := v.Verify(ctx, s.good())
		assertRefused(t, verifier.ErrIssuer, err)
	})
}

func TestTenantsConfiguration(t *testing.T) {
	s := signerOf("ES256")
	for name, row := range map[string]struct {
		cfg  verifier.Config
		says string
	}{
		"T1 another issuer":      {verifier.Config{Issuer: "other", Audiences: []string{api}}, "the Config of another issuer"},
		"T1 no audience":         {verifier.Config{Issuer: "t0"}, "no Audiences"},
		"T1 no address for keys": {verifier.Config{Issuer: "t0", Audiences: []string{"api of t0"}}, "not a URL"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVerifierWith(t, verifier.Settings{Tenants: func(string) (verifier.Config, bool) { return row.cfg, true }})
			for range 2 {
				_, err := v.Verify(ctx, ofTenant(s, 0))
				assertConfigurationError(t, err)
				assert.ErrorContains(t, err, row.says)
			}
			assert.Empty(t, v.Issuers())
		})
	}
	for name, settings := range map[string]verifier.Settings{
		"T1 MaxTenants negative":        {MaxTenants: -1, Tenants: func(string) (verifier.Config, bool) { return verifier.Config{}, false }},
		"T1 MaxTenants without Tenants": {MaxTenants: 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := settings.New(config())
			assert.ErrorContains(t, err, "MaxTenants")
		})
	}
	t.Run("T1 a resolver that is slow is reported", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j := new(journal)
			v := newVerifierWith(t, verifier.Settings{Logger: j.logger(slog.LevelError), Tenants: func(string) (verifier.Config, bool) {
				<-time.After(11 * time.Millisecond)
				return verifier.Config{}, false
			}})
			for range 3 {
				_, err := v.Verify(ctx, ofTenant(s, 0))
				assertRefused(t, verifier.ErrIssuer, err)
			}
			assert.Equal(t, 1, j.count("Settings.Tenants took more than 10ms"))
		})
	})
}

func TestTenantsCall(t *testing.T) {
	s := signerOf("ES256")
	for n, asked := range map[int]bool{2048: true, 2049: false} {
		t.Run(fmt.Sprintf("T1 an iss of %d bytes", n), func(t *testing.T) {
			calls := 0
			v := newVerifierWith(t, verifier.Settings{Tenants: func(string) (verifier.Config, bool) { calls++; return verifier.Config{}, false }})
			_, err := v.Verify(ctx, s.token(nil, members{"iss": `"` + strings.Repeat("i", n) + `"`}))
			assertRefused(t, verifier.ErrIssuer, err)
			assert.Equal(t, asked, calls > 0)
		})
	}
	for took, lines := range map[time.Duration]int{0: 0, 10 * time.Millisecond: 0, 10*time.Millisecond + 1: 1} {
		t.Run("T1 a resolver that takes "+took.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := new(journal)
				v := newVerifierWith(t, verifier.Settings{Logger: j.logger(slog.LevelError), Tenants: func(string) (verifier.Config, bool) {
					<-time.After(took)
					return verifier.Config{}, false
				}})
				_, err := v.Verify(ctx, ofTenant(s, 0))
				assertRefused(t, verifier.ErrIssuer, err)
				assert.Equal(t, lines, j.count())
			})
		})
	}
}

func TestSlowTenantsAndALoggerThatPanics(t *testing.T) {
	t.Run("R10 it changes no answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newVerifierWith(t, verifier.Settings{Logger: slog.New(loggingPanic{}), Tenants: func(string) (verifier.Config, bool) {
				<-time.After(time.Second)
				return verifier.Config{}, false
			}})
			_, err := v.Verify(ctx, ofTenant(signerOf("ES256"), 0))
			assertRefused(t, verifier.ErrIssuer, err)
		})
	})
}

// More tenants than there is room for.
func TestMaxTenants(t *testing.T) {
	s := signerOf("ES256")
	synctest.Test(t, func(t *testing.T) {
		resolve, calls := tenantsOf(100, s)
		v := newVerifierWith(t, verifier.Settings{Tenants: resolve, MaxTenants: 10, TokenCache: 100})
		verify := func(i int) error { _, err := v.Verify(ctx, ofTenant(s, i)); return err }
		for i := range 10 {
			require.NoError(t, verify(i))
		}
		raw0 := ofTenant(s, 0)
		verified(t, v, raw0)
		calls.Store(0)
		for range 3 { // T2: 2 x MaxTenants live ones do not push each other out in turn
			for i := range 20 {
				if err := verify(i); i < 10 {
					require.NoError(t, err)
				} else {
					assertRefused(t, verifier.ErrUnavailable, err)
					assert.ErrorContains(t, err, "MaxTenants")
				}
			}
		}
		assert.EqualValues(t, 30, calls.Load(), "T1 those that are kept are not asked for again within a minute")

		<-time.After(10*time.Minute - time.Second)
		for i := 1; i < 10; i++ {
			require.NoError(t, verify(i))
		}
		assertRefused(t, verifier.ErrUnavailable, verify(11))
		<-time.After(time.Second)
		require.NoError(t, verify(11), "T2 the one that was not used for 10 minutes makes room")
		assertRefused(t, verifier.ErrUnavailable, verify(0))
		assertRefused(t, verifier.ErrUnavailable, guardError(v.Protect(), bearer(raw0)))
		assert.Len(t, v.Issuers(), 10)

		<-time.After(time.Hour)
		forger := newSigner("ES256")
		for i := range 10 {
			_, err := v.Verify(ctx, ofTenant(forger, 50+i))
			assertRefused(t, verifier.ErrSignature, err)
		}
		assertRefused(t, verifier.ErrUnavailable, verify(3))
		<-time.After(15 * time.Second)
		require.NoError(t, verify(3), "T2 a tenant that no signature vouches for makes room after 15 seconds")
	})
}

// A tenant's key cache ends with it, and the tokens remembered of it count no
// more.
func TestTenantsLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := signerOf("ES256")
		var fetches atomic.Int64
		client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			fetches.Add(1)
			body := string(jwttest.JWKS(s.JWK(nil)))
			if strings.Contains(r.URL.Path, "well-known") {
				body = fmt.Sprintf(`{"issuer":"https://%s","jwks_uri":"https://%s/keys"}`, r.URL.Host, r.URL.Host)
			}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})}
		v := newVerifierWith(t, verifier.Settings{MaxTenants: 1, TokenCache: 10, Tenants: func(iss string) (verifier.Config, bool) {
			cfg := verifier.Config{Issuer: iss, Audiences: []string{api}}
			cfg.JWKS.HTTPClient = client
			return cfg, strings.HasSuffix(iss, ".test")
		}})
		of := func(iss string) string { return s.token(nil, members{"iss": `"` + iss + `"`, "exp": "9999999999"}) }
		a, b := of("https://a.test"), of("https://b.test")
		verified(t, v, a)
		tok := verified(t, v, a)
		require.EqualValues(t, 2, fetches.Load())
		<-time.After(10 * time.Minute)
		verified(t, v, b)
		synctest.Wait() // the goroutine of a's cache is gone: the bubble counts them
		_, err := v.Verify(ctx, a)
		assertRefused(t, verifier.ErrUnavailable, err)
		<-time.After(10 * time.Minute)
		assert.NotSame(t, tok, verified(t, v, a))
		require.NoError(t, v.Close())
		_, err = v.Verify(ctx, b)
		assertRefused(t, verifier.ErrUnavailable, err)
		verified(t, v, a)
	})
}

// Close waits for the key caches of tenants that leave at the same time. The race
// detector sees if it does not.
func TestTenantsLeaveDuringClose(t *testing.T) {
	t.Run("T2 K12", func(t *testing.T) {
		for range 10 {
			synctest.Test(t, func(t *testing.T) {
				known, gone := make(map[string]verifier.Config), new(atomic.Bool)
				var tokens []string
				for range 8 {
					iss := verifiertest.NewIssuer(t)
					known[iss.URL()] = iss.Config(api)
					tokens = append(tokens, iss.Token(verifiertest.Claims{"aud": api}))
				}
				v := newVerifierWith(t, verifier.Settings{Tenants: func(iss string) (verifier.Config, bool) {
					cfg, ok := known[iss]
					return cfg, ok && !gone.Load()
				}})
				for _, raw := range tokens {
					verified(t, v, raw)
				}
				<-time.After(time.Minute)
				gone.Store(true)
				var all sync.WaitGroup
				for _, raw := range tokens {
					all.Go(func() { _, _ = v.Verify(ctx, raw) })
				}
				all.Go(func() { assert.NoError(t, v.Close()) })
				all.Wait()
				assert.Empty(t, v.Issuers())
			})
		}
	})
}

// Issuers that are nobody's cost nothing that stays.
func TestMadeUpIssuers(t *testing.T) {
	s := signerOf("ES256")
	resolve, _ := tenantsOf(1, s)
	v := newVerifierWith(t, verifier.Settings{Tenants: resolve})
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	forge := func(n int) {
		for i := range n {
			_, err := v.Verify(ctx, `eyJhbGciOiJFUzI1NiJ9.`+encode(fmt.Sprintf(`{"iss":"https://%d.example","exp":9999999999}`, i))+`.AAAA`)
			assertRefused(t, verifier.ErrIssuer, err)
		}
	}
	forge(100)
	before, goroutines := heap(), runtime.NumGoroutine()
	forge(10_000)
	assert.Less(t, heap()-before, int64(1<<20), "T2 memory is flat")
	assert.LessOrEqual(t, runtime.NumGoroutine(), goroutines, "T2 no goroutine")
	assert.Empty(t, v.Issuers())
}

// An issuer that Settings.Tenants or an observer keeps does not keep the token that
// named it.
func TestTenantsIssuerWithoutItsToken(t *testing.T) {
	s := hmacSigner("HS256", []byte(strings.Repeat("s", 32)))
	const tenants = 200
	var kept []string
	settings := verifier.Settings{
		TokenCache: -1,
		Tenants: func(iss string) (verifier.Config, bool) {
			kept = append(kept, iss)
			return verifier.Config{Issuer: iss, Audiences: []string{api}, SharedSecrets: [][]byte{[]byte(strings.Repeat("s", 32))}}, true
		},
		Observe: func(_ context.Context, d verifier.Decision) { kept = append(kept, d.Issuer) },
	}
	v := newVerifierWith(t, settings)
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	send := func(i int) {
		verified(t, v, s.token(nil, members{"iss": fmt.Sprintf(`"t%d"`, i), "pad": `"` + strings.Repeat("x", 9000) + `"`}))
	}
	send(tenants)
	before := heap()
	for i := range tenants {
		send(i)
	}
	assert.Less(t, (heap()-before)/tenants, int64(8<<10), "T2 bytes for each tenant")
	assert.Len(t, v.Issuers(), tenants+1)
	runtime.KeepAlive(kept)
}

func TestTenantsConcurrently(t *testing.T) {
	s := signerOf("EdDSA")
	resolve, _ := tenantsOf(20, s)
	v := newVerifierWith(t, verifier.Settings{Tenants: resolve, MaxTenants: 5})
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 60 {
				n := (i*7 + g) % 20
				tok, err := v.Verify(ctx, ofTenant(s, n))
				if err != nil {
					assertRefused(t, verifier.ErrUnavailable, err)
					continue
				}
				assert.Equal(t, fmt.Sprintf("t%d", n), tok.Issuer())
			}
		})
	}
	all.Wait()
	assert.Len(t, v.Issuers(), 5)
}

// What Settings.Tenants says holds within a minute, remembered tokens included.
// T2: a tenant is in use while its tokens are remembered.
func TestTenantsInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := signerOf("ES256")
		resolve, _ := tenantsOf(2, s)
		v := newVerifierWith(t, verifier.Settings{Tenants: resolve, MaxTenants: 1, TokenCache: 10})
		raw, other := ofTenant(s, 0), ofTenant(s, 1)
		verified(t, v, raw)
		<-time.After(time.Minute - 1)
		verified(t, v, raw)
		assertStats(t, v, 1, 1, 1)
		<-time.After(10*time.Minute - time.Second)
		_, err := v.Verify(ctx, other)
		assertRefused(t, verifier.ErrUnavailable, err)
		<-time.After(time.Second)
		verified(t, v, other)
	})
}

// T1: a token that is being checked while its tenant gets another Config is not
// remembered with the former one.
func TestTenantsChangeMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := signerOf("ES256")
		cfg := verifier.Config{Issuer: "t0", Audiences: []string{"api of t0"}, Keys: keysOf(s)}
		v := newVerifierWith(t, verifier.Settings{TokenCache: 10, Tenants: func(string) (verifier.Config, bool) { return cfg, true }})
		raw := ofTenant(s, 0)
		verified(t, v, raw, verifier.Check(func(context.Context, *verifier.Token) error {
			<-time.After(time.Minute)
			cfg.Rules = []verifier.Rule{verifier.Client("other")}
			_, err := v.Verify(ctx, raw)
			assertRefused(t, verifier.ErrDenied, err)
			return nil
		}))
		_, err := v.Verify(ctx, raw)
		assertRefused(t, verifier.ErrDenied, err)
	})
}

func TestTenantsChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := signerOf("ES256")
		cfg := verifier.Config{Issuer: "t0", Audiences: []string{"api of t0"}, Keys: keysOf(s)}
		known := true
		v := newVerifierWith(t, verifier.Settings{TokenCache: 10, Tenants: func(string) (verifier.Config, bool) { return cfg, known }})
		raw := ofTenant(s, 0)
		first := verified(t, v, raw)
		<-time.After(time.Minute - 1)
		require.Same(t, first, verified(t, v, raw))
		<-time.After(1)
		require.NotSame(t, first, verified(t, v, raw), "it was asked for again")
		assertStats(t, v, 1, 2, 1)

		cfg.Rules = []verifier.Rule{verifier.Client("other")}
		<-time.After(time.Minute - 1)
		verified(t, v, raw)
		<-time.After(1)
		_, err := v.Verify(ctx, raw)
		assertRefused(t, verifier.ErrDenied, err)
		cfg.Rules = nil
		<-time.After(time.Minute)
		verified(t, v, raw)

		known = false
		verified(t, v, raw)
		<-time.After(time.Minute)
		_, err = v.Verify(ctx, raw)
		assertRefused(t, verifier.ErrIssuer, err)
		assert.Empty(t, v.Issuers())
		known = true
		verified(t, v, raw)
	})
}

// A token that anything but its signature refuses keeps no tenant, and is refused for
// that even where there is no room.
func TestTenantsAreKeptLast(t *testing.T) {
	s := signerOf("ES256")
	resolve, _ := tenantsOf(10, s)
	j := new(journal)
	v := newVerifierWith(t, verifier.Settings{Tenants: resolve, MaxTenants: 1, Logger: j.logger(slog.LevelWarn)})
	junk := map[error]string{
		verifier.ErrAlgorithm: s.token(members{"alg": `"none"`}, members{"iss": `"t1"`, "aud": `"api of t1"`}),
		verifier.ErrAudience:  s.token(nil, members{"iss": `"t1"`}),
		verifier.ErrType:      s.token(members{"typ": `"logout+jwt"`}, members{"iss": `"t1"`, "aud": `"api of t1"`}),
		verifier.ErrBinding:   s.token(nil, members{"iss": `"t1"`, "aud": `"api of t1"`, "cnf": "{}"}),
	}
	for range 2 {
		for reason, raw := range junk {
			_, err := v.Verify(ctx, raw)
			assertRefused(t, reason, err) // R4
		}
		if len(v.Issuers()) == 0 {
			verified(t, v, ofTenant(s, 0))
		}
	}
	assert.Len(t, v.Issuers(), 1, "T2 only the good one")
	for range 3 {
		_, err := v.Verify(ctx, ofTenant(s, 1))
		assertRefused(t, verifier.ErrUnavailable, err)
	}
	assert.Equal(t, 1, j.count("level=WARN", "further tenants"), "R10")
	assert.Zero(t, j.count("tokens cannot be checked"), "R10 what an outage is logged as")
}

// Tenants without room do not hide an issuer's outage from the log.
func TestOutageBesideTenantsWithoutRoom(t *testing.T) {
	t.Run("R10", func(t *testing.T) {
		s := signerOf("ES256")
		resolve, _ := tenantsOf(2, s)
		j := new(journal)
		v := newVerifierWith(t, verifier.Settings{Tenants: resolve, MaxTenants: 1, Logger: j.logger(slog.LevelWarn)},
			part("down", func(cfg *set) { cfg.Keys = &keyMap{err: errors.New("connection refused")} }))
		verified(t, v, ofTenant(s, 0))
		for _, raw := range []string{ofTenant(s, 1), s.token(nil, members{"iss": `"down"`})} {
			_, err := v.Verify(ctx, raw)
			assertRefused(t, verifier.ErrUnavailable, err)
		}
		assert.Equal(t, 1, j.count("further tenants"))
		assert.Equal(t, 1, j.count("tokens cannot be checked", "connection refused"))
	})
}

// The tokens of a tenant that was dropped are not kept either.
func TestTenantsLeaveNoTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := signerOf("ES256")
		resolve, _ := tenantsOf(3, s)
		v := newVerifierWith(t, verifier.Settings{Tenants: resolve, MaxTenants: 1, TokenCache: 100})
		verified(t, v, ofTenant(s, 0))
		<-time.After(10 * time.Minute)
		verified(t, v, ofTenant(s, 1))
		verifier.Upkeep(v)
		assert.Equal(t, 1, v.Stats().Tokens, "T2")
	})
}

// The tokens of a tenant that is not known any more are forgotten, and no others.
func TestDroppedTenant(t *testing.T) {
	for _, row := range []struct{ size, before, after int }{{-1, 0, 0}, {1, 1, 0}, {100, 2, 1}} {
		t.Run(fmt.Sprintf("T2 TokenCache %d", row.size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := signerOf("ES256")
				resolve, _ := tenantsOf(2, s)
				known := true
				v := newVerifierWith(t, verifier.Settings{TokenCache: row.size, Tenants: func(iss string) (verifier.Config, bool) {
					cfg, ok := resolve(iss)
					return cfg, ok && (known || iss != "t0")
				}})
				if row.before != 1 {
					verified(t, v, ofTenant(s, 1))
				}
				verified(t, v, ofTenant(s, 0))
				require.Equal(t, row.before, v.Stats().Tokens)
				known = false
				<-time.After(time.Minute)
				_, err := v.Verify(ctx, s.token(nil, members{"iss": `"t0"`, "aud": `"api of t0"`}))
				assertRefused(t, verifier.ErrIssuer, err)
				assert.Equal(t, row.after, v.Stats().Tokens)
			})
		})
	}
}

// While a key cache closes slowly, nobody waits for it.
func TestTenantsCloseWithoutLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := signerOf("ES256")
		slow := make(chan struct{})
		v := newVerifierWith(t, verifier.Settings{Tenants: func(iss string) (verifier.Config, bool) {
			cfg := verifier.Config{Issuer: iss, Audiences: []string{api}}
			cfg.JWKS.HTTPClient = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
				<-slow // whatever the request's context says
				return nil, io.EOF
			})}
			return cfg, true
		}})
		_, err := v.Verify(ctx, s.token(nil, members{"iss": `"https://a.test"`}))
		assertRefused(t, verifier.ErrUnavailable, err)
		closed := make(chan struct{})
		go func() { _ = v.Close(); close(closed) }()
		synctest.Wait()
		assert.Len(t, v.Issuers(), 1)
		_, err = v.Verify(ctx, s.token(nil, members{"iss": `"https://b.test"`}))
		assertRefused(t, verifier.ErrUnavailable, err)
		close(slow)
		<-closed
	})
}

// Keys that a tenant's Config brought do not outlive it, and a Check that stayed the
// same is no change.
func TestTenantsKeysAndChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := signerOf("ES256")
		check := verifier.Check(pass)
		cfg := verifier.Config{Issuer: "https://t0.test", Audiences: []string{api}, Keys: keysOf(s), Rules: []verifier.Rule{check}}
		cfg.Keys = keysOf(s)
		v := newVerifierWith(t, verifier.Settings{TokenCache: 10, Tenants: func(string) (verifier.Config, bool) { return cfg, true }})
		raw := s.token(nil, members{"iss": `"https://t0.test"`, "exp": "9999999999"})
		first, other := verified(t, v, raw), s.token(nil, members{"iss": `"https://t0.test"`, "exp": "9999999999", "jti": `"2"`})
		<-time.After(61 * time.Second)
		verified(t, v, other)
		require.Same(t, first, verified(t, v, raw), "T1 nothing changed")

		cfg.Keys = nil // the tenant's server is asked now, which is down
		cfg.JWKS.HTTPClient = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, io.EOF })}
		<-time.After(61 * time.Second)
		_, err := v.Verify(ctx, raw)
		assertRefused(t, verifier.ErrUnavailable, err)
	})
}

// While Settings.Tenants answers one request, another one may keep the tenant.
func TestTenantKeptMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := verifiertest.NewIssuer(t)
		cfg := iss.Config(api)
		raw := iss.Token(nil)
		var v *verifier.Verifier
		calls := 0
		v = newVerifierWith(t, verifier.Settings{TokenCache: -1, Tenants: func(string) (verifier.Config, bool) {
			if calls++; calls == 1 {
				verified(t, v, raw)
			}
			return cfg, true
		}})
		verified(t, v, raw)
		assert.Equal(t, 2, calls)
		assert.Len(t, v.Issuers(), 1, "T2 its keys are those of one cache")
	})
}
