package house

import (
	"os"
	"path/filepath"
	"regexp"
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
	assert.Contains(t, page, thousands(sums[0][1])+" cases, of which "+thousands(sums[0][2])+" decide something about JOSE")
	assert.Contains(t, page, "| tokens of every algorithm | "+thousands(sums[1][1])+",")
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
