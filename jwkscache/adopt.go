package jwkscache

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// minClockDifference is more than clocks can seem to differ that do not, since a Date
// has whole seconds and a response takes time.
const minClockDifference = 2 * time.Second

// document returns the document of s, which res has brought.
func (f *fetcher) document(res *response, s *snapshot) *document {
	l := &f.locator
	d := &document{
		source: l.source(), address: l.address, keys: res.body,
		cacheControl: strings.Join(res.header.Values("Cache-Control"), ","), age: strings.Join(res.header.Values("Age"), ","),
		createdAt: res.createdAt.wall, metadataCreatedAt: res.createdAt.wall, fetchedAt: s.fetchedAt.wall, issuerTime: s.fetchedAt.wall,
	}
	if l.issuer != "" {
		d.metadata, d.metadataCreatedAt = l.metadata.body, l.metadata.createdAt.wall
	}
	// So processes whose clocks differ agree on the order, if the issuer says its time.
	// A small difference is that of whole seconds, and one that is too large is not
	// between clocks: the response may be from a cache.
	if ahead := s.clockDiff.Abs(); ahead > minClockDifference && ahead <= maxClockDifference {
		d.issuerTime = d.issuerTime.Add(s.clockDiff)
	}
	return d
}

// snapshotOf returns what d has, after the checks that a fetch makes, and aged by
// the time since. A time in the future counts as now.
func (f *fetcher) snapshotOf(d *document, old *snapshot) (*snapshot, error) {
	l, now := &f.locator, f.clock()
	madeAt, tooOld := now.atWall(d.createdAt), now.atWall(d.createdAt).add(f.cfg.MaxStale)
	address := l.source().address
	if l.issuer != "" {
		if len(d.metadata) > maxBody {
			return nil, fmt.Errorf("metadata of %d bytes", len(d.metadata))
		}
		var err error
		if address, err = parseMetadata(d.metadata, l.issuer, l.places()[0], f.cfg.AllowHTTP); err != nil {
			return nil, fmt.Errorf("metadata: %w", err)
		}
		tooOld = tooOld.earlier(now.atWall(d.metadataCreatedAt).add(f.cfg.MaxStale))
	}
	switch {
	case d.address != address:
		return nil, fmt.Errorf("keys from %q, not from %q", cut(d.address), cut(address))
	case len(d.keys) > maxBody:
		return nil, fmt.Errorf("a key set of %d bytes", len(d.keys))
	case !now.before(tooOld):
		return nil, errTooOld
	}
	keys, err := parseKeySet(d.keys, f.cfg)
	if err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	fetchedAt := now.atWall(d.fetchedAt)
	s := &snapshot{
		keys: keys.withHistory(old, fetchedAt.wall), fetchedAt: fetchedAt, age: now.since(madeAt),
		tooOld: tooOld, period: f.period(d.header(), tooOld),
	}
	if old != nil {
		s.clockDiff = old.clockDiff
	}
	kept := *d
	kept.issuerTime = earlierTime(d.issuerTime, now.wall.Add(maxClockDifference)) // no document is the newest for long
	s.doc = &kept
	return s, nil
}

var errTooOld = errors.New("the keys are older than MaxStale")

// adopt makes d's address the one to fetch from, as if its metadata had been read here.
func (l *locator) adopt(d *document, now moment) {
	if l.issuer == "" {
		return
	}
	readAt := now.atWall(d.metadataCreatedAt)
	l.address, l.err = d.address, nil
	l.metadata = &response{body: d.metadata, createdAt: readAt}
	l.tooOld = readAt.add(l.maxStale)
	l.schedule(readAt)
}

func earlierTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
