package main

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTooSlow(t *testing.T) {
	l := limits{verify: 1.15, miss: 1.3, hit: 0.02}
	for _, row := range []struct {
		name              string
		verify, miss, hit float64
		complaints        int
	}{
		{"fast", 1.02, 1.05, 0.003, 0},
		{"just within", 1.15, 1.3, 0.02, 0},
		{"slow to verify", 1.151, 1.2, 0.003, 1},
		{"slow to remember", 1.02, 1.301, 0.003, 1},
		{"a slow hit", 1.02, 1.05, 0.021, 1},
		{"all", 2, 2, 1, 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			found := []guarded{{"ES256", 1, 1, 0.001}, {"RS256", row.verify, row.miss, row.hit}}
			complaints := tooSlow(found, l)
			assert.Len(t, complaints, row.complaints)
			for _, c := range complaints {
				assert.Contains(t, c, "RS256")
			}
		})
	}
}

func TestGuardLooksTwiceBeforeItComplains(t *testing.T) {
	slow, fast := []guarded{{"RS256", 9, 9, 9}}, []guarded{{"RS256", 1, 1, 0.001}}
	for _, row := range []struct {
		name       string
		runs       [][]guarded
		complaints int
	}{
		{"fast", [][]guarded{fast}, 0},
		{"slow once", [][]guarded{slow, fast}, 0},
		{"slow", [][]guarded{slow, slow}, 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			var efforts []effort
			complaints, err := guard(io.Discard, limits{verify: 1.15, miss: 1.3, hit: 0.02}, func(e effort) ([]guarded, error) {
				efforts = append(efforts, e)
				return row.runs[len(efforts)-1], nil
			})
			require.NoError(t, err)
			assert.Len(t, complaints, row.complaints)
			require.Len(t, efforts, len(row.runs))
			if len(efforts) == 2 {
				assert.Greater(t, efforts[1].Rounds, efforts[0].Rounds)
			}
		})
	}
	_, err := guard(io.Discard, limits{}, func(effort) ([]guarded, error) { return nil, assert.AnError })
	assert.ErrorIs(t, err, assert.AnError)
}

func TestMeasureGuarded(t *testing.T) {
	found, err := measureGuarded(t.Context(), []string{"ES256", "EdDSA"})(effort{3, time.Millisecond})
	require.NoError(t, err)
	require.Len(t, found, 2)
	for i, alg := range []string{"ES256", "EdDSA"} {
		assert.Equal(t, alg, found[i].alg)
		assert.Positive(t, found[i].hit)
		assert.Greater(t, found[i].miss, found[i].hit)
		assert.Greater(t, found[i].verify, found[i].hit)
	}
}
