package jwkscache

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// A fetch is one attempt to bring new keys. That is one GET of the key set, and up
// to five more where the metadata is read again or the key set has moved.
type fetch struct {
	mode    fetchMode
	wanted  []uint64      // ids of the missing keys that it is for, one for each caller
	number  int           // from 1 on
	done    chan struct{} // closed when the following are set
	brought *snapshot     // nil if it failed
	err     error
	adopted bool // it was not run, because the Store had something newer
}

func newFetch() *fetch { return &fetch{done: make(chan struct{})} }

// wants notes a missing key, up to as many as are remembered.
func (f *fetch) wants(id uint64) {
	if len(f.wanted) < maxMissing {
		f.wanted = append(f.wanted, id)
	}
}

// A fetcher brings key sets. Only the scheduler's goroutine uses it.
type fetcher struct {
	cfg     Config
	clock   func() moment
	locator locator
	getter  *getter
}

func newFetcher(source locator, cfg Config, clock func() moment) *fetcher {
	f := &fetcher{cfg: cfg, clock: clock, locator: source, getter: newGetter(cfg, clock)}
	f.locator.getter, f.locator.clock, f.locator.maxStale = f.getter, clock, cfg.MaxStale
	f.locator.keepMetadata = cfg.Store != nil
	return f
}

// fetch returns a snapshot newer than old. A panic, for example in a caller's HTTP
// transport, is a failure like any other.
func (f *fetcher) fetch(ctx context.Context, old *snapshot, mode fetchMode) (s *snapshot, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, err = nil, shorten(fmt.Errorf("the fetch panicked: %v", p))
		}
	}()
	if f.locator.file != "" {
		return f.readFiles(old)
	}
	metadata, err := f.locator.locate(ctx, mode)
	if err != nil {
		return nil, err
	}
	s, err = f.fetchKeys(ctx, old, mode)
	if isNotFound(err) && f.locator.issuer != "" && metadata == nil {
		var failed error
		if metadata, failed = f.locator.discover(ctx, mode); failed != nil {
			return nil, fmt.Errorf("%w; %w", err, failed)
		}
		s, err = f.fetchKeys(ctx, old, mode)
	}
	if err == nil && metadata != nil {
		s.age = max(s.age, metadata.age)
	}
	return s, err
}

func (f *fetcher) fetchKeys(ctx context.Context, old *snapshot, mode fetchMode) (*snapshot, error) {
	address := f.locator.address
	res, err := f.getter.get(ctx, address, mode.noCache)
	if err != nil {
		return nil, fmt.Errorf("key set at %q: %w", cut(address), err)
	}
	keys, err := parseKeySet(res.body, f.cfg)
	if err != nil {
		return nil, fmt.Errorf("key set at %q: %w", cut(address), err)
	}
	keys = keys.withHistory(old, f.clock().wall)
	tooOld := res.createdAt.add(f.cfg.MaxStale)
	if f.locator.issuer != "" {
		tooOld = tooOld.earlier(f.locator.tooOld)
	}
	s := &snapshot{
		keys: keys, age: res.age, clockDiff: res.clockDiff, metadataErr: f.locator.err,
		fetchedAt: f.clock(), tooOld: tooOld, period: f.period(res.header, tooOld),
	}
	if f.cfg.Store != nil {
		s.doc = f.document(res, s)
	}
	return s, nil
}

// period returns how long a response with header h is fresh: no longer than it
// serves, so that the next one comes in time, but at least minPeriod, even if the
// response is nearly too old.
func (f *fetcher) period(h http.Header, tooOld moment) time.Duration {
	p := f.cfg.Refresh
	if p == 0 {
		p = cachePeriod(h)
	}
	return min(p, max(f.clock().until(tooOld), minPeriod), f.cfg.MaxStale)
}
