package main

import "time"

const pulse = 2 * time.Millisecond

// watch notes what the machine adds to latencies here, by how late this
// process's own timers are: a delay counts once per pulse that it lasts, with
// what was left of it, as requests meet it that come at any moment. It ends with
// stop.
func (t *tally) watch(stop <-chan struct{}) {
	timer := time.NewTimer(pulse)
	defer timer.Stop()
	for {
		set := time.Now()
		select {
		case <-timer.C:
			late := max(time.Since(set)-pulse, 0)
			for t.late.Add(late); late > pulse; t.late.Add(late) {
				late -= pulse
			}
			timer.Reset(pulse)
		case <-stop:
			return
		}
	}
}
