package races_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/races"
)

// What jwtguard promises, with and without its memory for tokens. The peers only
// have to take part.
func TestRaces(t *testing.T) {
	promised := map[string][]string{
		"storm":                           {"^[1-6]$"},
		"rotation":                        {`^first try`},
		"rotation after 1 made-up kid":    {`^first try`},
		"rotation after 100 made-up kids": {`^(first try|after [0-5]\.\d s)`},
		"rotation, refresh every second":  {`^first try`},
		"the same after 100 made-up kids": {`^(first try|after [0-5]\.\d s)`},
		"outage":                          {"^100 %$", `^[0-3]$`},
		"withdrawal":                      {`^after [0-4]\.\d s$`},
		"hang":                            {`^(< 0\.1|0\.\d) s$`},
	}
	for _, heat := range races.Heats {
		cells := make([][][]string, len(heat))
		errs := make([]error, len(heat))
		var all sync.WaitGroup
		for i, race := range heat {
			all.Go(func() { cells[i], errs[i] = race.Run(t.Context()) })
		}
		all.Wait()
		for i, race := range heat {
			require.NoError(t, errs[i])
			require.Len(t, cells[i], len(races.Contestants))
			for _, told := range cells[i] {
				require.Len(t, told, len(race.Columns), race.Name)
			}
			require.Contains(t, promised, race.Name)
			for _, ours := range cells[i][:2] {
				for column, pattern := range promised[race.Name] {
					assert.Regexp(t, pattern, ours[column], race.Name)
				}
			}
			delete(promised, race.Name)
		}
	}
	assert.Empty(t, promised)
}
