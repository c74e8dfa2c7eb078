package jwkscache

import (
	"bytes"
	"context"
	"math/rand/v2"
	"time"
)

const (
	lookPeriod = 10 * time.Second // between two looks at the Store, or a little less
	healPeriod = time.Minute      // without a bad document, until that is reported: somebody may write one again and again
	leaseTime  = 2 * time.Second  // for one fetch
	maxAhead   = time.Hour        // of the order of a document that replaces keys which serve
)

// An operation is what can fail about a Store.
type operation int

const (
	loading operation = iota
	reading           // what was loaded
	readingNote
	leasing
	saving
	operations
)

// A shared is a scheduler's view of the Store. Only the scheduler's goroutine uses it.
// What scheduler.mu guards is said.
type shared struct {
	store   Store
	secrets [][]byte
	source  source
	name    string
	caller  caller

	away     bool              // the last call failed: the Store is not used until the next look
	errs     [operations]error // of the last operation of each kind
	reported bool              // that there are such errors

	nextLook    moment
	leasedUntil moment
	unsaved     bool         // what the last fetch brought
	seen        []byte       // the last document, not to be read again
	seenErr     error        // what is wrong with it
	badAt       moment       // when a document was last bad
	seenNote    []byte       // likewise
	note        *failureNote // that of seenNote, nil if that is not good

	// See ask.
	waiting  demand
	since    moment
	askedAt  moment
	askEarly bool

	StoreStats           // guarded by scheduler.mu
	fetched    time.Time // when the document in the Store was; likewise
}

func newShared(f *fetcher) *shared {
	if f.cfg.Store == nil {
		return nil
	}
	of := f.locator.source()
	return &shared{
		store: f.cfg.Store, secrets: f.cfg.StoreSecrets, source: of, name: of.name(),
		nextLook: f.clock().add(lookPeriod), askEarly: true,
	}
}

// stats returns the StoreStats. scheduler.mu is held.
func (h *shared) stats(now moment) StoreStats {
	st := h.StoreStats
	if !h.fetched.IsZero() {
		st.Age = max(now.wall.Sub(h.fetched), 0)
	}
	return st
}

// look loads the document of the Store. If it is newer than the keys in use, look
// puts it to use, and reports that. If it is of no use, look saves a better one.
func (s *scheduler) look() (adopted bool) {
	h, now := s.shared, s.clock()
	h.nextLook = now.add(time.Duration((0.8 + 0.2*rand.Float64()) * float64(lookPeriod)))
	doc, there := s.load(h.name, &h.seen)
	if h.away || s.ctx.Err() != nil {
		return false
	}
	served, now := s.served.Load(), s.clock()
	replace := h.unsaved
	switch {
	case !there:
		s.noteDocument(nil)
		h.seenErr, replace = nil, true
	case doc != nil: // not as before
		var snap *snapshot
		var outdated bool
		if snap, outdated, h.seenErr = s.read(doc, served); snap != nil {
			s.adopt(snap, now)
			return true
		}
		replace = replace || outdated
	}
	if h.seenErr != nil {
		h.badAt = now
	}
	if h.seenErr != nil || now.since(h.badAt) >= healPeriod {
		s.noteError(reading, h.seenErr)
	}
	replace = replace || h.seenErr != nil
	if replace && served.serves(now) {
		s.save(served)
	}
	if h.errs[leasing] != nil && !h.away {
		s.lease() // to see whether that works again
	}
	return false
}

// read returns what is in doc if that is newer than served. It reports whether doc
// should be replaced, since it is clearly older, or from the future.
func (s *scheduler) read(doc []byte, served *snapshot) (newer *snapshot, outdated bool, err error) {
	h, now := s.shared, s.clock()
	d, err := openDocument(doc, h.source, h.secrets)
	// One from the future would always be the newest, however often it is brought back.
	future := err == nil && served.serves(now) && d.order.Sub(now.wall) > maxAhead
	if err == nil && !future && (served == nil || d.order.After(served.doc.order)) {
		newer, err = s.fetcher.snapshotOf(d, served)
	}
	if s.noteDocument(d); err != nil {
		return nil, false, err
	}
	outdated = future || newer == nil && served.doc.order.Sub(d.order) > maxClockDifference
	return newer, outdated, nil
}

// adopt puts to use what another process has fetched. Who waits for a fetch looks for
// the key again.
func (s *scheduler) adopt(snap *snapshot, now moment) {
	h, old := s.shared, s.served.Load()
	s.fetcher.locator.adopt(snap.doc, now)
	s.mu.Lock()
	if old == nil || old.keys != snap.keys {
		s.missing.clear()
	}
	s.served.Store(snap)
	h.Adopted++
	s.failures, s.permanent, s.lastErr, s.retryNotBefore = 0, 0, nil, moment{}
	s.endNext(&fetch{brought: snap, adopted: true}, now, jitter(snap.period)-now.since(snap.fetchedAt))
	s.mu.Unlock()
	h.unsaved, h.waiting = false, none
	s.noteError(saving, nil) // there is nothing left to save
	s.reporter.reportAdopted(old, snap)
}

// endNext ends the next fetch before it has begun, as result says, and makes another
// one due after pause. One that Refresh wants is left alone. s.mu is held.
func (s *scheduler) endNext(result *fetch, now moment, pause time.Duration) {
	f := s.next
	if f.mode.rediscover {
		return
	}
	f.brought, f.err, f.adopted = result.brought, result.err, result.adopted
	close(f.done)
	s.next, s.urgent, s.due = newFetch(), false, now.add(pause)
}

// load returns the document under name, or nil if it is the one before; and whether
// there is one.
func (s *scheduler) load(name string, before *[]byte) (doc []byte, there bool) {
	doc, err := callStore(s, loading, func(ctx context.Context) ([]byte, error) { return s.shared.store.Load(ctx, name) })
	switch {
	case err != nil:
		return nil, false
	case bytes.Equal(doc, *before):
		return nil, len(doc) > 0
	}
	if *before = doc; len(doc) > maxDocument {
		*before = nil
	}
	return doc, len(doc) > 0
}

// lease reports whether this process is to fetch. The holder of a lease may fetch
// several times.
func (s *scheduler) lease() bool {
	h, now := s.shared, s.clock()
	if now.before(h.leasedUntil) {
		return true
	}
	granted, err := callStore(s, leasing, func(ctx context.Context) (bool, error) { return h.store.Lease(ctx, h.name, leaseTime) })
	if granted = granted && err == nil; granted {
		h.leasedUntil = now.add(leaseTime)
	}
	return granted
}

// save saves what snap is from.
func (s *scheduler) save(snap *snapshot) {
	h := s.shared
	doc, err := snap.doc.seal(h.secrets)
	if err != nil {
		s.noteError(saving, err)
		return
	}
	if !s.saveAs(h.name, doc) {
		return
	}
	h.unsaved, h.seen, h.seenErr = false, doc, nil // errs say so once it was loaded
	s.mu.Lock()
	h.Saves++
	s.mu.Unlock()
	s.noteDocument(snap.doc)
}

func (s *scheduler) saveAs(name string, doc []byte) bool {
	_, err := callStore(s, saving, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.shared.store.Save(ctx, name, doc)
	})
	return err == nil
}

// callStore calls the Store, and notes how that ends.
func callStore[T any](s *scheduler, op operation, f func(context.Context) (T, error)) (T, error) {
	v, err := call(&s.shared.caller, s.ctx, f)
	if s.ctx.Err() != nil { // the cache was closed
		var zero T
		return zero, s.ctx.Err()
	}
	s.shared.away = err != nil
	s.noteError(op, err)
	return v, err
}

// noteDocument notes what is in the Store, nil if that is nothing or of no use.
func (s *scheduler) noteDocument(d *document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shared.fetched = time.Time{}
	if d != nil {
		s.shared.fetched = d.fetched
	}
}

// noteError notes how an operation has ended, and reports it if that is a change.
func (s *scheduler) noteError(op operation, err error) {
	h := s.shared
	if err == nil && h.errs[op] == nil {
		return
	}
	s.mu.Lock()
	h.errs[op] = err
	if err != nil {
		h.Failures++
	}
	h.LastError = nil
	for _, err := range h.errs {
		if h.LastError == nil {
			h.LastError = err
		}
	}
	last := h.LastError
	s.mu.Unlock()
	if fails := last != nil; fails != h.reported {
		h.reported = fails
		s.reporter.reportStore(last, s.served.Load(), s.clock())
	}
}

// share gives the other processes what the fetch f has brought, or lets them know
// that it failed.
func (s *scheduler) share(f *fetch) {
	h := s.shared
	h.unsaved = h.unsaved || f.err == nil
	switch {
	case h.away:
	case f.err == nil:
		s.save(f.brought)
	default:
		s.leaveNote(f.err)
	}
}
