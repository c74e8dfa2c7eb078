package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

const (
	// waitForRecords is how long a command waits for a record. It ends when there is
	// one, and shows in between that the connection is alive.
	waitForRecords = time.Second

	maxRecords = 100 // read at once

	// maxHead is the longest key of a record that is read.
	maxHead = 64

	// maxDoubts is how often in a row the head may differ while there is no record to
	// read. A record that is added between the two commands makes it differ once.
	maxDoubts = 3

	// checkEvery is the time between two comparisons of the numbers of entries. If they
	// differ and reading all does not help, it is checkStuckEvery.
	checkEvery      = time.Minute
	checkStuckEvery = 10 * time.Minute

	// After a failure, the next attempt comes after minRetry, then twice that, up to
	// maxRetry.
	minRetry = 50 * time.Millisecond
	maxRetry = time.Second

	// All entries are read at once when that is needed, but again only after a pause,
	// which doubles up to maxPause if it is needed over and over.
	minPause = 250 * time.Millisecond
	maxPause = 30 * time.Second

	// repairFor is for how long one replica alone publishes what Redis has lost.
	repairFor = 5 * time.Second
)

// keys are those in Redis, in one slot of a Cluster.
type keys struct{ head, log, entries, ends, repair string }

func newKeys(configured string) keys {
	tag := "{" + prefix(configured) + "revocations}:"
	return keys{tag + "head", tag + "log", tag + "entries", tag + "ends", tag + "repair"}
}

func newKey() string { return rand.Text() }

// A syncer is what the goroutine knows. Nobody else uses it.
type syncer struct {
	synced  bool   // head and id are those of what was read
	head    string // key of the last record that was read
	id      string // its id in the stream
	drained bool   // there was nothing to read: the next command may wait
	doubts  int

	checkAt time.Time
	stuck   bool // reading all has not made the numbers equal
	readAt  time.Time
	pause   time.Duration
	ownAt   time.Time // not before, entries of this replica are published
	sendAt  time.Time // not before, unsent entries are published
}

func (r *Revocations) run(ctx context.Context) {
	defer close(r.stopped)
	for retry := minRetry; ; {
		err := r.step(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			retry = minRetry
			if r.away.Swap(nil) != nil {
				r.cfg.Logger.Info("redisstore: Redis is back: revocations are exchanged again")
			}
			continue
		}
		r.sync.drained = false // so that the next answer does not take a second
		err = explain(err)
		if r.away.Swap(&err) == nil {
			r.cfg.Logger.Warn("redisstore: revocations are not exchanged", "err", err, "while_away", r.cfg.WhileAway.String())
		}
		sleep(ctx, jitter(retry))
		retry = min(2*retry, maxRetry)
	}
}

// step does what is due.
func (r *Revocations) step(ctx context.Context) error {
	s, now := &r.sync, time.Now()
	switch {
	case !s.synced:
		return r.catchUp(ctx)
	case !now.Before(s.ownAt) && r.own.any():
		return r.publishOwn(ctx)
	case r.unsent.Load() != nil && !now.Before(s.sendAt):
		return r.resend(ctx)
	case !now.Before(s.checkAt):
		return r.check(ctx)
	}
	return r.follow(ctx)
}

// follow reads the records after the last one.
func (r *Revocations) follow(ctx context.Context) error {
	s := &r.sync
	records, err := r.records(ctx)
	if err != nil {
		return err
	}
	for _, record := range records {
		if value(record, "p") != s.head {
			s.synced = false
			return nil
		}
		r.apply(record)
		s.head, s.id = value(record, "k"), record.ID
	}
	switch {
	case len(records) == maxRecords:
		s.drained = false
		return nil
	case len(records) > 0:
		s.drained, s.doubts = true, 0
		r.isComplete()
		return nil
	}
	return r.compareHead(ctx)
}

func (r *Revocations) records(ctx context.Context) ([]redis.XMessage, error) {
	s := &r.sync
	wait := time.Duration(-1)
	if s.drained {
		wait = waitForRecords
	}
	ctx, cancel := context.WithTimeout(ctx, max(wait, 0)+commandTimeout)
	defer cancel()
	streams, err := r.client.XRead(ctx, &redis.XReadArgs{Streams: []string{r.keys.log, s.id}, Count: maxRecords, Block: wait}).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, nil
	case err != nil:
		return nil, err
	case len(streams) != 1:
		return nil, errors.New("not the stream that was asked for")
	}
	return streams[0].Messages, nil
}

// value returns a member of a record, or "" if it is not a key.
func value(record redis.XMessage, name string) string {
	s, _ := record.Values[name].(string)
	if len(s) > maxHead {
		return ""
	}
	return s
}

// apply adds the entries of a record to the list.
func (r *Revocations) apply(record redis.XMessage) {
	var entries []revocation.Entry
	for name, v := range record.Values {
		switch name {
		case "k", "p":
		case "bell":
			r.sync.checkAt = time.Time{}
		default:
			r.decode(name, v, &entries)
		}
	}
	r.add(entries)
}

func (r *Revocations) decode(name string, v any, entries *[]revocation.Entry) {
	s, _ := v.(string)
	e, err := decode(name, s)
	if err != nil {
		r.unreadable.Add(1)
		return
	}
	*entries = append(*entries, e)
}

// add adds entries to the list, as many as it accepts.
func (r *Revocations) add(entries []revocation.Entry) {
	if len(entries) == 0 || r.list.Revoke(context.Background(), entries...) == nil {
		return
	}
	for _, e := range entries {
		if err := r.list.Revoke(context.Background(), e); err != nil && !errors.Is(err, revocation.ErrFull) {
			r.unreadable.Add(1)
		}
	}
}

// isComplete notes that everything that was published so far is in the list.
func (r *Revocations) isComplete() {
	now := time.Now()
	if r.complete.Swap(&now) == nil {
		close(r.ready)
	}
}

// compareHead finds out whether there are records that cannot be read.
func (r *Revocations) compareHead(ctx context.Context) error {
	s := &r.sync
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	head, err := r.client.GetRange(ctx, r.keys.head, 0, maxHead-1).Result()
	switch {
	case err != nil:
		return err
	case head == s.head:
		s.drained, s.doubts = true, 0
		r.isComplete()
	case s.doubts+1 >= maxDoubts:
		s.synced = false
	default:
		s.drained = false
		s.doubts++
	}
	return nil
}

func jitter(d time.Duration) time.Duration { return d/2 + mathrand.N(d) }

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
