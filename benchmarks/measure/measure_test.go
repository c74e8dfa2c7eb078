package measure_test

import (
	"errors"
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
			want := int32(3)
			if i >= 5 {
				want = 2
			}
			assert.Equal(t, want, done[i].Load(), "%d workers, operation %d", workers, i)
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
	assert.Less(t, s.Time, 100*time.Millisecond)
	assert.Less(t, s.Allocs, 10.0)

	s, err = measure.Slice(always(func(int) error { spin(time.Millisecond); return nil }), 5, 1)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, s.Time, 5*time.Millisecond)
	assert.GreaterOrEqual(t, s.Nanoseconds, 1e6)
}

func TestFailuresAreReported(t *testing.T) {
	broken := errors.New("broken")
	for _, workers := range []int{1, 2} {
		_, err := measure.Slice(always(func(i int) error {
			if i == 7 {
				return broken
			}
			return nil
		}), 10, workers)
		assert.ErrorIs(t, err, broken)
	}
	_, err := measure.Slice(measure.Run{Begin: func() (measure.Op, error) { return nil, broken }}, 1, 1)
	assert.ErrorIs(t, err, broken)
	_, err = measure.Rounds([]measure.Case{{Name: "mine", Group: "RS256", Workers: 1, Run: always(func(int) error { return broken })}}, 1, time.Millisecond)
	assert.ErrorIs(t, err, broken)
	assert.ErrorContains(t, err, "RS256, mine")
}

func TestCalibrate(t *testing.T) {
	n, err := measure.Calibrate(always(func(int) error { spin(100 * time.Microsecond); return nil }), 10*time.Millisecond, 1)
	require.NoError(t, err)
	assert.LessOrEqual(t, n, 100)
	assert.Positive(t, n)

	n, err = measure.Calibrate(always(func(int) error { spin(10 * time.Millisecond); return nil }), time.Millisecond, 2)
	require.NoError(t, err)
	assert.Equal(t, 2, n, "one for each worker")
}

func TestRounds(t *testing.T) {
	var slow, fast atomic.Int32
	cases := []measure.Case{
		{Name: "slow", Group: "a", Workers: 1, Run: always(func(int) error { slow.Add(1); spin(time.Millisecond); return nil })},
		{Name: "fast", Group: "a", Workers: 1, Run: always(func(int) error { fast.Add(1); spin(100 * time.Microsecond); return nil })},
		{Name: "other", Group: "b", Workers: 2, Run: always(func(int) error { spin(time.Millisecond); return nil })},
	}
	all, err := measure.Rounds(cases, 5, 4*time.Millisecond)
	require.NoError(t, err)
	require.Len(t, all, 3)
	for _, s := range all {
		assert.Len(t, s, 5)
	}
	assert.Greater(t, all[0].Ratio(all[1]), 2.0)
	assert.Positive(t, slow.Load())
	assert.Greater(t, fast.Load(), slow.Load())
}
