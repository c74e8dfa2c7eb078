package measure

import (
	"cmp"
	"slices"
)

// Ratio is the median over the rounds of s by base. Both have the same rounds.
func (s Series) Ratio(base Series) float64 {
	return s.median(func(i int) float64 { return s[i].Nanoseconds / base[i].Nanoseconds })
}

// Overhead is the median over the rounds of what s takes longer than without,
// by base.
func (s Series) Overhead(without, base Series) float64 {
	return s.median(func(i int) float64 {
		return (s[i].Nanoseconds - without[i].Nanoseconds) / base[i].Nanoseconds
	})
}

// Nanoseconds is the median of an operation's time.
func (s Series) Nanoseconds() float64 {
	return s.median(func(i int) float64 { return s[i].Nanoseconds })
}

// Fastest is the least of an operation's times: what it takes where nothing else
// runs, if only in one round.
func (s Series) Fastest() float64 {
	return slices.MinFunc(s, func(a, b Sample) int { return cmp.Compare(a.Nanoseconds, b.Nanoseconds) }).Nanoseconds
}

// Allocs is the median of an operation's allocations.
func (s Series) Allocs() float64 { return s.median(func(i int) float64 { return s[i].Allocs }) }

// Bytes is the median of what an operation allocates.
func (s Series) Bytes() float64 { return s.median(func(i int) float64 { return s[i].Bytes }) }

func (s Series) median(value func(i int) float64) float64 {
	values := make([]float64, len(s))
	for i := range s {
		values[i] = value(i)
	}
	return Median(values)
}

// Median returns the middle of values, which it sorts, or 0 if there are none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}
