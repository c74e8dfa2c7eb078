package revocation

import (
	"container/heap"
	"context"
	"fmt"
	"strings"
)

// Revoke adds entries: all of them, or none if it returns an error. It does not wait, and
// does not use ctx. An error that wraps [ErrFull] means that there is no room: nothing is
// dropped to make room, and [List.Health] reports it.
//
// An Entry like one in the list, apart from its times, takes no room. The later of each
// time counts, so adding an Entry never shortens another, and adding it again changes
// nothing. An Entry that has ended is ignored.
func (l *List) Revoke(_ context.Context, entries ...Entry) error {
	for i := range entries {
		if err := entries[i].check(); err != nil {
			return fmt.Errorf("revocation: entry %d of %d: %w", i+1, len(entries), err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.forget(now)
	if err := l.checkRoom(entries, now.wall); err != nil {
		return err
	}
	for i := range entries {
		l.add(&entries[i], now)
	}
	return nil
}

// checkRoom returns an error if there is no room for all entries.
func (l *List) checkRoom(entries []Entry, now int64) error {
	table, added := l.table.Load(), make(map[key]struct{})
	var until int64
	for i := range entries {
		k := entries[i].key()
		_, expires := l.times(&entries[i], now)
		if expires+leeway > now && table.find(l.sumOf(&k), &k) == nil {
			added[k] = struct{}{}
			until = max(until, expires+leeway)
		}
	}
	free := l.maxEntries - len(l.queue)
	if len(added) > free {
		l.rejected = rejected{max(l.rejected.entries, len(added)), max(l.rejected.until, until)}
		return fmt.Errorf("revocation: %w: %d of %d entries, and %d are to be added", ErrFull, len(l.queue), l.maxEntries, len(added))
	}
	if l.rejected.entries <= free {
		l.rejected = rejected{}
	}
	return nil
}

func (l *List) add(e *Entry, now instant) {
	before, expires := l.times(e, now.wall)
	left := expires + leeway - now.wall
	if left <= 0 { // or the clock is ahead
		l.forgotten.Store(max(l.forgotten.Load(), expires))
		return
	}
	k := e.key()
	sum := l.sumOf(&k)
	r := l.table.Load().find(sum, &k)
	isNew := r == nil
	if isNew {
		k.a, k.b = strings.Clone(k.a), strings.Clone(k.b)
		r = &record{sum: sum, key: k}
		r.issuedBefore.Store(before)
	}
	r.issuedBefore.Store(max(r.issuedBefore.Load(), before))
	r.expires.Store(max(r.expires.Load(), expires))
	r.due.Store(max(r.due.Load(), now.monotonic+left))
	if isNew {
		l.insert(r)
	}
}

func (l *List) insert(r *record) {
	heap.Push(&l.queue, queued{r.due.Load(), r})
	l.counts[r.kind]++
	l.resize()
	l.table.Load().insert(r)
	l.present.Store(l.present.Load() | 1<<r.kind)
}

// resize replaces the table by a larger or smaller one, if it is time.
func (l *List) resize() {
	old := l.table.Load()
	size := len(old.tags)
	switch n := len(l.queue); {
	case n > maxLoad*size:
		size *= 2
	case n < maxLoad*size/8 && size > minBuckets:
		size /= 4
	default:
		return
	}
	t := newTable(max(size, minBuckets))
	for i := range old.buckets {
		if list := old.buckets[i].Load(); list != nil {
			for _, r := range *list {
				t.insert(r)
			}
		}
	}
	l.table.Store(t)
}

// forget drops the records that have ended. Each costs time once, whoever calls it.
//
// A record ends by both clocks: by the wall clock, which exp is compared with, and not
// before that much time has passed, whatever the wall clock is set to meanwhile.
func (l *List) forget(now instant) {
	for len(l.queue) > 0 && l.queue[0].due <= now.monotonic {
		r := heap.Pop(&l.queue).(queued).record
		if !r.hasEnded(now) { // it was added again, or the clock was set back
			left := min(r.expires.Load()+leeway-now.wall, recheck)
			heap.Push(&l.queue, queued{max(r.due.Load(), now.monotonic+left), r})
			continue
		}
		l.forgotten.Store(max(l.forgotten.Load(), r.expires.Load())) // before it is removed
		if l.counts[r.kind]--; l.counts[r.kind] == 0 {
			l.present.Store(l.present.Load() &^ (1 << r.kind))
		}
		l.table.Load().remove(r)
		l.resize()
	}
	if l.rejected.until <= now.wall {
		l.rejected = rejected{}
	}
}

// A queue is a heap of all records. A record that was added again is due earlier in the
// queue than it ends; it is then put back.
type queue []queued

type queued struct {
	due int64
	*record
}

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due < q[j].due }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(queued)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	(*q)[last] = queued{}
	*q = (*q)[:last]
	return x
}
