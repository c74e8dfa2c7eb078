package scale

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMore(t *testing.T) {
	parts, err := More(t.Context(), Effort{2, time.Millisecond, 1000})
	require.NoError(t, err)
	require.Len(t, parts, 3)
	rows := map[string]int{"Up to a million tokens": 1, "Refreshes beside quiet": 3, "Refusals": 14}
	for _, p := range parts {
		assert.Len(t, p.Table.Rows, rows[p.Title], p.Title)
		assert.NotEmpty(t, p.Note)
		for _, row := range p.Table.Rows {
			assert.Len(t, row, len(p.Table.Header), p.Title)
		}
	}
	tokens, fetches, refused := parts[0].Table.Rows[0], parts[1].Table.Rows[0], parts[2].Table.Rows
	assert.Equal(t, []string{"1000", "41", "100 %", "1000"}, tokens[:4], "all but the first round are hits")
	assert.Equal(t, []string{"1.00", "1.00", "1.00"}, fetches[1:], "quiet to quiet")
	for _, row := range refused {
		time, err := strconv.ParseFloat(row[2], 64)
		require.NoError(t, err)
		if row[0] == "a signature that does not fit" {
			assert.Greater(t, time, 0.5, row)
		} else {
			assert.Less(t, time, 0.9, row)
		}
	}
}
