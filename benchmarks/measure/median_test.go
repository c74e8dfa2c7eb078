package measure_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
)

func TestMedian(t *testing.T) {
	assert.Equal(t, 0.0, measure.Median(nil))
	assert.Equal(t, 4.0, measure.Median([]float64{4}))
	assert.Equal(t, 2.0, measure.Median([]float64{9, 1, 2}))
	assert.Equal(t, 2.5, measure.Median([]float64{9, 1, 3, 2}))
}

// One round that something else disturbed changes nothing.
func TestSeriesAreComparedRoundByRound(t *testing.T) {
	nanoseconds := func(values ...float64) (s measure.Series) {
		for _, v := range values {
			s = append(s, measure.Sample{Nanoseconds: v, Allocs: v / 10, Bytes: v * 10})
		}
		return s
	}
	base := nanoseconds(100, 200, 400)
	who := nanoseconds(150, 9000, 600)
	alone := nanoseconds(50, 100, 200)
	assert.Equal(t, 1.5, who.Ratio(base))
	assert.Equal(t, 1.0, who.Overhead(alone, base))
	assert.Equal(t, 600.0, who.Nanoseconds())
	assert.Equal(t, 150.0, who.Fastest())
	assert.Equal(t, 60.0, who.Allocs())
	assert.Equal(t, 6000.0, who.Bytes())
}
