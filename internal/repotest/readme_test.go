package repotest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every Go snippet of these pages stands, line by line, in a file that the tests
// compile.
func TestSnippetsAreCompiled(t *testing.T) {
	var snippets [][]string
	pages, err := filepath.Glob(filepath.Join(root, "docs", "providers", "*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	for _, page := range []string{"README.md", "docs/migrate.md", "docs/observability.md", "docs/recipes.md", "docs/grpc.md", "docs/mcp.md", "docs/revocation.md", "docs/sender-constrained.md"} {
		pages = append(pages, filepath.Join(root, page))
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		found := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(text), -1)
		require.NotEmpty(t, found, page)
		snippets = append(snippets, found...)
	}

	var sources []string
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		sources = append(sources, flat(string(text)))
		return err
	}))
	for _, s := range snippets {
		found := false
		for _, text := range sources {
			found = found || strings.Contains(text, flat(s[1]))
		}
		assert.True(t, found, "compiled nowhere:\n%s", s[1])
	}
}

// The files that the pages name exist.
func TestPagesNameRealFiles(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	named := regexp.MustCompile("`([a-z0-9]+/[a-z0-9_/]+\\.(?:go|md|txt))`")
	for _, page := range append(pages, filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md"), filepath.Join(root, "SECURITY.md")) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, file := range named.FindAllStringSubmatch(string(text), -1) {
			assert.FileExists(t, filepath.Join(root, file[1]), page)
		}
	}
}

// flat drops indentation and blank lines.
func flat(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return "\n" + strings.Join(lines, "\n") + "\n"
}

func TestReadmeIsShortAndNamesRealTargets(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	assert.LessOrEqual(t, strings.Count(string(readme), "\n"), 200)
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	targets := regexp.MustCompile("`?make ([a-z0-9]+)").FindAllStringSubmatch(string(readme), -1)
	require.NotEmpty(t, targets)
	for _, target := range targets {
		assert.Contains(t, string(makefile), "\n"+target[1]+":", "make %s", target[1])
	}
}

// The pages say which Go the modules need: users the library's, contributors all.
func TestMinimumGoIsStated(t *testing.T) {
	needs := func(module string) string {
		text, err := os.ReadFile(filepath.Join(root, module, "go.mod"))
		require.NoError(t, err)
		found := regexp.MustCompile(`(?m)^go (\d+\.\d+)(\.\d+)$`).FindStringSubmatch(string(text))
		require.Len(t, found, 3, module)
		if found[2] == ".0" {
			return found[1]
		}
		return found[1] + found[2]
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	assert.Contains(t, string(readme), "Go "+needs(".")+" or later")
	contributing, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	require.NoError(t, err)
	for _, module := range []string{"e2e", "benchmarks"} {
		assert.Contains(t, string(contributing), "Go "+needs(module)+" or later")
	}
}
