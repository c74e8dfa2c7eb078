package verifier_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// raced reports whether the race detector is on, which makes pools forget at random.
var raced = func() bool {
	info, _ := debug.ReadBuildInfo()
	return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}()

// allocations returns how many f makes.
func allocations(t *testing.T, f func()) int {
	t.Helper()
	f()
	return int(testing.AllocsPerRun(200, f))
}

// A token that is remembered costs no allocation, whoever asks.
func TestAllocationsOfAHit(t *testing.T) {
	for _, alg := range jwttest.Asymmetric {
		v := warm(t, signerOf(alg), 4096)
		raw := signerOf(alg).token(nil, machineClaims(0))
		r := bearer(raw)
		rules := []verifier.Rule{verifier.Audience(api), verifier.Scope("orders:read"), verifier.Claim("tenant", "acme")}
		check := verifier.Check(pass)
		all := append(rules[:3:3], check, verifier.ClientCredentials())
		protect := v.Protect(rules...)
		inside := verifier.NewContext(ctx, verified(t, v, raw))
		for name, f := range map[string]func(){
			"Verify":        func() { verified(t, v, raw) },
			"Verify, rules": func() { verified(t, v, raw, rules...) },
			"Authenticate":  func() { must(v.Authenticate(r, rules...)) },
			"Require":       func() { mustNot(verifier.Require(inside, all...)) },
		} {
			assert.Zero(t, allocations(t, f), "%s %s", alg, name)
		}
		assert.Equal(t, 2, allocations(t, func() {
			if _, refused := protect.Admit(r); refused != nil {
				panic(refused)
			}
		}), "%s Admit: the context and the request with it", alg)
		for name, f := range map[string]func(){
			"a Check, which gets a context with the token": func() { verified(t, v, raw, check) },
			"Protect, whose context has the token":         func() { mustNot(guardError(protect, r)) },
		} {
			assert.Equal(t, 1, allocations(t, f), "%s %s", alg, name)
		}
	}
}

// A miss allocates what the Token and the cache keep, and what the standard
// library's signature check does.
func TestAllocationsOfAMiss(t *testing.T) {
	const runs = 30
	for alg, atMost := range map[string]int{
		"RS256": 14, "PS256": 19, "ES256": 16, "ES384": 23, "ES512": 23, "EdDSA": 5,
	} {
		raws := make([]string, runs+2)
		for i := range raws {
			raws[i] = signerOf(alg).token(nil, machineClaims(i))
		}
		for cache, more := range map[int]int{-1: 0, 4096: 4} { // the text, its entry, the rest the cache's own
			v := warm(t, signerOf(alg), cache)
			verified(t, v, raws[0]) // its header is remembered
			i := 0
			n := testing.AllocsPerRun(runs, func() {
				i++
				verified(t, v, raws[i])
			})
			if raced { // which makes pools forget, so that they allocate
				more += 20
			}
			assert.LessOrEqual(t, int(n), atMost+more, "%s, TokenCache %d", alg, cache)
		}
	}
}

// A list is counted first, so however long it is, it takes one allocation.
func TestAllocationsOfLists(t *testing.T) {
	secret := []byte(strings.Repeat("s", 32))
	s := hmacSigner("HS256", secret)
	v := newVerifierWith(t, verifier.Settings{TokenCache: -1}, verifier.Config{Issuer: issuer, Audiences: []string{api}, SharedSecrets: [][]byte{secret}})
	list := func(n int) string { return `["` + api + `"` + strings.Repeat(`,"a"`, n) + `]` }
	count := func(claims members) int {
		raw := s.token(nil, claims)
		return allocations(t, func() { verified(t, v, raw) })
	}
	few := count(nil) + 1
	if raced { // which makes pools forget, so that they allocate
		few += 20
	}
	for name, claims := range map[string]members{
		"aud":               {"aud": list(200)},
		"scope, an array":   {"scope": list(200)},
		"scope, a string":   {"scope": `"` + strings.Repeat("a ", 200) + `"`},
		"scope, few before": {"scope": `["a"]`},
	} {
		assert.LessOrEqual(t, count(claims), few, "P7 %s", name)
	}
	for _, n := range []int{1, 2, 3, 255} {
		var want []string
		require.NoError(t, json.Unmarshal([]byte(list(n)), &want))
		assert.Equal(t, want, verified(t, v, s.token(nil, members{"aud": list(n)})).Audience())
		assert.Equal(t, want, verified(t, v, s.token(nil, members{"scope": list(n)})).Scopes())
	}
}

// What is no JWT is refused without an allocation, however long it is.
func TestAllocationsOfRubbish(t *testing.T) {
	v := warm(t, signerOf("RS256"), 4096)
	for name, row := range map[string]struct {
		raw    string
		reason error
	}{
		"a word":         {"rubbish", verifier.ErrMalformed},
		"two segments":   {"a.b", verifier.ErrMalformed},
		"four segments":  {"a.b.c.d", verifier.ErrMalformed},
		"empty segments": {"..", verifier.ErrMalformed},
		"dots":           {strings.Repeat(".", 16000), verifier.ErrMalformed},
		"X3 oversized":   {strings.Repeat("x", 1<<20), verifier.ErrMalformed},
		"X1 a space":     {"a b", verifier.ErrBadRequest},
		"X1 nothing":     {"", verifier.ErrBadRequest},
	} {
		r := bearer(row.raw)
		var err error
		assert.Zero(t, allocations(t, func() { _, err = v.Authenticate(r) }), name)
		assertRefused(t, row.reason, err)
	}
	r := bearer("x")
	for name, fields := range map[string][]string{"no token": nil, "R1 another scheme": {"Basic dTpw"}} {
		r.Header["Authorization"] = fields
		var err error
		assert.Zero(t, allocations(t, func() { _, err = v.Authenticate(r) }), name)
		assertRefused(t, verifier.ErrNoToken, err)
	}
}

// An observer costs no allocation of this package's, whatever is decided, except that
// FirstOf notes refusals.
func TestAllocationsOfAnObserver(t *testing.T) {
	s := signerOf("RS256")
	calls := 0
	observe := func(_ context.Context, d verifier.Decision) {
		if verifier.ReasonName(d.Reason) != "x" {
			calls++
		}
	}
	good, scope, r := s.token(nil, machineClaims(0)), verifier.Scope("x"), bearer(s.token(nil, machineClaims(1)))
	r.Method, r.Pattern = http.MethodPost, "/r"
	malformed, expired, forged := bearer("rubbish"), bearer(s.token(nil, members{"exp": "1"})), bearer(newSigner("RS256").good())
	for name, use := range map[string]func(v *verifier.Verifier) func(){
		"admitted": func(v *verifier.Verifier) func() { return func() { verified(t, v, good) } },
		"Protect":  func(v *verifier.Verifier) func() { g := v.Protect(); return func() { mustNot(guardError(g, r)) } },
		"anonymous": func(v *verifier.Verifier) func() {
			g := v.Optional()
			return func() { mustNot(guardError(g, anonymous())) }
		},
		"no token":  func(v *verifier.Verifier) func() { g := v.Protect(); return func() { _ = guardError(g, anonymous()) } },
		"malformed": func(v *verifier.Verifier) func() { return func() { _, _ = v.Authenticate(malformed) } },
		"expired":   func(v *verifier.Verifier) func() { return func() { _, _ = v.Authenticate(expired) } },
		"forged":    func(v *verifier.Verifier) func() { return func() { _, _ = v.Authenticate(forged) } },
		"a scope":   func(v *verifier.Verifier) func() { return func() { _, _ = v.Authenticate(r, scope) } },
		"Require": func(v *verifier.Verifier) func() {
			c := verifier.NewContext(ctx, verified(t, v, good))
			return func() { mustNot(verifier.Require(c)) }
		},
		"Require, scope": func(v *verifier.Verifier) func() {
			c := verifier.NewContext(ctx, verified(t, v, good))
			return func() { _ = verifier.Require(c, scope) }
		},
		"misconfigured": func(v *verifier.Verifier) func() { return func() { _, _ = v.Verify(ctx, good, verifier.Scope()) } },
	} {
		for cache, how := range map[int]string{-1: "each new", 4096: "remembered"} {
			without, _ := setup(t, func(cfg *set) { cfg.TokenCache = cache })
			with, _ := setup(t, func(cfg *set) { cfg.TokenCache, cfg.Observe = cache, observe })
			spare := 0
			if raced { // which makes pools forget, so that they allocate
				spare = 5
			}
			calls = 0
			assert.LessOrEqual(t, allocations(t, use(with)), allocations(t, use(without))+spare, "O3 %s, %s", name, how)
			assert.GreaterOrEqual(t, calls, 200, "%s, %s", name, how)
		}
	}
}

// The memory that a token was read into is used for the next one, but not if it is
// larger than any token of the default length needs.
func TestLongTokensDoNotKeepMemory(t *testing.T) {
	v, _ := setup(t, func(cfg *set) { cfg.MaxTokenLength = 1 << 20 })
	refuse := func(raw string) func() {
		return func() {
			if _, err := v.Verify(ctx, raw); !errors.Is(err, verifier.ErrMalformed) {
				panic(err)
			}
		}
	}
	short, long := allocations(t, refuse(encode("{")+".e30.AA")), allocations(t, refuse(encode("{")+"."+strings.Repeat("e30A", 30_000)+".AA"))
	assert.Greater(t, long, short, "memory for a long token is new each time")
}

var distinct = flag.Int("tokens", 10_000, "distinct tokens of TestFlatMemory")

// However many distinct tokens come, memory stays flat.
func TestFlatMemory(t *testing.T) {
	secret := []byte(strings.Repeat("s", 32))
	s := hmacSigner("HS256", secret)
	v := newVerifierWith(t, verifier.Settings{TokenCache: 4096}, verifier.Config{Issuer: issuer, Audiences: []string{api}, SharedSecrets: [][]byte{secret}})
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	send := func(from, to int) {
		for i := from; i < to; i++ {
			tok, err := v.Verify(ctx, s.token(nil, members{"jti": fmt.Sprintf(`"%d"`, i)}))
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(i), tok.ID())
		}
	}
	const first = 6000
	send(0, first)
	before := heap()
	send(first, first+*distinct)
	after := heap()
	verifier.Upkeep(v)
	assert.LessOrEqual(t, v.Stats().Tokens, 4096)
	assert.Equal(t, first+*distinct, v.Stats().Misses)
	assert.LessOrEqual(t, after, before+before/4, "from %d bytes to %d", before, after)
	assert.LessOrEqual(t, after, uint64(32<<20))
	t.Logf("%d tokens: heap %.2f MiB before, %.2f MiB after", *distinct, float64(before)/(1<<20), float64(after)/(1<<20))
	runtime.KeepAlive(v)
}

func mustNot(err error) {
	if err != nil {
		panic(err)
	}
}
