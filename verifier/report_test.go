package verifier_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func TestReportHidesValuesOfRules(t *testing.T) {
	v, _ := setup(t, func(s *set) { s.Claims.ClientCredentials = verifier.Claim("/x/email", "bob@example.com") })
	raw := signerOf("ES256").token(nil, members{"email": `"alice@example.com"`, "x": `{"email":"alice@example.com"}`})
	r := checkReport(t, v, raw, verifier.Claim("email", "bob@example.com"), verifier.ClientCredentials())
	for _, text := range []string{r.String(), string(must(json.Marshal(r)))} {
		assert.NotContains(t, text, "alice", "E3 a rule's claim is not shown, unless it is on the list")
	}
	assert.Contains(t, r.WithClaims().String(), "alice@example.com")
	r = checkReport(t, v, raw, verifier.Claim("sub", "bob"))
	assert.Contains(t, r.String(), `"sub" "billing"`, "E3 this one is on the list")
}

func TestReportShowsListedClaims(t *testing.T) {
	v, _ := setup(t)
	bad := "\u202e\u0085"
	raw := signerOf("ES256").token(members{"jku": `"https://jku.example"`}, members{
		"email": `"alice@example.com"`, "aud": `"https://x.example/` + bad + `"`, "permissions": `["p",{"q":[1]}]`, bad: `"y"`,
		"scope": `"` + strings.Repeat("long ", 400) + `"`,
	})
	r := checkReport(t, v, raw)
	for _, text := range []string{r.String(), string(must(json.Marshal(r)))} {
		assert.Contains(t, text, "email", "E3 the name is shown")
		assert.NotContains(t, text, "alice", "E3 the value is not")
		assert.NotContains(t, text, "jku.example")
		assert.Contains(t, text, `["p",{"q":[1]}]`)
	}
	for _, text := range []string{r.WithClaims().String(), string(must(json.Marshal(r.WithClaims())))} {
		assert.Contains(t, text, "alice@example.com", "E3 on request")
		assert.NotContains(t, text, "jku.example")
	}
	var doc struct {
		Admitted bool
		Status   int
		Error    string
		Reason   string
		Stopped  string `json:"stopped_at"`
		Mistake  verifier.Mistake
		Checks   []verifier.CheckReport
		Header   map[string]string
		Claims   map[string]any
		Other    []string `json:"other_claims"`
	}
	require.NoError(t, json.Unmarshal(must(json.Marshal(r)), &doc))
	assert.Equal(t, []any{false, 401, "invalid_token", "audience", "audience", r.Mistake, "at+jwt"},
		[]any{doc.Admitted, doc.Status, doc.Error, doc.Reason, doc.Stopped, doc.Mistake, doc.Header["typ"]}, "E3")
	assert.Equal(t, r.Checks, doc.Checks)
	assert.Equal(t, "https://x.example/"+bad, doc.Claims["aud"], "E3 JSON has the very text")
	assert.ElementsMatch(t, []string{"email", bad}, doc.Other)
	assert.Less(t, len(r.String()), 8000, "E3 a text is short")
}
