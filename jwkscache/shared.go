package jwkscache

import (
	"bytes"
	"context"
	"math/rand/v2"
	"time"
)

const (
	pollPeriod = 10 * time.Second // between two polls of the Store, or a little less
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

// A storeView is what a scheduler knows of the Store. Only the scheduler's goroutine uses
// it, except where scheduler.mu is named.
type storeView struct {
	store   Store
	secrets [][]byte
	source  source
	name    string
	caller  storeCaller

	away     bool              // the last call failed: the Store is not used until the next poll
	errs     [operations]error // of the last operation of each kind
	reported bool              // whether the last event said that there are errors

	nextPoll    moment
	leasedUntil moment
	unsaved     bool         // what the last fetch brought is not in the Store
	seen        []byte       // the last document that was loaded, not to be read again
	seenErr     error        // what is wrong with it
	badAt       moment       // when a document was last bad
	seenNote    []byte       // likewise
	note        *failureNote // that of seenNote, nil if that is not good

	// While another process may fetch; see ask.
	waiting  urgency // for which fetch
	since    moment  // when the wait began
	askedAt  moment
	askEarly bool // whether the next call of ask does not wait for the askPeriod

	StoreStats                // guarded by scheduler.mu
	storedFetchedAt time.Time // when the document in the Store was fetched; likewise
}

func newStoreView(f *fetcher) *storeView {
	if f.cfg.Store == nil {
		return nil
	}
	of := f.locator.source()
	return &storeView{
		store: f.cfg.Store, secrets: f.cfg.StoreSecrets, source: of, name: of.name(),
		nextPoll: f.clock().add(pollPeriod), askEarly: true,
	}
}

// stats returns the StoreStats. scheduler.mu is held.
func (v *storeView) stats(now moment) StoreStats {
	st := v.StoreStats
	if !v.storedFetchedAt.IsZero() {
		st.Age = max(now.wall.Sub(v.storedFetchedAt), 0)
	}
	return st
}

// poll loads the document of the Store. If it is newer than the keys in use, poll
// puts it to use, and reports that. If it cannot be used, poll saves a better one.
func (s *scheduler) poll() (adopted bool) {
	v, now := s.view, s.clock()
	v.nextPoll = now.add(time.Duration((0.8 + 0.2*rand.Float64()) * float64(pollPeriod)))
	doc, there := s.load(v.name, &v.seen)
	if v.away || s.ctx.Err() != nil {
		return false
	}
	served, now := s.served.Load(), s.clock()
	replace := v.unsaved
	switch {
	case !there:
		s.setStored(nil)
		v.seenErr, replace = nil, true
	case doc != nil: // not as before
		var snap *snapshot
		var outdated bool
		if snap, outdated, v.seenErr = s.read(doc, served); snap != nil {
			s.adopt(snap, now)
			return true
		}
		replace = replace || outdated
	}
	if v.seenErr != nil {
		v.badAt = now
	}
	if v.seenErr != nil || now.since(v.badAt) >= healPeriod {
		s.setError(reading, v.seenErr)
	}
	replace = replace || v.seenErr != nil
	if replace && served.serves(now) {
		s.save(served)
	}
	if v.errs[leasing] != nil && !v.away {
		s.lease() // to see whether that works again
	}
	return false
}

// read returns what is in doc if that is newer than served. It reports whether doc
// should be replaced, since it is clearly older, or from the future.
func (s *scheduler) read(doc []byte, served *snapshot) (newer *snapshot, outdated bool, err error) {
	v, now := s.view, s.clock()
	d, err := openDocument(doc, v.source, v.secrets)
	// One from the future would always be the newest, however often it is brought back.
	future := err == nil && served.serves(now) && d.issuerTime.Sub(now.wall) > maxAhead
	if err == nil && !future && (served == nil || d.issuerTime.After(served.doc.issuerTime)) {
		newer, err = s.fetcher.snapshotOf(d, served)
	}
	if s.setStored(d); err != nil {
		return nil, false, err
	}
	outdated = future || newer == nil && served.doc.issuerTime.Sub(d.issuerTime) > maxClockDifference
	return newer, outdated, nil
}

// adopt puts to use what another process has fetched. Who waits for a fetch looks for
// the key again.
func (s *scheduler) adopt(snap *snapshot, now moment) {
	v, old := s.view, s.served.Load()
	s.fetcher.locator.adopt(snap.doc, now)
	s.mu.Lock()
	if old == nil || old.keys != snap.keys {
		s.missing.clear()
	}
	s.served.Store(snap)
	v.Adopted++
	s.failures, s.permanent, s.lastErr, s.retryNotBefore = 0, 0, nil, moment{}
	s.endNext(&fetch{brought: snap, adopted: true}, now, jitter(snap.period)-now.since(snap.fetchedAt))
	s.mu.Unlock()
	v.unsaved, v.waiting = false, notWaiting
	s.setError(saving, nil) // there is nothing left to save
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
	doc, err := callStore(s, loading, func(ctx context.Context) ([]byte, error) { return s.view.store.Load(ctx, name) })
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
	v, now := s.view, s.clock()
	if now.before(v.leasedUntil) {
		return true
	}
	granted, err := callStore(s, leasing, func(ctx context.Context) (bool, error) { return v.store.Lease(ctx, v.name, leaseTime) })
	if granted = granted && err == nil; granted {
		v.leasedUntil = now.add(leaseTime)
	}
	return granted
}

// save saves what snap is from.
func (s *scheduler) save(snap *snapshot) {
	v := s.view
	doc, err := snap.doc.seal(v.secrets)
	if err != nil {
		s.setError(saving, err)
		return
	}
	if !s.saveAs(v.name, doc) {
		return
	}
	v.unsaved, v.seen, v.seenErr = false, doc, nil // errs say so once it was loaded
	s.mu.Lock()
	v.Saves++
	s.mu.Unlock()
	s.setStored(snap.doc)
}

func (s *scheduler) saveAs(name string, doc []byte) bool {
	_, err := callStore(s, saving, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.view.store.Save(ctx, name, doc)
	})
	return err == nil
}

// callStore calls the Store, and notes how that ends.
func callStore[T any](s *scheduler, op operation, f func(context.Context) (T, error)) (T, error) {
	v, err := call(&s.view.caller, s.ctx, f)
	if s.ctx.Err() != nil { // the cache was closed
		var zero T
		return zero, s.ctx.Err()
	}
	s.view.away = err != nil
	s.setError(op, err)
	return v, err
}

// setStored records that d is in the Store: nil if nothing is, or nothing that can be used.
func (s *scheduler) setStored(d *document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.view.storedFetchedAt = time.Time{}
	if d != nil {
		s.view.storedFetchedAt = d.fetchedAt
	}
}

// setError records how an operation has ended, and reports when errors begin or end.
func (s *scheduler) setError(op operation, err error) {
	v := s.view
	if err == nil && v.errs[op] == nil {
		return
	}
	s.mu.Lock()
	v.errs[op] = err
	if err != nil {
		v.Failures++
	}
	v.LastError = nil
	for _, err := range v.errs {
		if v.LastError == nil {
			v.LastError = err
		}
	}
	last := v.LastError
	s.mu.Unlock()
	if fails := last != nil; fails != v.reported {
		v.reported = fails
		s.reporter.reportStore(last, s.served.Load(), s.clock())
	}
}

// share gives the other processes what the fetch f has brought, or lets them know
// that it failed.
func (s *scheduler) share(f *fetch) {
	v := s.view
	v.unsaved = v.unsaved || f.err == nil
	switch {
	case v.away:
	case f.err == nil:
		s.save(f.brought)
	default:
		s.saveNote(f.err)
	}
}
