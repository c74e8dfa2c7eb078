package main

import (
	"context"
	"runtime"
	"time"
)

// A footprint is what this process holds when nothing is going on.
type footprint struct {
	heap       uint64 // bytes in use after a collection
	goroutines int
}

// rest returns the least of 30 readings in three seconds, in which connections
// close and fetches end.
func rest(ctx context.Context) (least footprint, err error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for i := range 30 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return least, ctx.Err()
		}
		runtime.GC()
		runtime.GC() // for what pools held back
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		now := footprint{m.HeapAlloc, runtime.NumGoroutine()}
		if i == 0 {
			least = now
		}
		least.heap = min(least.heap, now.heap)
		least.goroutines = min(least.goroutines, now.goroutines)
	}
	return least, nil
}
