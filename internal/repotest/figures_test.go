package repotest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What docs/reliability.md says of the vectors is what their scorecard says,
// which its own test compares with the outcome.
func TestFiguresOfTheScorecard(t *testing.T) {
	page := reliability(t)
	card, err := os.ReadFile(filepath.Join(root, "e2e", "vectors", "scorecard.md"))
	require.NoError(t, err)
	sums := regexp.MustCompile(`(?m)^(\d+) cases, of which (\d+) decide something about JOSE\.$`).FindAllStringSubmatch(string(card), -1)
	require.Len(t, sums, 2)
	for _, want := range []string{
		thousands(sums[0][1]) + " cases, of which " + thousands(sums[0][2]) + " decide something about JOSE",
		"| tokens of every algorithm | " + thousands(sums[1][1]) + ",",
	} {
		assert.True(t, strings.Contains(page, want), "docs/reliability.md does not say %q", want)
	}
	for _, sum := range regexp.MustCompile(`(?m)^\| total .*$`).FindAllString(string(card), -1) {
		assert.Regexp(t, `\| 0 \|$`, sum, "false accepts or refusals")
	}
}

func reliability(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "reliability.md"))
	require.NoError(t, err)
	return string(page)
}

// thousands puts a comma before the last three digits.
func thousands(digits string) string {
	if len(digits) <= 3 {
		return digits
	}
	return digits[:len(digits)-3] + "," + digits[len(digits)-3:]
}

// The rows of the tables of bad input are as many as docs/reliability.md says.
func TestFiguresOfBadInput(t *testing.T) {
	page := reliability(t)
	for file, says := range map[string]string{
		"internal/conformance/badinput.go": " rows through the verifier and six frameworks",
		"internal/conformance/wire.go":     " over the wire through each of these",
	} {
		want := strconv.Itoa(tableRows(t, file)) + says
		assert.True(t, strings.Contains(page, want), "docs/reliability.md does not say %q", want)
	}
}

// tableRows counts the elements of the table that is called tests in a file.
func tableRows(t *testing.T, file string) (rows int) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(parsed, func(n ast.Node) bool {
		if assign, ok := n.(*ast.AssignStmt); ok && len(assign.Lhs) == 1 {
			name, isName := assign.Lhs[0].(*ast.Ident)
			table, isTable := assign.Rhs[0].(*ast.CompositeLit)
			if isName && isTable && name.Name == "tests" {
				rows += len(table.Elts)
			}
		}
		return true
	})
	require.NotZero(t, rows, file)
	return rows
}
