package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

// pageSize is about how many entries are read at once.
const pageSize = 500

// A serverState is what Redis has at one moment.
type serverState struct {
	head, id string
	entries  int64 // how many expire after a given time
}

func (r *Revocations) state(ctx context.Context, after time.Time) (s serverState, err error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	reply, err := state.Run(ctx, r.client, []string{r.keys.head, r.keys.log, r.keys.ends}, newMessageKey(), strconv.FormatInt(after.UnixMilli(), 10)).Slice()
	if err != nil {
		return s, err
	}
	if len(reply) == 3 {
		var a, b, c bool
		s.head, a = reply[0].(string)
		s.id, b = reply[1].(string)
		s.entries, c = reply[2].(int64)
		if a && b && c {
			return s, nil
		}
	}
	return s, errors.New("the reply does not have the members of the script")
}

// catchUp reads all entries, after a pause if it did so a short time ago: whoever changes
// the head all the time must not make every replica read everything all the time.
func (r *Revocations) catchUp(ctx context.Context) error {
	s := &r.sync
	if time.Since(s.readAt) > 2*maxPause {
		s.pause = 0
	}
	sleep(ctx, time.Until(s.readAt.Add(s.pause)))
	return r.readAll(ctx, false)
}

// readAll reads all entries, and publishes those of the list that are not among them. What
// is published meanwhile is read by follow, from the state before.
func (r *Revocations) readAll(ctx context.Context, hasLease bool) error {
	s := &r.sync
	unpublished, now := r.unpublished.Load(), time.Now()
	before, err := r.state(ctx, now)
	if err != nil {
		return err
	}
	if !s.synced {
		s.readAt, s.pause = now, min(max(2*s.pause, minPause), maxPause)
	}
	r.unreadable.Store(0)
	missing, err := r.readEntries(ctx)
	if err != nil {
		return err
	}
	s.synced, s.head, s.id, s.drained, s.mismatches = true, before.head, before.id, false, 0
	s.checkAt, s.stuck = time.Now().Add(jitter(checkEvery)), false
	if len(missing) > 0 {
		r.restore(ctx, missing, unpublished, hasLease)
		return nil
	}
	r.unpublished.CompareAndSwap(unpublished, nil)
	after, err := r.state(ctx, now)
	s.stuck = after.entries != r.count(now)
	return err
}

// readEntries adds what is in Redis to the list, and returns those entries of the list
// that are not in Redis or have an earlier time there.
func (r *Revocations) readEntries(ctx context.Context) (missing map[string]times, err error) {
	known := r.list.Entries()
	missing = make(map[string]times, len(known))
	for i := range known {
		name, t := encode(&known[i])
		missing[name] = t
	}
	limit := 4*r.list.Stats().MaxEntries + 10*pageSize // also of fields that are no entries
	for cursor := uint64(0); ; {
		var page []string
		page, cursor, err = r.scan(ctx, cursor)
		if err != nil {
			return nil, err
		}
		var entries []revocation.Entry
		for i := 0; i+1 < len(page); i += 2 {
			name, v := page[i], page[i+1]
			r.decode(name, v, &entries)
			if t, found := missing[name]; found {
				if there, err := parseTimes(v); err == nil && there.later(t) == there {
					delete(missing, name)
				}
			}
		}
		r.add(entries)
		if limit -= len(page) / 2; limit < 0 {
			return nil, fmt.Errorf("more than four times as many entries in Redis as MaxEntries, %d", r.list.Stats().MaxEntries)
		}
		if cursor == 0 {
			return missing, nil
		}
	}
}

func (r *Revocations) scan(ctx context.Context, cursor uint64) ([]string, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	return r.client.HScan(ctx, r.keys.entries, cursor, "", pageSize).Result()
}

// restore publishes entries that are not in Redis. One replica at a time does so: what it
// publishes, the others need not.
func (r *Revocations) restore(ctx context.Context, missing map[string]times, unpublished *error, hasLease bool) {
	s := &r.sync
	s.checkAt = time.Now().Add(jitter(repairFor / 2)) // others see then that nothing is missing
	var err error
	if !hasLease {
		hasLease, err = r.lease(ctx)
	}
	if err == nil && hasLease {
		err = r.publish(ctx, missing, maxRestored)
	}
	switch {
	case err != nil:
		err = r.notPublished(err)
		s.republishAt = s.checkAt
		r.cfg.Logger.Warn("redisstore: revocations could not be published", "entries", len(missing), "err", err)
	case hasLease:
		r.unpublished.CompareAndSwap(unpublished, nil)
		r.cfg.Logger.Info("redisstore: revocations were published again", "entries", len(missing))
	}
}

// republish publishes what could not be published before. It reads all only if Redis can be
// written to.
func (r *Revocations) republish(ctx context.Context) error {
	s := &r.sync
	start := time.Now()
	s.republishAt = start.Add(jitter(repairFor / 2))
	hasLease, err := r.lease(ctx)
	if err != nil {
		_ = r.notPublished(err)
	}
	if !hasLease {
		return r.follow(ctx)
	}
	err = r.readAll(ctx, true)
	if time.Since(start) < repairFor-commandTimeout {
		r.release(ctx)
	}
	return err
}

func (r *Revocations) lease(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	return setNew(ctx, r.client, r.keys.repair, repairFor)
}

func (r *Revocations) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	_ = r.client.Del(ctx, r.keys.repair).Err() // it ends by itself
}

// compareNumbers compares the numbers of entries here and in Redis that expire later than now by
// this clock, so that it does not matter whose clock is right.
func (r *Revocations) compareNumbers(ctx context.Context) error {
	s, now := &r.sync, time.Now()
	s.checkedAt = now
	there, err := r.state(ctx, now)
	if err != nil {
		return err
	}
	s.checkAt = now.Add(jitter(checkEvery))
	switch {
	case there.head != s.head: // follow finds out why
	case r.unpublished.Load() != nil: // that is why the numbers differ
	case there.entries == r.count(now):
		s.stuck = false
		r.unreadable.Store(0)
	case !s.stuck || time.Since(s.readAt) >= checkStuckEvery:
		s.synced = false
	}
	return nil
}

// count returns the number of entries in the list that expire after a time.
func (r *Revocations) count(after time.Time) (n int64) {
	for _, e := range r.list.Entries() {
		if e.Expires.UnixMilli() > after.UnixMilli() {
			n++
		}
	}
	return n
}
