package differential

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A vote is a case with all answers: ours, and one of each voter.
type vote struct {
	sample
	ours   ballot
	voters []ballot
}

var voterNames = []string{golangJWT.name, goJOSE.name, jwx.name, joseName}

// ballotsOf asks everybody about everything.
func ballotsOf(t *testing.T, samples []sample) []vote {
	t.Helper()
	var ours []ballot
	polls := make([][]ballot, len(voterNames))
	var wg sync.WaitGroup
	wg.Go(func() {
		ours = poll(jwtguard, samples)
		for i, l := range []library{golangJWT, goJOSE, jwx} {
			polls[i] = poll(l, samples)
		}
	})
	polls[len(polls)-1] = pollJOSE(t, samples)
	wg.Wait()
	votes := make([]vote, len(samples))
	for i, s := range samples {
		votes[i] = vote{sample: s, ours: ours[i]}
		for _, p := range polls {
			votes[i].voters = append(votes[i].voters, p[i])
		}
	}
	return votes
}

// accepting counts the voters that accept.
func (v *vote) accepting() (n int) {
	for _, b := range v.voters {
		if b.accepted {
			n++
		}
	}
	return n
}

// differs reports whether the voters are against our answer: at least half of
// them where we accept, more than half where we refuse.
func (v *vote) differs() bool {
	if v.ours.accepted {
		return 2*v.accepting() <= len(v.voters)
	}
	return 2*v.accepting() > len(v.voters)
}

// assertPlain checks the generator: what it takes for good, we accept, and so
// does at least half of the voters.
func assertPlain(t *testing.T, votes []vote) {
	t.Helper()
	for i := range votes {
		v := &votes[i]
		if !strings.HasPrefix(v.kind, plain) {
			continue
		}
		require.True(t, v.ours.accepted, "%s: %s", v, v.ours.why)
		require.GreaterOrEqual(t, 2*v.accepting(), len(v.voters), v.String())
	}
}

// assertPanicFree wants no panic of ours. A voter's is a refusal, and listed.
func assertPanicFree(t *testing.T, votes []vote) {
	t.Helper()
	seen := make(map[string]bool)
	for i := range votes {
		v := &votes[i]
		assert.False(t, v.ours.panicked, "%s: %s", v, v.ours.why)
		for j, b := range v.voters {
			if at := voterNames[j] + " at " + v.kind; b.panicked && !seen[at] {
				seen[at] = true
				t.Logf("a panic of %s: %s", at, b.why)
			}
		}
	}
}

// assertUniform wants one answer of ours to all cases of a kind: where it
// depends on chance, the kind is two.
func assertUniform(t *testing.T, votes []vote) {
	t.Helper()
	first := make(map[string]*vote)
	for i := range votes {
		v := &votes[i]
		switch f := first[v.kind]; {
		case f == nil:
			first[v.kind] = v
		case f.ours.accepted != v.ours.accepted:
			assert.Fail(t, "one kind, two answers", "%s\n%s", f, v)
		}
	}
}

// String is everything that is needed to ask again.
func (v *vote) String() string {
	return fmt.Sprintf("%s, case %d\nkeys: %+q\ntoken: %+q", v.kind, v.number, cut(v.jwks), cut(v.token))
}

func cut(s string) string {
	if len(s) > 6000 {
		return s[:6000] + "..."
	}
	return s
}
