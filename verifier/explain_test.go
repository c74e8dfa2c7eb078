package verifier_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// numbers differ where a second passes between two calls.
var numbers = regexp.MustCompile(`[0-9]+`)

// checkReport checks what holds for every Report: it agrees with Verify, it names a
// mistake, and its texts can be shown anywhere.
func checkReport(t *testing.T, v *verifier.Verifier, raw string, rules ...verifier.Rule) verifier.Report {
	t.Helper()
	r := v.Explain(ctx, raw, rules...)
	_, err := v.Verify(ctx, raw, rules...)
	assert.Equal(t, err == nil, r.Admitted, "E1")
	if err == nil {
		assert.Nil(t, r.Refusal)
		assert.Empty(t, r.StoppedAt)
		assert.Zero(t, r.Mistake)
	} else {
		require.NotNil(t, r.Refusal)
		assert.Equal(t, numbers.ReplaceAllString(err.Error(), "0"), numbers.ReplaceAllString(r.Refusal.Error(), "0"), "E1")
		assert.NotEmpty(t, r.StoppedAt)
		assert.NotEmpty(t, r.Mistake.Code)
		assert.NotEmpty(t, r.Mistake.Text)
	}
	failed := 0
	for _, c := range r.Checks {
		if c.Result == verifier.CheckFailed {
			if failed++; failed == 1 {
				assert.Equal(t, r.StoppedAt, c.Check)
			}
			assert.NotEmpty(t, c.Mistake.Code, c.Check)
		} else {
			assert.Zero(t, c.Mistake, c.Check)
		}
	}
	assert.Equal(t, r.Admitted, failed == 0)
	for _, r := range []verifier.Report{r, r.WithClaims()} {
		text := r.String()
		for line := range strings.Lines(text) {
			assert.LessOrEqual(t, len(strings.TrimSuffix(line, "\n")), 60, line)
		}
		doc, err := json.Marshal(r)
		require.NoError(t, err)
		assert.True(t, json.Valid(doc))
		for _, s := range []string{strings.ReplaceAll(text, "\n", ""), string(doc)} {
			assert.Negative(t, strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }))
			if sig := raw[strings.LastIndexByte(raw, '.')+1:]; len(sig) > 20 && strings.Contains(raw, ".") {
				assert.NotContains(t, s, sig)
			}
		}
	}
	return r
}
