package statuspage_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/statuspage"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func TestState(t *testing.T) {
	bad := func(change func(k *keys)) []verifier.Config {
		return []verifier.Config{issuer("https://a.test", fresh()), issuer("https://b.test", with(change))}
	}
	failed := errors.New("failed")
	for _, row := range []struct {
		name     string
		settings verifier.Settings
		issuers  []verifier.Config
		state    string
		problem  string // in the first
	}{
		{"Y2 all is well", verifier.Settings{}, bad(func(*keys) {}), "healthy", ""},
		{"Y2 a fetch failed", verifier.Settings{}, bad(func(k *keys) { k.stats.LastError = failed }), "degraded", "https://b.test: the last fetch"},
		{"Y2 a refresh is overdue", verifier.Settings{}, bad(func(k *keys) { k.stats.State = jwkscache.Stale }), "degraded", "https://b.test: a refresh"},
		{"Y2 one issuer's tokens cannot be checked", verifier.Settings{}, bad(func(k *keys) { k.health = failed }), "degraded", "https://b.test: its tokens"},
		{"Y2 no issuer's can", verifier.Settings{}, bad(func(k *keys) { k.health = failed })[1:], "down", "No configured issuer"},
		{"Y2 a clock is wrong", verifier.Settings{}, bad(func(k *keys) { k.stats.ClockDifference = -90 * time.Second }), "degraded", "differs from this machine's by 1 min 30 s"},
		{"Y2 a clock is right enough", verifier.Settings{}, bad(func(k *keys) { k.stats.ClockDifference = time.Minute }), "healthy", ""},
		{"Y2 the store of keys fails", verifier.Settings{}, bad(func(k *keys) { k.stats.Store.LastError = failed }), "degraded", "https://b.test: the store"},
		{"Y2 the list of revoked tokens fails", verifier.Settings{Revocation: revocations{Err: failed}}, bad(func(*keys) {}), "degraded", "may be incomplete"},
		{"Y2 the list of revoked tokens refuses", verifier.Settings{Revocation: revocations{Refuses: true}}, bad(func(*keys) {}), "down", "refuses every token"},
		{"Y2 there is no room for another proof", verifier.Settings{Bindings: []verifier.Binding{binding(verifier.ProofStats{Proofs: 9, MaxProofs: 9})}}, bad(func(*keys) {}), "degraded", "is full"},
		{"Y2 proofs are not recorded", verifier.Settings{Bindings: []verifier.Binding{binding(verifier.ProofStats{Err: failed})}}, bad(func(*keys) {}), "degraded", "not recorded"},
		{"Y2 there is room for one", verifier.Settings{Bindings: []verifier.Binding{binding(verifier.ProofStats{Proofs: 8, MaxProofs: 9})}}, bad(func(*keys) {}), "healthy", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			page, _ := watch(t, row.settings, row.issuers...)
			s := inJSON(t, page)
			assert.Equal(t, row.state, s["state"])
			problems := fmt.Sprint(s["problems"])
			assert.Contains(t, problems, row.problem)
			assert.Equal(t, row.problem == "", problems == "[]", problems)
			all := html(t, page)
			assert.Contains(t, all, `data-state="`+row.state+`"`)
			assert.Contains(t, all, "<title>"+strings.ToUpper(row.state[:1])+row.state[1:]+": Orders</title>")
			if strings.HasPrefix(row.problem, "https://b.test: a refresh") || strings.HasPrefix(row.problem, "https://b.test: the last") {
				assert.Contains(t, text(all), "https://b.test Failing")
			}
			if row.problem != "" {
				assert.Contains(t, strings.ReplaceAll(all, "&#39;", "'"), row.problem)
			}
		})
	}

	t.Run("Y2 nothing is watched", func(t *testing.T) {
		s := inJSON(t, statuspage.New(statuspage.Config{}))
		assert.Equal(t, "degraded", s["state"])
		assert.Contains(t, fmt.Sprint(s["problems"]), "Watch")
		assert.Equal(t, "jwtguard", s["title"])
	})

	t.Run("Y2 several verifiers are told apart", func(t *testing.T) {
		page, _ := watch(t, verifier.Settings{
			Revocation: revocations{Entries: 1}, Bindings: []verifier.Binding{binding(verifier.ProofStats{Proofs: 1})},
		}, issuer("https://a.test", fresh()))
		second, err := verifier.New(issuer("https://a.test", with(func(k *keys) { k.health = failed })))
		require.NoError(t, err)
		page.Watch(second)
		s := inJSON(t, page)
		assert.Equal(t, "down", s["state"])
		assert.Contains(t, fmt.Sprint(s["problems"]), "(verifier 2)")
		assert.Len(t, s["verifiers"], 2)
		for _, heading := range []string{"Issuers of verifier 2", "Token cache of verifier 2", "Revoked tokens of verifier 1", "DPoP proofs of verifier 1"} {
			assert.Contains(t, text(html(t, page)), heading)
		}
	})

	t.Run("Y2 nil is a mistake", func(t *testing.T) {
		assert.Panics(t, func() { statuspage.New(statuspage.Config{}).Watch(nil) })
	})

	t.Run("Y1 keys of a source of the program's own, which knows little of them", func(t *testing.T) {
		page, _ := watch(t, verifier.Settings{}, issuer("https://a.test", with(func(k *keys) {
			k.stats = jwkscache.Stats{State: jwkscache.Fresh, Keys: 3, KeySet: []jwkscache.KeyInfo{{KeyID: "k1"}, {}}}
		})))
		seen := text(html(t, page))
		assert.Contains(t, seen, "k1 unknown any none unknown any and 1 more")
		assert.Contains(t, seen, "Last refresh never Next refresh none Period none")
	})

	t.Run("Y1 keys that the program does not manage", func(t *testing.T) {
		cfg := issuer("https://a.test", nil)
		cfg.SharedSecrets = [][]byte{[]byte(strings.Repeat("secret", 10))}
		page, _ := watch(t, verifier.Settings{}, cfg)
		assert.Contains(t, text(html(t, page)), "nothing is fetched")
		assert.Equal(t, []any{object{"issuer": "https://a.test", "tenant": false, "state": "usable", "managed": false}},
			inJSON(t, page)["verifiers"].([]any)[0].(object)["issuers"])
		assert.NotContains(t, html(t, page), "secretsecret")
	})
}
