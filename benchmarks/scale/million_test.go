package scale

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whether the number bounds what is remembered, or the bytes.
func TestLiveTokensAreBounded(t *testing.T) {
	// No token takes less of the 16 MiB than this.
	const least = 1000
	for _, row := range []struct{ n, tokenCache, atMost int }{
		{300, 1 << 20, 300},
		{300, 64, 64},
		{20_000, 1 << 20, 16 << 20 / least},
	} {
		l, err := live(t.Context(), row.n, row.tokenCache)
		require.NoError(t, err)
		assert.LessOrEqual(t, l.remembered, row.atMost, row)
		assert.GreaterOrEqual(t, l.remembered, row.atMost/4, row)
		assert.LessOrEqual(t, l.hits, 1.0, row)
		assert.Equal(t, row.n <= row.tokenCache && row.n < 1000, l.hits == 1, row)
		assert.Less(t, l.heap, 32.0*(1<<20), row)
	}
}

func TestMintedTokensAreTheSameInEachRound(t *testing.T) {
	m := newMint()
	assert.Equal(t, m.token(7), m.token(7))
	assert.NotEqual(t, m.token(7), m.token(8))
	assert.NotEqual(t, m.token(7), newMint().token(7))
}
