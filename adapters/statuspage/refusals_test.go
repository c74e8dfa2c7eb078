package statuspage_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/statuspage"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// counts returns the counts of each reason of the last 1, 5 and 60 minutes.
func counts(t *testing.T, page *statuspage.Page) map[string][3]int {
	all := make(map[string][3]int)
	for _, r := range inJSON(t, page)["refusals"].([]any) {
		r := r.(object)
		n := func(name string) int { return int(r[name].(float64)) }
		all[r["reason"].(string)] = [3]int{n("last_minute"), n("last_5_minutes"), n("last_60_minutes")}
	}
	return all
}

func TestRefusalsOverTime(t *testing.T) {
	type m = map[string][3]int
	for _, row := range []struct {
		name  string
		steps func(page *statuspage.Page)
		want  m
	}{
		{"Y5 none", func(*statuspage.Page) {}, m{}},
		{"Y5 at once", func(p *statuspage.Page) { refuse(t, p, verifier.ErrExpired, 3) }, m{"expired": {3, 3, 3}}},
		{"Y5 each reason by itself", func(p *statuspage.Page) {
			refuse(t, p, verifier.ErrExpired, 3)
			time.Sleep(30 * time.Second)
			refuse(t, p, verifier.ErrScope, 2)
			refuse(t, p, verifier.ErrExpired, 1)
		}, m{"expired": {4, 4, 4}, "scope": {2, 2, 2}}},
		{"Y5 a minute is over after 70 seconds at the latest", func(p *statuspage.Page) {
			refuse(t, p, verifier.ErrExpired, 3)
			time.Sleep(70 * time.Second)
		}, m{"expired": {0, 3, 3}}},
		{"Y5 and not before it is", func(p *statuspage.Page) {
			time.Sleep(9 * time.Second)
			refuse(t, p, verifier.ErrExpired, 3)
			time.Sleep(time.Minute)
		}, m{"expired": {3, 3, 3}}},
		{"Y5 five minutes", func(p *statuspage.Page) {
			refuse(t, p, verifier.ErrExpired, 3)
			time.Sleep(5*time.Minute + 10*time.Second)
			refuse(t, p, verifier.ErrExpired, 1)
		}, m{"expired": {1, 1, 4}}},
		{"Y5 an hour", func(p *statuspage.Page) {
			refuse(t, p, verifier.ErrExpired, 3)
			time.Sleep(30 * time.Minute)
			refuse(t, p, verifier.ErrExpired, 5)
			time.Sleep(30*time.Minute + 10*time.Second)
		}, m{"expired": {0, 0, 5}}},
		{"Y5 nothing is left after it", func(p *statuspage.Page) {
			refuse(t, p, verifier.ErrExpired, 3)
			time.Sleep(time.Hour + 10*time.Second)
		}, m{}},
		{"Y5 what was long ago does not come back", func(p *statuspage.Page) {
			for range 24 * 60 * 6 {
				refuse(t, p, verifier.ErrExpired, 1)
				time.Sleep(10 * time.Second)
			}
			refuse(t, p, verifier.ErrExpired, 1)
		}, m{"expired": {7, 31, 361}}},
		{"Y5 after a day without refusals", func(p *statuspage.Page) {
			refuse(t, p, verifier.ErrExpired, 3)
			time.Sleep(24 * time.Hour)
			refuse(t, p, verifier.ErrNoToken, 1)
		}, m{"no_token": {1, 1, 1}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				page := statuspage.New(statuspage.Config{})
				row.steps(page)
				assert.Equal(t, row.want, counts(t, page))
			})
		})
	}
}

// Requests through a Verifier are counted once, and only those that were refused.
func TestObserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := verifiertest.NewIssuer(t)
		page, v := watch(t, verifier.Settings{}, iss.Config(audience))
		require.NoError(t, v.Ready(t.Context()))
		ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		handler := httpauth.Protect(v)(httpauth.Require(verifier.Scope("admin"))(ok))
		anyone := httpauth.Optional(v)(ok)
		get := func(h http.Handler, token string) int {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			if token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Code
		}
		assert.Equal(t, 401, get(handler, ""))
		assert.Equal(t, 401, get(handler, "a.b.c"))
		assert.Equal(t, 403, get(handler, iss.Token(nil)))
		assert.Equal(t, 200, get(handler, iss.Token(verifiertest.Claims{"scope": "admin"})))
		assert.Equal(t, 200, get(anyone, ""))
		assert.Equal(t, 200, get(anyone, iss.Token(nil)))
		one := [3]int{1, 1, 1}
		assert.Equal(t, map[string][3]int{"no_token": one, "malformed": one, "scope": one}, counts(t, page), "Y5")
	})
}

// Every reason of package verifier is counted under its own name.
func TestEveryReason(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../verifier/reasons.go", nil, 0)
	require.NoError(t, err)
	var exported int
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && ast.IsExported(spec.Names[0].Name) {
			exported++
		}
		return true
	})
	all := []error{
		verifier.ErrNoToken, verifier.ErrBadRequest, verifier.ErrMalformed, verifier.ErrAlgorithm, verifier.ErrType,
		verifier.ErrSignature, verifier.ErrIssuer, verifier.ErrAudience, verifier.ErrExpired, verifier.ErrNotYetValid,
		verifier.ErrClaims, verifier.ErrBinding, verifier.ErrProof, verifier.ErrReplay, verifier.ErrNonce, verifier.ErrRevoked,
		verifier.ErrAuthentication, verifier.ErrScope, verifier.ErrDenied, verifier.ErrUnavailable,
	}
	require.Len(t, all, exported, "Y5 a reason is new")

	page := statuspage.New(statuspage.Config{})
	want := map[string][3]int{"misconfigured": {2, 2, 2}}
	page.Observe(t.Context(), verifier.Decision{Outcome: verifier.OutcomeMisconfigured})
	page.Observe(t.Context(), verifier.Decision{Outcome: verifier.OutcomeMisconfigured, Reason: http.ErrAbortHandler})
	for i, reason := range all {
		refuse(t, page, reason, i+1)
		want[verifier.ReasonName(reason)] = [3]int{i + 1, i + 1, i + 1}
	}
	assert.Equal(t, want, counts(t, page), "Y5")
	text := html(t, page)
	for _, reason := range all {
		assert.Contains(t, text, ">"+verifier.ReasonName(reason)+"<", "Y1")
		assert.Contains(t, text, reason.Error(), "Y1")
	}
}

func TestObserveAllocatesNothing(t *testing.T) {
	page := statuspage.New(statuspage.Config{})
	ctx := t.Context()
	for name, d := range map[string]verifier.Decision{
		"Y5 admitted":      {Outcome: verifier.OutcomeAdmitted},
		"Y5 refused":       {Outcome: verifier.OutcomeRefused, Reason: verifier.ErrExpired},
		"Y5 misconfigured": {Outcome: verifier.OutcomeMisconfigured},
	} {
		assert.Zero(t, testing.AllocsPerRun(1000, func() { page.Observe(ctx, d) }), name)
	}
}

// No refusal is lost, or counted twice, whoever reads at the same time.
func TestConcurrentUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page, v := watch(t, verifier.Settings{}, issuer("https://issuer.test", fresh()))
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 50 {
					refuse(t, page, verifier.ErrExpired, 10)
					time.Sleep(7 * time.Second)
				}
			})
			all.Go(func() {
				for range 20 {
					inJSON(t, page)
					html(t, page)
					page.Watch(v)
					time.Sleep(17 * time.Second)
				}
			})
		}
		all.Wait()
		assert.Equal(t, 8*50*10, counts(t, page)["expired"][2], "Y5")
		assert.Len(t, inJSON(t, page)["verifiers"], 1, "Y1 a Verifier that is watched twice")
	})
}

func BenchmarkObserve(b *testing.B) {
	page := statuspage.New(statuspage.Config{})
	d := verifier.Decision{Outcome: verifier.OutcomeRefused, Reason: verifier.ErrUnavailable}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			page.Observe(b.Context(), d)
		}
	})
}

func BenchmarkServeHTTP(b *testing.B) {
	page := statuspage.New(statuspage.Config{})
	v, err := verifier.New(issuer("https://a.test", fresh()), issuer("https://b.test", fresh()))
	if err != nil {
		b.Fatal(err)
	}
	page.Watch(v)
	r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", nil)
	b.ReportAllocs()
	for b.Loop() {
		page.ServeHTTP(httptest.NewRecorder(), r)
	}
}
