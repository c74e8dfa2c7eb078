package statuspage_test

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/statuspage"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

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
	assert.Contains(t, html(t, page), `data-problems="1002"`, "Y3")
}
