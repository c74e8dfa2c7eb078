package measure_test

import (
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
)

func always(op measure.Op) measure.Run {
	return measure.Run{Begin: func() (measure.Op, error) { return op, nil }}
}

func spin(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
	}
}

func TestSliceCountsAllocations(t *testing.T) {
	for _, workers := range []int{1, 2} {
		var kept [2][3]*[64]byte
		s, err := measure.Slice(always(func(i int) error {
			for j := range 3 {
				kept[i%workers][j] = new([64]byte)
			}
			return nil
		}), 10_000, workers)
		require.NoError(t, err)
		assert.InDelta(t, 3, s.Allocs, 0.1)
		assert.InDelta(t, 3*64, s.Bytes, 20)
	}
}

func TestSliceDoesEachOperationOnce(t *testing.T) {
	for _, workers := range []int{1, 3} {
		var done [10]atomic.Int32
		var begun int
		_, err := measure.Slice(measure.Run{Pool: 10, Begin: func() (measure.Op, error) {
			begun++
			return func(i int) error { done[i].Add(1); return nil }, nil
		}}, 25, workers)
		require.NoError(t, err)
		assert.Equal(t, 3, begun)
		for i := range done {
			assert.Equal(t, int32(3-i/5), done[i].Load(), "%d workers, operation %d", workers, i)
		}
	}
}

func TestSliceLeavesPreparationOut(t *testing.T) {
	s, err := measure.Slice(measure.Run{Pool: 1, Begin: func() (measure.Op, error) {
		spin(10 * time.Millisecond)
		kept := make([]*int, 100)
		for i := range kept {
			kept[i] = new(int)
		}
		return func(int) error { *kept[0]++; return nil }, nil
	}}, 10, 1)
	require.NoError(t, err)
	assert.Less(t, s.Nanoseconds, 1e7)
	assert.Less(t, s.Allocs, 10.0)
}

func TestRounds(t *testing.T) {
	work := func(d time.Duration) measure.Run { return always(func(int) error { spin(d); return nil }) }
	all, err := measure.Rounds([]measure.Case{
		{Name: "slow", Group: "a", Workers: 1, Run: work(time.Millisecond)},
		{Name: "fast", Group: "a", Workers: 1, Run: work(100 * time.Microsecond)},
		{Name: "other", Group: "b", Workers: 2, Run: work(time.Millisecond)},
	}, 5, 4*time.Millisecond)
	require.NoError(t, err)
	require.Len(t, all, 3)
	for _, s := range all {
		assert.Len(t, s, 5)
	}
	assert.Greater(t, all[0].Ratio(all[1]).Center, 2.0)

	broken := errors.New("broken")
	for _, workers := range []int{1, 2} {
		for _, run := range []measure.Run{
			always(func(int) error { return broken }),
			{Begin: func() (measure.Op, error) { return nil, broken }},
		} {
			_, err = measure.Rounds([]measure.Case{{Name: "mine", Group: "RS256", Workers: workers, Run: run}}, 1, time.Millisecond)
			assert.ErrorIs(t, err, broken)
			assert.ErrorContains(t, err, "RS256, mine")
		}
	}
}

// One round that something else disturbed changes nothing.
func TestSeriesAreComparedRoundByRound(t *testing.T) {
	nanoseconds := func(values ...float64) (s measure.Series) {
		for _, v := range values {
			s = append(s, measure.Sample{Nanoseconds: v, Allocs: v / 10, Bytes: v * 10})
		}
		return s
	}
	base, alone := nanoseconds(100, 200, 400), nanoseconds(50, 100, 200)
	who := nanoseconds(150, 9000, 600)
	assert.Equal(t, 1.5, who.Ratio(base).Center)
	assert.Equal(t, 1.0, who.Overhead(alone, base).Center)
	assert.Equal(t, 600.0, who.Nanoseconds().Center)
	assert.Equal(t, 60.0, who.Allocs())
	assert.Equal(t, 6000.0, who.Bytes())
	assert.True(t, math.IsInf(who.Nanoseconds().Hi, 0), "three rounds are no confidence")
	assert.Equal(t, "1%", nanoseconds(99, 100, 100, 100, 100, 101).Nanoseconds().PctRangeString())
}
