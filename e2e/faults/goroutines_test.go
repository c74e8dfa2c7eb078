package faults

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strings"
)

// labelled runs f; the goroutines that it starts, and those that they start,
// bear the label.
func labelled(label string, f func()) {
	pprof.Do(context.Background(), pprof.Labels("faults", label), func(context.Context) { f() })
}

// goroutines returns how many live goroutines bear the label, and where they
// are.
func goroutines(label string) (n int, where string) {
	var all bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&all, 1)
	for group := range strings.SplitSeq(all.String(), "\n\n") {
		if !strings.Contains(group, fmt.Sprintf("%q:%q", "faults", label)) {
			continue
		}
		var size int
		_, _ = fmt.Sscan(group[strings.LastIndex(group[:strings.Index(group, " @")], "\n")+1:], &size)
		n += size
		where += group + "\n\n"
	}
	return n, where
}
