package redisstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

const (
	// commandTimeout limits each command. It is also how long Revoke waits for each
	// hundred entries.
	commandTimeout = time.Second

	// maxBatch is how many entries a message has.
	maxBatch = 100

	// More entries than these are put into Redis without messages. The other replicas then
	// compare the numbers of entries, and read all if they lack some.
	maxRevoked  = 20 * maxBatch // by one call of Revoke
	maxRestored = maxBatch      // most replicas know them

	// maxLeeway and maxSkew are the largest that a verifier and a list can have.
	maxLeeway = 5 * time.Minute
	maxSkew   = 5 * time.Minute
)

// ErrNotPublished is the error of [Revocations.Revoke] if other replicas do not know the
// entries yet.
var ErrNotPublished = errors.New("in force here, and published when Redis is back")

// Revoke adds entries to the list of this process, and then publishes them to the others,
// which usually takes milliseconds. An error of the list, such as revocation.ErrFull,
// means that nothing was done. An error that wraps [ErrNotPublished] means that the
// entries are in force in this process; they are published as soon as Redis can be
// written to, unless the process ends before. Calling it again is harmless.
//
// An entry without Expires is kept for up to 10 minutes longer than in a list that is not
// shared.
func (r *Revocations) Revoke(ctx context.Context, entries ...revocation.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	now := time.Now()
	entries = slices.Clone(entries)
	for i := range entries {
		r.setTimes(&entries[i], now)
	}
	if err := r.list.Revoke(ctx, entries...); err != nil {
		return err
	}
	all := make(map[string]times, len(entries))
	for i := range entries {
		name, t := encode(&entries[i])
		all[name] = t.later(all[name])
	}
	if err := r.publish(ctx, all, maxRevoked); err != nil {
		r.own.add(all, r.list.Stats().MaxEntries)
		return r.notPublished(err)
	}
	return nil
}

func (r *Revocations) notPublished(err error) error {
	err = fmt.Errorf("redisstore: revocations: %w: %w", ErrNotPublished, explain(err))
	r.unpublished.Store(&err)
	return err
}

// setTimes sets the times of e that depend on when it was added, so that they are the same in
// each replica, whenever that gets it.
func (r *Revocations) setTimes(e *revocation.Entry, now time.Time) {
	switch {
	case !e.IssuedBefore.IsZero():
		if latest := now.Add(maxLeeway); e.IssuedBefore.After(latest) {
			e.IssuedBefore = latest
		}
	case e.TokenID == "":
		e.IssuedBefore = now
	}
	if e.Expires.IsZero() {
		from := now
		if e.IssuedBefore.After(now) {
			from = e.IssuedBefore
		}
		e.Expires = from.Add(r.list.Lifetime() + maxLeeway + maxSkew)
	}
	e.IssuedBefore, e.Expires = ceil(e.IssuedBefore), ceil(e.Expires)
}

// ceil rounds t up to whole milliseconds.
func ceil(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.UnixMilli(t.Add(time.Millisecond - 1).UnixMilli()).UTC()
}

// publish puts entries into Redis and makes the other replicas read them: from messages, if
// there are up to maxInMessages, and else all over again.
func (r *Revocations) publish(ctx context.Context, entries map[string]times, maxInMessages int) error {
	kind := "entries"
	if len(entries) > maxInMessages {
		kind = "nomessage"
	}
	for names := range slices.Chunk(slices.Collect(maps.Keys(entries)), maxBatch) {
		batch := make(map[string]times, len(names))
		for _, name := range names {
			batch[name] = entries[name]
		}
		if err := r.publishBatch(ctx, kind, batch); err != nil {
			return err
		}
	}
	if kind == "nomessage" {
		return r.publishBatch(ctx, "check", nil)
	}
	return nil
}

func (r *Revocations) publishBatch(ctx context.Context, kind string, entries map[string]times) error {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	args := make([]any, 0, 3+2*len(entries))
	args = append(args, newMessageKey(), strconv.FormatInt(time.Now().UnixMilli(), 10), kind)
	for name, t := range entries {
		args = append(args, name, t.String())
	}
	return publish.Run(ctx, r.client, []string{r.keys.head, r.keys.log, r.keys.entries, r.keys.ends}, args...).Err()
}
