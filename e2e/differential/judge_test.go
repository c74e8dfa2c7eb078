package differential

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A decision is jwtguard's answer to some kinds of cases, on which it differs
// from the voters, and the line that decides it.
type decision struct {
	class   string
	accepts bool // jwtguard does, and the voters do not; or the reverse
	line    string
	why     string
	kinds   []string // by their names; the last character may be a star
}

func (d *decision) covers(kind string) bool {
	return slices.ContainsFunc(d.kinds, func(pattern string) bool { return matches(pattern, kind) })
}

func matches(pattern, kind string) bool {
	prefix, star := strings.CutSuffix(pattern, "*")
	return kind == pattern || star && strings.HasPrefix(kind, prefix)
}

// differences are the votes where jwtguard stands against the voters.
func differences(votes []vote) (found []*vote) {
	for i := range votes {
		if votes[i].differs() {
			found = append(found, &votes[i])
		}
	}
	return found
}

// decisionOn returns what was decided on v, nil if nothing was.
func decisionOn(v *vote) *decision {
	for i := range decisions {
		if d := &decisions[i]; d.accepts == v.ours.accepted && d.covers(v.kind) {
			return d
		}
	}
	return nil
}

// assertDecided wants a decision on every difference, a difference for every
// pattern of every decision, and the decided answer to all that it covers.
func assertDecided(t *testing.T, votes []vote) {
	t.Helper()
	found := differences(votes)
	seen := make(map[string]bool)
	for i := range votes {
		for _, d := range decisions {
			if v := &votes[i]; d.covers(v.kind) && d.accepts != v.ours.accepted && !seen[v.kind] {
				seen[v.kind] = true
				assert.Fail(t, "decided otherwise", "%s: jwtguard accepted: %t\n%s", d.class, v.ours.accepted, v)
			}
		}
	}
	for _, v := range found {
		if decisionOn(v) != nil || seen[v.kind] {
			continue
		}
		seen[v.kind] = true
		answer := "refuses what most voters accept: " + v.ours.why
		if v.ours.accepted {
			answer = "accepts what half of the voters or more refuse"
		}
		assert.Fail(t, "nobody has decided this", "jwtguard %s\n%s\n%s", answer, tally([]*vote{v}), v)
	}
	for _, d := range decisions {
		for _, pattern := range d.kinds {
			assert.True(t, slices.ContainsFunc(found, func(v *vote) bool {
				return v.ours.accepted == d.accepts && matches(pattern, v.kind)
			}), "%s: no case of %q differs any more", d.class, pattern)
		}
	}
}

// table is what differs, as Markdown.
func table(found []*vote) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| class | cases | jwtguard | %s | decided by |\n|---|---|---|---|---|---|---|---|\n", strings.Join(voterNames, " | "))
	total := 0
	for i := range decisions {
		d := &decisions[i]
		var mine []*vote
		for _, v := range found {
			if decisionOn(v) == d {
				mine = append(mine, v)
			}
		}
		total += len(mine)
		answer := "refuses"
		if d.accepts {
			answer = "accepts"
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s: %s |\n", d.class, len(mine), answer, tally(mine), d.line, d.why)
	}
	fmt.Fprintf(&b, "\nVoters' answers are accepted/refused. %d cases in decided classes, of %d that differ.\n", total, len(found))
	return b.String()
}

// tally is how often each voter accepted and refused.
func tally(votes []*vote) string {
	cells := make([]string, len(voterNames))
	for i := range voterNames {
		accepted := 0
		for _, v := range votes {
			if v.voters[i].accepted {
				accepted++
			}
		}
		cells[i] = fmt.Sprintf("%d/%d", accepted, len(votes)-accepted)
	}
	return strings.Join(cells, " | ")
}
