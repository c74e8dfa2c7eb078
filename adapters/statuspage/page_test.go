package statuspage_test

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/statuspage"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// full is a page with all that a page can have.
func full(t *testing.T) *statuspage.Page {
	k := with(func(k *keys) {
		k.stats.ClockDifference, k.stats.LastError = -3*time.Second, errors.New("a fetch failed")
		k.stats.KeyWarnings = []jwkscache.KeyWarning{{Text: "a warning", Used: true}}
		k.stats.Store = jwkscache.StoreStats{Adopted: 268, Saves: 141, Failures: 3, Age: time.Minute, LastError: errors.New("a store failed")}
	})
	page, _ := watch(t, verifier.Settings{
		Revocation: revocations{Entries: 128, MaxEntries: 100000, Age: 74 * time.Second, Refuses: true, Err: errors.New("a list failed")},
		Bindings:   []verifier.Binding{binding(verifier.ProofStats{Proofs: 5120, MaxProofs: 1 << 20, Replays: 2, Full: 4})},
	}, issuer("https://one.test", k), issuer("https://two.test", with(func(k *keys) { k.health = errors.New("no keys") })))
	refuse(t, page, verifier.ErrExpired, 1243)
	return page
}

// text is what a reader sees of HTML.
func text(page string) string {
	page = regexp.MustCompile(`(?s)<(style|script)>.*?</(style|script)>`).ReplaceAllString(page, "")
	return strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")), " ")
}

func TestPageShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page := full(t)
		time.Sleep(time.Minute)
		seen := text(html(t, page))
		for _, want := range []string{
			"Y1 Orders", "Y1 https://one.test", "Y1 k1 RSA 2048 1 d 2 h ago RS256, PS256 sig", "Y1 Keys are fresh", "Y1 Last refresh 4 min ago",
			"Y1 Next refresh in 8 min", "Y1 Period 15 min", "Y1 Fetches 1,234, 7 failed", "Y1 Unknown keys 18", "Y1 Its clock is 3 s behind",
			"Y1 The last fetch failed: a fetch failed", "Y1 Used: a warning", "Y1 Stored keys 1 min old", "Y1 Adopted 268", "Y1 Saved 141",
			"Y1 Store failures 3", "Y1 a store failed", "Y1 Hit ratio none yet", "Y1 Entries 128 of 100,000", "Y1 Complete as of 1 min 14 s ago",
			"Y1 a list failed", "Y1 Every token is refused", "Y1 Recorded 5,120 of 1,048,576", "Y1 Replays refused 2", "Y1 Refused for want of room 4",
			"Y1 expired token has expired 1,243 1,243 1,243", "Y1 up for 1 min", "Y1 https://two.test Unusable Its tokens cannot be checked: no keys",
		} {
			id, want, _ := strings.Cut(want, " ")
			assert.Contains(t, seen, want, id)
		}
	})
}

// Figures of real Verifiers, in HTML and in JSON.
func TestFigures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss, tenant := verifiertest.NewIssuer(t), verifiertest.NewIssuer(t)
		page, v := watch(t, verifier.Settings{Tenants: func(name string) (verifier.Config, bool) {
			return tenant.Config(audience), name == tenant.URL()
		}}, iss.Config(audience))
		require.NoError(t, v.Ready(t.Context()))
		raw := iss.Token(nil)
		for range 4 {
			_, err := v.Verify(t.Context(), raw)
			require.NoError(t, err)
		}
		_, err := v.Verify(t.Context(), tenant.Token(nil))
		require.NoError(t, err)
		kid, _ := iss.Key()
		at := func(o any, path ...any) any {
			for _, p := range path {
				switch p := p.(type) {
				case int:
					o = o.([]any)[p]
				case string:
					o = o.(object)[p]
				}
			}
			return o
		}
		s := inJSON(t, page)
		assert.Equal(t, "healthy", s["state"], "Y2")
		assert.Equal(t, []any{}, s["problems"], "Y2")
		want, ratio := object{"hits": 3., "misses": 2., "hit_ratio": 0.6, "tokens": 2.}, "60.0 %"
		if v.Stats().Misses == 0 { // without a cache of tokens
			want, ratio = object{"hits": 0., "misses": 0., "hit_ratio": 0., "tokens": 0.}, "none yet"
		}
		assert.Equal(t, want, at(s, "verifiers", 0, "token_cache"), "Y1")
		one := at(s, "verifiers", 0, "issuers", 0)
		assert.Equal(t, iss.URL(), at(one, "issuer"), "Y1")
		assert.Equal(t, false, at(one, "tenant"), "Y1")
		assert.Equal(t, "usable", at(one, "state"), "Y1")
		assert.Equal(t, kid, at(one, "keys", 0, "kid"), "Y1")
		assert.Equal(t, "EC P-256", at(one, "keys", 0, "type"), "Y1")
		assert.Equal(t, tenant.URL(), at(s, "verifiers", 0, "issuers", 1, "issuer"), "Y1")
		assert.Equal(t, true, at(s, "verifiers", 0, "issuers", 1, "tenant"), "Y1")
		for _, absent := range []string{"revocation", "proofs"} {
			assert.NotContains(t, at(s, "verifiers", 0), absent, "Y1")
		}
		assert.NotContains(t, one, "store", "Y1")
		seen := text(html(t, page))
		assert.Contains(t, seen, "Hit ratio "+ratio, "Y1")
		assert.Contains(t, seen, "tenant", "Y1")
		assert.NotContains(t, seen, "Revoked tokens", "Y1")
		assert.NotContains(t, seen, "Its clock", "Y1 it is right")
		assert.NotContains(t, seen, "DPoP proofs", "Y1")

		iss.Rotate()
		time.Sleep(20 * time.Minute)
		newKid, _ := iss.Key()
		require.NotEqual(t, kid, newKid)
		assert.Contains(t, html(t, page), newKid, "Y1 a rotation")

		iss.Fail(500)
		require.Error(t, v.Refresh(t.Context()))
		s = inJSON(t, page)
		assert.Equal(t, "degraded", s["state"], "Y2")
		assert.Equal(t, "failing", at(s, "verifiers", 0, "issuers", 0, "state"), "Y1")
		assert.Contains(t, at(s, "verifiers", 0, "issuers", 0, "last_error"), "500", "Y1")

		for range 25 { // a tenant whose tokens do not come is dropped
			time.Sleep(time.Hour)
			_, err := v.Verify(t.Context(), tenant.Token(nil))
			require.NoError(t, err)
		}
		s = inJSON(t, page)
		assert.Equal(t, "unusable", at(s, "verifiers", 0, "issuers", 0, "state"), "Y1")
		assert.Equal(t, "expired", at(s, "verifiers", 0, "issuers", 0, "keys_state"), "Y1")
		assert.Equal(t, "usable", at(s, "verifiers", 0, "issuers", 1, "state"), "Y1")
		assert.Equal(t, "down", s["state"], "Y2 tenants do not count")
	})
}

// The package documentation lists the members of the JSON, and no others.
func TestDocumentedMembers(t *testing.T) {
	got := make(map[string]bool)
	var collect func(v any)
	collect = func(v any) {
		switch v := v.(type) {
		case object:
			for name, member := range v {
				got[name] = true
				collect(member)
			}
		case []any:
			for _, element := range v {
				collect(element)
			}
		}
	}
	page := full(t)
	collect(inJSON(t, page))
	for _, name := range []string{"more_issuers", "more_keys", "more_warnings", "more_problems", "version"} {
		got[name] = true // see TestBounds; tests have no version
	}

	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	_, list, found := strings.Cut(string(doc), "# JSON")
	require.True(t, found)
	want := make(map[string]bool)
	for _, line := range regexp.MustCompile(`(?m)^//\t(.*)$`).FindAllStringSubmatch(list, -1) {
		names := line[1]
		if !regexp.MustCompile(`^[a-z0-9_, ]+$`).MatchString(names) || !strings.Contains(names, "last_5") {
			names = names[:21]
		}
		for name := range strings.SplitSeq(names, ",") {
			if name = strings.TrimSpace(name); name != "" {
				want[name] = true
			}
		}
		for _, more := range regexp.MustCompile(`more_\w+`).FindAllString(line[1], -1) {
			want[more] = true
		}
	}
	assert.Equal(t, want, got, "Y1")
}
