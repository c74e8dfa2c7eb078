package providers_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const pagesDir = "../../docs/providers"

// A page shows the token that the preset admits, the line that the matrix tests,
// and the sources of both. (That the code is code, a test of internal/repotest
// says.)
func TestPages(t *testing.T) {
	source, err := os.ReadFile("configs_test.go")
	require.NoError(t, err)
	index := readPage(t, "README")
	for _, p := range presets() {
		name := p.goldens[0]
		t.Run("V8 "+name, func(t *testing.T) {
			page, g := readPage(t, name), readGolden(t, name)
			require.Contains(t, index, "("+name+".md)")

			shown := json.NewDecoder(strings.NewReader(block(t, page, "json")))
			var header, payload claims
			require.NoError(t, shown.Decode(&header))
			require.NoError(t, shown.Decode(&payload))
			assert.Equal(t, g.Machine.Header, header)
			assert.Equal(t, g.Machine.Claims, payload)

			line := block(t, page, "go")
			require.Contains(t, line, "cfg := providers."+p.name+"(")
			compiled := regexp.MustCompile(`(?s)\n\tcfg := providers\.` + p.name + `\(.*?\n\treturn cfg\n`).FindString(string(source))
			assert.Equal(t, flat(strings.Replace(compiled, "return cfg", "", 1)), flat(line), "the line of the matrix")

			for _, s := range g.Sources {
				assert.Contains(t, page, s)
			}
		})
	}
}

// The pages cite the providers' own pages: no copies, translations or others'.
func TestSourcesAreTheProviders(t *testing.T) {
	own := regexp.MustCompile(`^https://(github\.com/(auth0|okta|keycloak|MicrosoftDocs|Azure|awsdocs|ory|zitadel|DuendeSoftware|kinde-oss|github|kubernetes|spiffe|goauthentik|supabase|clerk)/` +
		`|auth0\.com/docs/|developer\.okta\.com/|help\.okta\.com/|www\.keycloak\.org/|docs\.aws\.amazon\.com/|developer\.pingidentity\.com/|(prod-)?docs\.pingidentity\.com/` +
		`|zitadel\.com/docs/|docs\.duendesoftware\.com/|workos\.com/docs/|docs\.gitlab\.com/|gitlab\.com/gitlab-org/gitlab/|kubernetes\.io/docs/|(docs\.)?cloud\.google\.com/` +
		`|firebase\.google\.com/docs/|supabase\.com/docs/|clerk\.com/|docs\.descope\.com/|docs\.goauthentik\.io/|github\.blog/)`)
	pages, err := filepath.Glob(filepath.Join(pagesDir, "*.md"))
	require.NoError(t, err)
	for _, path := range pages {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, link := range regexp.MustCompile(`(?m)^\[[a-z]+\]: (\S+)$|\]\((https?://[^)]+)\)`).FindAllStringSubmatch(string(text), -1) {
			u := link[1] + link[2]
			assert.Regexp(t, own, u, path)
			assert.NotRegexp(t, `/(ja-jp|fr-ca|de|zh-cn|[a-z]{2}_[a-z]{2})/|[?&]hl=`, u, path)
		}
	}
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(pagesDir, name+".md"))
	require.NoError(t, err)
	return string(text)
}

// block returns the first block of that language.
func block(t *testing.T, page, language string) string {
	t.Helper()
	found := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(page)
	require.NotNil(t, found, language)
	return found[1]
}

func flat(code string) string { return strings.Join(strings.Fields(code), " ") }
