// Package measure times operations in short slices taken in turn, so that what
// else the machine does touches all of them alike, and compares them round by
// round. Only the comparisons mean anything.
package measure

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// An Op does the i-th operation of a run. Several goroutines call it, each with
// other numbers.
type Op func(i int) error

// A Run is something to measure.
type Run struct {
	// Begin makes a run ready; its time does not count.
	Begin func() (Op, error)

	// Pool is the number of operations a run is good for. Zero means any.
	Pool int
}

// A Sample is what one operation took, on average over a slice. With several
// workers, Time is the wall time of the slice by the operations of all of them.
type Sample struct {
	Time          time.Duration
	Nanoseconds   float64
	Allocs, Bytes float64
}

// Slice does n operations on this many goroutines.
func Slice(r Run, n, workers int) (Sample, error) {
	var total time.Duration
	var before, after runtime.MemStats
	var allocs, bytes uint64
	for left := n; left > 0; {
		pass := left
		if r.Pool > 0 {
			pass = min(pass, r.Pool)
		}
		left -= pass
		op, err := r.Begin()
		if err != nil {
			return Sample{}, err
		}
		runtime.ReadMemStats(&before)
		took, err := timed(op, pass, workers)
		runtime.ReadMemStats(&after)
		if err != nil {
			return Sample{}, err
		}
		total += took
		allocs += after.Mallocs - before.Mallocs
		bytes += after.TotalAlloc - before.TotalAlloc
	}
	per := 1 / float64(n)
	return Sample{
		Time: total, Nanoseconds: float64(total.Nanoseconds()) * per,
		Allocs: float64(allocs) * per, Bytes: float64(bytes) * per,
	}, nil
}

func timed(op Op, n, workers int) (time.Duration, error) {
	errs := make([]error, workers)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			<-begin
			var err error
			for i := w; i < n && err == nil; i += workers {
				err = op(i)
			}
			errs[w] = err
		})
	}
	start := time.Now()
	close(begin)
	all.Wait()
	took := time.Since(start)
	return took, errors.Join(errs...)
}

// calibrate returns how many operations take about slice.
func calibrate(r Run, slice time.Duration, workers int) (int, error) {
	for n := workers; ; n *= 4 {
		s, err := Slice(r, n, workers)
		if err != nil {
			return 0, fmt.Errorf("calibrating: %w", err)
		}
		if s.Time >= slice/4 {
			return max(workers, int(float64(n)*float64(slice)/float64(s.Time))), nil
		}
	}
}
