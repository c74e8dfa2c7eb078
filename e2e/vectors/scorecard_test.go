package vectors

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write scorecard.md")

const scorecard = "scorecard.md"

// A row counts what became of one file's vectors.
type row struct {
	cases, valid, waived, acceptable, acceptableRefused, invalid, disputed, others, wrong int
}

// other is the outcome of an encrypted token, and of a vector of no algorithm of
// JOSE: see meantFor.
const other = "other"

// add counts v, which was refused for reason or, where that is "", accepted,
// and fails the test where that is neither right nor explained.
func (r *row) add(t *testing.T, file string, v *vector, reason string) {
	t.Helper()
	r.cases++
	accepted := reason == ""
	switch why := explained[vectorID{file, v.ID}]; {
	case reason == other:
		r.others++
	case v.Result == "valid" && accepted:
		r.valid++
		assert.Empty(t, why, "%d: the waiver is not needed any more", v.ID)
	case v.Result == "valid" && why.refusedFor == reason:
		r.waived++
	case v.Result == "valid":
		r.wrong++
		assert.Fail(t, "a valid signature is refused", "%d: %s, waived for %q", v.ID, reason, why.refusedFor)
	case v.Result == "acceptable" && accepted:
		r.acceptable++
		assert.True(t, acceptableAccepted(v), "%d %v: accepted against the policy", v.ID, v.Flags)
	case v.Result == "acceptable":
		r.acceptableRefused++
		assert.False(t, acceptableAccepted(v), "%d %v: refused against the policy", v.ID, v.Flags)
	case v.Result == "invalid" && !accepted:
		r.invalid++
		assert.Empty(t, why, "%d: the waiver is not needed any more", v.ID)
	case v.Result == "invalid" && why.accepted:
		r.disputed++
	default:
		r.wrong++
		assert.Fail(t, "FALSE ACCEPT", "%d is %s", v.ID, v.Result)
	}
}

func (r *row) counts() []int {
	return []int{r.cases, r.valid, r.waived, r.acceptable, r.acceptableRefused, r.invalid, r.others, r.disputed, r.wrong}
}

const heading = `# Scorecard

Written by ` + "`go test ./vectors -run Scorecard -update`" + `; the test compares. "Waived" are valid
vectors that are refused, "disputed" invalid ones that are accepted, each with its reason in
waivers_test.go. "Other" are encrypted tokens and vectors of no algorithm of JOSE: refused, but
for invalid ones whose comment says that they are good signatures of another algorithm, which
that one must accept. "False" are false accepts and unexplained refusals.

`

const columns = `| cases | valid accepted | waived | acceptable accepted | acceptable refused | invalid refused | other refused | disputed | false |
|---|---|---|---|---|---|---|---|---|---|
`

func line(name string, counts []int) string {
	return "| " + name + " | " + strings.Trim(strings.ReplaceAll(fmt.Sprint(counts), " ", " | "), "[]") + " |"
}

// section is a table of rows and their sums. What is not "other" decides
// something about JOSE.
func section(title, first string, names []string, rows []row) string {
	table := "| " + first + " " + columns
	sums := make([]int, len(rows[0].counts()))
	others := 0
	for i, r := range rows {
		table += line(names[i], r.counts()) + "\n"
		for j, n := range r.counts() {
			sums[j] += n
		}
		others += r.others
	}
	return fmt.Sprintf("## %s\n\n%d cases, of which %d decide something about JOSE.\n\n%s%s\n", title, sums[0], sums[0]-others, table, line("total", sums))
}

// TestScorecard runs every vector and compares the counts with those on record,
// so that none goes missing unnoticed.
func TestScorecard(t *testing.T) {
	jose := named(t, "json_web_*.json")
	names := append(jose, named(t, rawFiles...)...)
	left := append(named(t, otherCurves...), tooSlow...)
	names = slices.DeleteFunc(names, func(n string) bool { return slices.Contains(left, n) })
	published := len(names)
	tokens := make(map[string]string)
	for _, alg := range slices.Concat(asymmetric, secret) {
		tokens[tokensOf(alg)] = alg
		names = append(names, tokensOf(alg))
	}
	recorded, err := os.ReadFile(scorecard)
	if !*update {
		require.NoError(t, err)
	}

	rows := make([]row, len(names))
	t.Run("A1", func(t *testing.T) {
		for i, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				switch alg := tokens[name]; {
				case alg != "":
					rows[i] = runTokens(t, alg)
				case slices.Contains(jose, name):
					rows[i] = runJOSE(t, name)
				default:
					rows[i] = runRaw(t, name)
				}
				text := line(name, rows[i].counts())
				if !*update {
					assert.Contains(t, string(recorded), text+"\n", "the counts are not those on record")
				}
				t.Log(text)
			})
		}
	})

	table := heading + section("Wycheproof", "file", names[:published], rows[:published]) + `
The raw signatures are of texts that are no tokens, so ` + "`internal/jose`" + ` decides them; a
verifier with each one's key then refuses a token that has this signature. Tokens of the
JOSE files are decided by a verifier, as far as their claims allow it, and the good ones
signed again over good claims, which it accepts.

` + section("Tokens that another library signs, decided by verifiers", "algorithm", names[published:], rows[published:])
	t.Log("\n" + table)
	if all := !slices.Contains(rows, row{}); all && !*update {
		assert.Equal(t, string(recorded), table, "the scorecard on record is another")
	}
	if *update {
		require.NoError(t, os.WriteFile(scorecard, []byte(table), 0o644))
	}
}
