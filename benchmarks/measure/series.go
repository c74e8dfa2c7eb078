package measure

import (
	"golang.org/x/perf/benchmath"
)

// A Series is what a case took, round by round.
type Series []Sample

// Ratio compares s with base, round by round. Both have the same rounds.
func (s Series) Ratio(base Series) benchmath.Summary {
	return s.summary(func(i int) float64 { return s[i].Nanoseconds / base[i].Nanoseconds })
}

// Overhead compares what s takes longer than without, round by round, with base.
func (s Series) Overhead(without, base Series) benchmath.Summary {
	return s.summary(func(i int) float64 {
		return (s[i].Nanoseconds - without[i].Nanoseconds) / base[i].Nanoseconds
	})
}

// Nanoseconds summarizes an operation's time.
func (s Series) Nanoseconds() benchmath.Summary {
	return s.summary(func(i int) float64 { return s[i].Nanoseconds })
}

// Allocs is the median of an operation's allocations.
func (s Series) Allocs() float64 {
	return s.summary(func(i int) float64 { return s[i].Allocs }).Center
}

// Bytes is the median of what an operation allocates.
func (s Series) Bytes() float64 {
	return s.summary(func(i int) float64 { return s[i].Bytes }).Center
}

// summary is the median of a value of each round, with the interval that has the
// true one with a confidence of at least 95 %, which takes 6 rounds.
func (s Series) summary(value func(i int) float64) benchmath.Summary {
	values := make([]float64, len(s))
	for i := range s {
		values[i] = value(i)
	}
	return benchmath.AssumeNothing.Summary(benchmath.NewSample(values, &benchmath.DefaultThresholds), 0.95)
}
