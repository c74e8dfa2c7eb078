package scale

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParts(t *testing.T) {
	parts, err := Parts(t.Context(), Effort{3, time.Millisecond, 1000})
	require.NoError(t, err)
	require.Len(t, parts, 6)
	rows := map[string]int{"Size of the token": 6, "Keys of an issuer": 5, "Issuers joined": 4, "Tokens alive": 2, "Goroutines": 5, "Keys that change": 1}
	for _, p := range parts {
		assert.Len(t, p.Table.Rows, rows[p.Title], p.Title)
		for _, row := range p.Table.Rows {
			assert.Len(t, row, len(p.Table.Header), p.Title)
		}
	}
	for _, row := range parts[0].Table.Rows {
		verification, err := strconv.ParseFloat(row[1], 64)
		require.NoError(t, err)
		hit, err := strconv.ParseFloat(row[3], 64)
		require.NoError(t, err)
		assert.Less(t, hit, verification, row)
	}
	for _, row := range parts[3].Table.Rows {
		assert.Equal(t, []string{"1000", "21", "95 %", "1000"}, []string{row[0], row[2], row[3], row[4]}, "all but the first round are hits")
	}
}

func TestTokenSizes(t *testing.T) {
	p, err := tokenSize(t.Context(), newIssuer(), Effort{1, time.Millisecond, 1})
	require.NoError(t, err)
	for i, row := range p.Table.Rows {
		assert.Equal(t, fmt.Sprintf("%.1f KiB", 0.5*float64(int(1)<<i)), row[0])
	}
	assert.True(t, strings.HasPrefix(p.Table.Rows[0][2], "1.00"))
}

func TestPercentile(t *testing.T) {
	values := make([]float64, 1000)
	for i := range values {
		values[i] = float64(999 - i)
	}
	assert.InDelta(t, 500, percentile(values, 0.5), 0)
	assert.InDelta(t, 999, percentile(values, 0.999), 0)
}
