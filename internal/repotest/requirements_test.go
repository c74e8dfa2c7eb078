package repotest

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// docs/requirements.md and the names of tests speak of the same requirements.
func TestRequirementsAndTestNames(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "requirements.md"))
	require.NoError(t, err)
	var promised []string
	for _, line := range regexp.MustCompile(`(?m)^- \*\*([A-Z][0-9]+)\*\* `).FindAllStringSubmatch(string(page), -1) {
		assert.NotContains(t, promised, line[1], "twice")
		promised = append(promised, line[1])
	}
	require.NotEmpty(t, promised)

	proven := make(map[string]string) // to the file of one proof
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !isTest(path) {
			return err
		}
		for _, text := range literals(t, path) {
			for _, id := range namedIDs(text) {
				proven[id] = path
			}
		}
		return nil
	}))
	for _, id := range promised {
		assert.NotEmpty(t, proven[id], "no test names %s", id)
	}
	for id, path := range proven {
		assert.True(t, slices.Contains(promised, id), "%s names %s, which is not in docs/requirements.md", path, id)
	}
}

// isTest reports whether a file has tests: of adapters, they are in package conformance.
func isTest(path string) bool {
	return strings.HasSuffix(path, "_test.go") ||
		filepath.Ext(path) == ".go" && filepath.Base(filepath.Dir(path)) == "conformance"
}

// docs/bcp.md names tests that exist.
func TestBCPNamesTests(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "bcp.md"))
	require.NoError(t, err)
	exists := map[string]bool{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(source, -1) {
			exists[string(m[1])] = true
		}
		return err
	})
	require.NoError(t, err)
	named := regexp.MustCompile("`(Test\\w+)`").FindAllSubmatch(page, -1)
	assert.Greater(t, len(named), 40)
	for _, m := range named {
		assert.True(t, exists[string(m[1])], "docs/bcp.md names %s, which does not exist", m[1])
	}
}

// namedIDs returns the ids with which a test's name begins: C10 and C7 of
// "C10 C7 nonce with empty lists".
func namedIDs(name string) (ids []string) {
	for word := range strings.FieldsSeq(name) {
		if !regexp.MustCompile(`^[A-Z][1-9][0-9]?$`).MatchString(word) {
			return ids
		}
		ids = append(ids, word)
	}
	return ids
}

// literals returns the strings in a Go file.
func literals(t *testing.T, path string) (texts []string) {
	t.Helper()
	src, err := os.ReadFile(path)
	require.NoError(t, err)
	var s scanner.Scanner
	files := token.NewFileSet()
	s.Init(files.AddFile(path, files.Base(), len(src)), src, nil, 0)
	for {
		_, tok, lit := s.Scan()
		if tok == token.EOF {
			return texts
		}
		if tok == token.STRING {
			text, err := strconv.Unquote(lit)
			require.NoError(t, err)
			texts = append(texts, text)
		}
	}
}
