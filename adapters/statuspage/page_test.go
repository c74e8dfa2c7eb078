package statuspage_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
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
		assert.Equal(t, object{"hits": 3., "misses": 2., "hit_ratio": 0.6, "tokens": 2.}, at(s, "verifiers", 0, "token_cache"), "Y1")
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
		assert.Contains(t, seen, "Hit ratio 60.0 %", "Y1")
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
		page, _ := watch(t, verifier.Settings{}, issuer("https://a.test", fresh()))
		second, err := verifier.New(issuer("https://a.test", with(func(k *keys) { k.health = failed })))
		require.NoError(t, err)
		page.Watch(second)
		s := inJSON(t, page)
		assert.Equal(t, "down", s["state"])
		assert.Contains(t, fmt.Sprint(s["problems"]), "(verifier 2)")
		assert.Len(t, s["verifiers"], 2)
		assert.Contains(t, text(html(t, page)), "Issuers of verifier 2")
	})

	t.Run("Y2 nil is a mistake", func(t *testing.T) {
		assert.Panics(t, func() { statuspage.New(statuspage.Config{}).Watch(nil) })
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

// Everything that others chose is text: nothing of it is markup or code.
func TestHostileText(t *testing.T) {
	for name, evil := range map[string]string{
		"Y3 markup":          `"><script>alert(1)</script><img src=x onerror=alert(2)>`,
		"Y3 an attribute":    `x" onmouseover="alert(3)" y='`,
		"Y3 a template":      `{{.Title}}{{template "badge" .}}`,
		"Y3 an end":          `</code></main></script></style><!--`,
		"Y3 long":            strings.Repeat("<", 100000),
		"Y3 not UTF-8":       "\xff\xfe\xf0<b>",
		"Y3 right to left":   "a\u202egnp.exe\u2066b\u200b",
		"Y3 lines, controls": "a\r\nSet-Cookie: b\x00\x1b[31m\u009b",
	} {
		t.Run(name, func(t *testing.T) {
			hostile := with(func(k *keys) {
				k.health = errors.New(evil)
				k.stats.LastError, k.stats.Store.LastError = errors.New(evil), errors.New(evil)
				k.stats.KeySet = []jwkscache.KeyInfo{{KeyID: evil, Type: "RSA 2048", Use: evil, Algorithms: []string{"RS256"}}}
				k.stats.KeyWarnings = []jwkscache.KeyWarning{{KeyID: evil, Text: evil}}
			})
			page := statuspage.New(statuspage.Config{Title: evil})
			failing := with(func(k *keys) { k.stats = hostile.stats })
			v, err := verifier.Settings{Revocation: revocations{Err: errors.New(evil)}}.New(issuer(evil, hostile), issuer(evil+"2", failing))
			if err != nil { // it cannot be configured: only a tenant, or a key, can have such a text
				require.ErrorContains(t, err, "ssuer")
				v, err = verifier.Settings{Revocation: revocations{Err: errors.New(evil)}}.New(issuer("https://a.test", hostile), issuer("https://b.test", failing))
				require.NoError(t, err)
			}
			page.Watch(v)
			all := html(t, page)
			harmless := html(t, full(t))
			for _, tag := range []string{"<script", "</script", "<style", "</style", "</main", "<img", "<!--", "onerror=", `onmouseover="`} {
				assert.Equal(t, strings.Count(harmless, tag), strings.Count(all, tag)-map[bool]int{true: strings.Count(all, "&lt;img src=x onerror=")}[tag == "onerror="], tag)
			}
			for _, json := range []string{all, send(t, page, http.MethodGet, "Accept", "application/json").Body.String()} {
				for _, r := range json {
					assert.False(t, r == 0xfffd || r == 0x202e || r == 0x2066 || r == 0x200b || r == 0x1b || r == 0x9b || r == 0, "%U", r)
				}
			}
			for _, c := range regexp.MustCompile(`<code>([^<]*)</code>`).FindAllStringSubmatch(all, -1) {
				assert.LessOrEqual(t, len(strings.NewReplacer("&lt;", "<", "&#34;", `"`, "&#39;", "'", "&gt;", ">").Replace(c[1])), 500)
			}
			kid := inJSON(t, page)["verifiers"].([]any)[0].(object)["issuers"].([]any)[0].(object)["keys"].([]any)[0].(object)["kid"].(string)
			assert.LessOrEqual(t, len(kid), 200)
			assert.NotEmpty(t, kid)
			assert.Less(t, len(all), 100_000)
		})
	}
}

// No number of tenants, keys or warnings makes the page larger, and an issuer with a
// problem is shown whatever its name.
func TestBounds(t *testing.T) {
	page := statuspage.New(statuspage.Config{})
	crowd := with(func(k *keys) {
		for i := range 256 {
			k.stats.KeySet = append(k.stats.KeySet, jwkscache.KeyInfo{KeyID: fmt.Sprint(i, strings.Repeat("<", 200)), Type: "RSA 2048"})
			k.stats.KeyWarnings = append(k.stats.KeyWarnings, jwkscache.KeyWarning{Text: strings.Repeat("<", 1000)})
		}
		k.stats.Keys = len(k.stats.KeySet)
	})
	broken := with(func(k *keys) { k.health, k.stats = errors.New(strings.Repeat("<", 1000)), crowd.stats })
	var issuers []verifier.Config
	for i := range 1000 {
		issuers = append(issuers, issuer(fmt.Sprintf("https://%03d.test/%s", i, strings.Repeat("x", 300)), crowd))
	}
	issuers[999].Keys = broken
	v, err := verifier.New(issuers...)
	require.NoError(t, err)
	page.Watch(v)

	shown := inJSON(t, page)["verifiers"].([]any)[0].(object)
	assert.Len(t, shown["issuers"], 50, "Y3")
	assert.Equal(t, 950., shown["more_issuers"], "Y3")
	first, last := shown["issuers"].([]any)[0].(object), shown["issuers"].([]any)[49].(object)
	assert.Contains(t, first["issuer"], "https://000.test", "Y3 in the order of names")
	assert.Contains(t, last["issuer"], "https://999.test", "Y3 one with a problem")
	assert.Len(t, first["keys"], 16, "Y3")
	assert.Equal(t, 241., first["more_keys"], "Y3")
	assert.Len(t, first["warnings"], 8, "Y3")
	assert.Equal(t, 248., first["more_warnings"], "Y3")
	all := html(t, page)
	assert.Contains(t, all, "and 950 more issuers", "Y3")
	assert.Contains(t, all, "and 241 more", "Y3")
	assert.Less(t, len(all), 3<<20, "Y3")
	t.Logf("%d bytes of HTML", len(all))

	for i := range issuers {
		issuers[i].Keys = broken
	}
	if v, err = verifier.New(issuers...); assert.NoError(t, err) {
		page.Watch(v)
	}
	s := inJSON(t, page)
	assert.Len(t, s["problems"], 10, "Y3")
	assert.Equal(t, 992., s["more_problems"], "Y3")
	assert.Contains(t, html(t, page), "and 992 more", "Y3")
}

func TestResponse(t *testing.T) {
	page := full(t)

	t.Run("Y4 only GET and HEAD", func(t *testing.T) {
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "QUERY", "get"} {
			w := send(t, page, method)
			assert.Equal(t, http.StatusMethodNotAllowed, w.Code, method)
			assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
			assert.NotContains(t, w.Body.String(), "one.test")
		}
		w := send(t, page, http.MethodHead)
		assert.Equal(t, http.StatusOK, w.Code)
		assert.Zero(t, w.Body.Len())
		assert.NotEmpty(t, w.Header().Get("Content-Length"))
	})

	t.Run("Y4 header fields", func(t *testing.T) {
		for _, accept := range []string{"text/html", "application/json"} {
			w := send(t, page, http.MethodGet, "Accept", accept)
			for name, want := range map[string]string{
				"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
				"Cross-Origin-Resource-Policy": "same-origin", "Vary": "Accept", "Content-Length": fmt.Sprint(w.Body.Len()),
			} {
				assert.Equal(t, want, w.Header().Get(name), name)
			}
		}
	})

	t.Run("Y4 the policy names this style and this script alone", func(t *testing.T) {
		w := send(t, page, http.MethodGet)
		hash := func(element string) string {
			found := regexp.MustCompile(`(?s)<`+element+`>(.*?)</`+element+`>`).FindAllStringSubmatch(w.Body.String(), -1)
			require.Len(t, found, 1)
			sum := sha256.Sum256([]byte(found[0][1]))
			return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		}
		assert.Equal(t, "default-src 'none'; connect-src 'self'; img-src data:; style-src "+hash("style")+"; script-src "+hash("script")+
			"; frame-ancestors 'none'; base-uri 'none'; form-action 'none'", w.Header().Get("Content-Security-Policy"))
		assert.NotRegexp(t, `(?i)<[^>]+ (style|on[a-z]+)=`, w.Body.String())
		assert.NotRegexp(t, `(?i)(src|href)="(https?:)?/`, w.Body.String(), "something from elsewhere")
	})

	t.Run("Y4 JSON for those who prefer it", func(t *testing.T) {
		for accept, want := range map[string]string{
			"":                                     "text/html; charset=utf-8",
			"*/*":                                  "text/html; charset=utf-8",
			"application/json":                     "application/json",
			"Application/JSON; charset=utf-8":      "application/json",
			"application/json, text/plain, */*":    "application/json",
			"application/json;q=0.5, text/html":    "text/html; charset=utf-8",
			"text/html;q=0.5, application/json":    "application/json",
			"application/json;q=0":                 "text/html; charset=utf-8",
			"application/json;q=nonsense, */*;q=1": "text/html; charset=utf-8",
			"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8": "text/html; charset=utf-8",
		} {
			assert.Equal(t, want, send(t, page, http.MethodGet, "Accept", accept).Header().Get("Content-Type"), accept)
		}
		assert.Equal(t, "application/json", send(t, page, http.MethodGet, "Accept", "text/plain", "Accept", "application/json").Header().Get("Content-Type"), "two fields")
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
