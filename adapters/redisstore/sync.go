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
	// waitForMessages is how long a command waits for a message. It ends when there is
	// one, and shows in between that the connection is alive.
	waitForMessages = time.Second

	maxMessages = 100 // read at once

	// maxHead is the longest key of a message that is read.
	maxHead = 64

	// maxMismatches is how often in a row the head may differ while there is no message to
	// read. A message that is added between the two commands makes it differ once.
	maxMismatches = 3

	// checkEvery is the time between two comparisons of the numbers of entries. If they
	// differ and reading all does not help, it is checkStuckEvery.
	checkEvery      = time.Minute
	checkStuckEvery = 10 * time.Minute

	// askedCheckEvery is the time between two comparisons that messages ask for: each
	// goes through the whole list.
	askedCheckEvery = time.Second

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

func newMessageKey() string { return rand.Text() }

// A syncState is how far this replica has read what is in Redis. Only its goroutine uses it.
type syncState struct {
	synced     bool   // head and id are those of what was read
	head       string // key of the last message that was read
	id         string // its id in the stream
	drained    bool   // there was nothing to read: the next command may wait
	mismatches int    // of the head, in a row

	checkAt      time.Time     // when the numbers of entries are compared
	checkedAt    time.Time     // when they were last compared
	stuck        bool          // reading all has not made the numbers equal
	readAt       time.Time     // when all entries were last read
	pause        time.Duration // after readAt, before they are read again
	publishOwnAt time.Time     // when entries of this replica are published
	republishAt  time.Time     // when what could not be published is published again
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
		r.sync.drained = false // so that the next reply does not take a second
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
	case !now.Before(s.publishOwnAt) && r.own.any():
		return r.publishOwn(ctx)
	case r.unpublished.Load() != nil && !now.Before(s.republishAt):
		return r.republish(ctx)
	case !now.Before(s.checkAt):
		return r.compareNumbers(ctx)
	}
	return r.follow(ctx)
}

// follow reads the messages after the last one.
func (r *Revocations) follow(ctx context.Context) error {
	s := &r.sync
	messages, err := r.messages(ctx)
	if err != nil {
		return err
	}
	for _, message := range messages {
		if value(message, "p") != s.head {
			s.synced = false
			return nil
		}
		r.apply(message)
		s.head, s.id = value(message, "k"), message.ID
	}
	switch {
	case len(messages) == maxMessages:
		s.drained = false
		return nil
	case len(messages) > 0:
		s.drained, s.mismatches = true, 0
		r.setComplete()
		return nil
	}
	return r.compareHead(ctx)
}

func (r *Revocations) messages(ctx context.Context) ([]redis.XMessage, error) {
	s := &r.sync
	wait := time.Duration(-1)
	if s.drained {
		wait = waitForMessages
	}
	ctx, cancel := context.WithTimeout(ctx, max(wait, 0)+commandTimeout)
	defer cancel()
	streams, err := r.client.XRead(ctx, &redis.XReadArgs{Streams: []string{r.keys.log, s.id}, Count: maxMessages, Block: wait}).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, nil
	case err != nil:
		return nil, err
	case len(streams) != 1:
		return nil, errors.New("the reply is not about one stream")
	}
	return streams[0].Messages, nil
}

// value returns a member of a message, or "" if it is not a key.
func value(message redis.XMessage, name string) string {
	s, _ := message.Values[name].(string)
	if len(s) > maxHead {
		return ""
	}
	return s
}

// apply adds the entries of a message to the list.
func (r *Revocations) apply(message redis.XMessage) {
	var entries []revocation.Entry
	for name, v := range message.Values {
		switch name {
		case "k", "p":
		case "check":
			r.sync.checkAt = r.sync.checkedAt.Add(askedCheckEvery)
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

// setComplete records that everything that was published so far is in the list.
func (r *Revocations) setComplete() {
	now := time.Now()
	if r.complete.Swap(&now) == nil {
		close(r.ready)
	}
}

// compareHead finds out whether there are messages that cannot be read.
func (r *Revocations) compareHead(ctx context.Context) error {
	s := &r.sync
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	head, err := r.client.GetRange(ctx, r.keys.head, 0, maxHead-1).Result()
	switch {
	case err != nil:
		return err
	case head == s.head:
		s.drained, s.mismatches = true, 0
		r.setComplete()
	case s.mismatches+1 >= maxMismatches:
		s.synced = false
	default:
		s.drained = false
		s.mismatches++
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
