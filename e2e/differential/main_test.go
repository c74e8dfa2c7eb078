package differential

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	seed  = flag.Uint64("seed", 1, "of the generator")
	cases = flag.Int("cases", 6000, "to mint at least")
)

// minted are the cases of seed. Randomness is global in Go's crypto, so they
// are minted in a test of their own.
func minted(t *testing.T, seed uint64, now int64, kinds []kind, enough int) (samples []sample) {
	t.Run("mint", func(t *testing.T) {
		cryptotest.SetGlobalRandom(t, seed)
		samples = newGenerator(seed, now).mint(kinds, enough)
	})
	require.NotEmpty(t, samples)
	return samples
}

// TestVotes finds no difference but those that are decided.
func TestVotes(t *testing.T) {
	t.Logf("seed %d, at least %d cases", *seed, *cases)
	votes := ballotsOf(t, minted(t, *seed, time.Now().Unix(), allKinds(), *cases))
	assertPlain(t, votes)
	assertPanicFree(t, votes)
	assertUniform(t, votes)
	assertDecided(t, votes)
	assertSameClaims(t, votes)
	text := table(differences(votes))
	t.Logf("%d cases of %d kinds\n\n%s", len(votes), len(allKinds()), text)
	if *seed != 1 || *cases != 6000 {
		return
	}
	page, err := os.ReadFile("../../docs/reliability.md")
	require.NoError(t, err)
	lines := strings.Split(text[:strings.Index(text, "\n\n")], "\n")
	for _, want := range append(lines, thousands(len(votes))+" cases of "+strconv.Itoa(len(allKinds()))+" kinds") {
		assert.True(t, strings.Contains(string(page), want), "docs/reliability.md does not say: %s", want)
	}
}

func thousands(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }

// The same seed mints the same, to the byte.
func TestSeed(t *testing.T) {
	var some []kind
	for i, k := range allKinds() {
		if i%10 == 0 {
			some = append(some, k)
		}
	}
	const now = 1_800_000_000
	assert.Equal(t, minted(t, 3, now, some, 1), minted(t, 3, now, some, 1))
}

// Every kind has a name of its own.
func TestKindNames(t *testing.T) {
	seen := make(map[string]bool)
	for _, k := range allKinds() {
		require.False(t, seen[k.name], k.name)
		seen[k.name] = true
	}
}
