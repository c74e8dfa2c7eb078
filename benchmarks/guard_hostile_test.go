package main

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGuardHostile(t *testing.T) {
	fast, just, slow := refused{"fast", 1}, refused{"just within", 3}, refused{"slow", 3.01}
	for _, row := range []struct {
		name       string
		runs       [][]refused
		complaints int
	}{
		{"fast", [][]refused{{fast, just}}, 0},
		{"slow once", [][]refused{{slow, fast}, {fast, fast}}, 0},
		{"slow", [][]refused{{fast, slow}, {slow, just, slow}}, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			var efforts []effort
			complaints, err := guardHostile(io.Discard, limits{hostile: 3}, func(e effort) ([]refused, error) {
				efforts = append(efforts, e)
				return row.runs[len(efforts)-1], nil
			})
			require.NoError(t, err)
			require.Len(t, efforts, len(row.runs))
			require.Len(t, complaints, row.complaints)
			for _, c := range complaints {
				assert.Contains(t, c, "(slow) takes 3.01 ")
			}
			if len(efforts) == 2 {
				assert.Greater(t, efforts[1].Rounds, efforts[0].Rounds)
			}
		})
	}
	_, err := guardHostile(io.Discard, limits{}, func(effort) ([]refused, error) { return nil, assert.AnError })
	assert.ErrorIs(t, err, assert.AnError)
}

func TestMeasureHostile(t *testing.T) {
	found, err := measureHostile("RS256")(effort{1, 50 * time.Microsecond})
	require.NoError(t, err)
	assert.Greater(t, len(found), 80)
	kinds := make(map[string]bool)
	for _, r := range found {
		assert.Positive(t, r.ratio, r.kind)
		kinds[r.kind] = true
	}
	assert.Len(t, kinds, len(found))
	assert.True(t, kinds["scope of spaces"] && kinds["header: kid"])
}
