package otelauth

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// buckets are the upper bounds, in seconds: remembered tokens take less than a
// microsecond, signatures tens, and requests wait up to 5.5 s for a key.
var buckets = []float64{
	0.5e-6, 1e-6, 2.5e-6, 5e-6, 10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6,
	1e-3, 5e-3, 25e-3, 100e-3, 500e-3, 1, 2.5, 5, 10,
}

// observables are the instruments that are read from the watched Verifiers.
type observables struct {
	lookups                       metric.Int64ObservableCounter
	tokens                        metric.Int64ObservableUpDownCounter
	keys                          metric.Int64ObservableUpDownCounter
	age                           metric.Float64ObservableGauge
	fetches, failures, missing    metric.Int64ObservableCounter
	adopted, saves, storeFailures metric.Int64ObservableCounter
	storeAge                      metric.Float64ObservableGauge
	revocations, proofs           usage
	revocationAge                 metric.Float64ObservableGauge
}

// A usage is the size of something that has a limit.
type usage struct {
	now, limit metric.Int64ObservableUpDownCounter
}

func (f usage) observe(o metric.Observer, now, limit int) {
	if limit > 0 {
		o.ObserveInt64(f.now, int64(now))
		o.ObserveInt64(f.limit, int64(limit))
	}
}

// instruments makes all instruments.
func (m *Metrics) instruments(meter metric.Meter) error {
	var errs []error
	counter := func(name, unit, what string) metric.Int64Counter {
		i, err := meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(what))
		errs = append(errs, err)
		return i
	}
	histogram := func(name, what string) metric.Float64Histogram {
		i, err := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(what), metric.WithExplicitBucketBoundaries(buckets...))
		errs = append(errs, err)
		return i
	}
	total := func(name, unit, what string) metric.Int64ObservableCounter {
		i, err := meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(what))
		errs = append(errs, err)
		return i
	}
	number := func(name, unit, what string) metric.Int64ObservableUpDownCounter {
		i, err := meter.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(what))
		errs = append(errs, err)
		return i
	}
	m.decisions = counter("jwtguard.decisions", "{decision}", "Decisions about requests and tokens.")
	m.duration = histogram("jwtguard.decision.duration", "Duration of decisions, key lookup and signature check included.")
	m.keyLookup = histogram("jwtguard.key_lookup.duration", "Duration of key lookups, waiting for a fetch included.")
	m.signature = histogram("jwtguard.signature.duration", "Duration of signature checks.")
	m.events = counter("jwtguard.keys.events", "{event}", "Events of the key caches.")
	m.lookups = total("jwtguard.token_cache.lookups", "{lookup}", "Lookups in the cache of verified tokens.")
	m.tokens = number("jwtguard.token_cache.tokens", "{token}", "Verified tokens that are remembered.")
	m.keys = number("jwtguard.keys", "{key}", "Usable keys.")
	m.fetches = total("jwtguard.keys.fetches", "{fetch}", "Attempts to fetch keys.")
	m.failures = total("jwtguard.keys.failures", "{fetch}", "Attempts to fetch keys that failed.")
	m.missing = total("jwtguard.keys.missing", "{lookup}", "Lookups of a key that the issuer does not have.")
	m.adopted = total("jwtguard.keys.store.adopted", "{document}", "Key sets taken from the store that replicas share.")
	m.saves = total("jwtguard.keys.store.saves", "{document}", "Key sets saved in the store.")
	m.storeFailures = total("jwtguard.keys.store.failures", "{failure}", "Calls of the store that failed, and documents that were refused.")
	gauge := func(name, what string) metric.Float64ObservableGauge {
		i, err := meter.Float64ObservableGauge(name, metric.WithUnit("s"), metric.WithDescription(what))
		errs = append(errs, err)
		return i
	}
	m.age = gauge("jwtguard.keys.age", "Time since keys were last fetched.")
	m.storeAge = gauge("jwtguard.keys.store.age", "Time since the key set in the store was fetched.")
	m.revocations = usage{
		number("jwtguard.revocation.entries", "{entry}", "Revocations that are in force."),
		number("jwtguard.revocation.limit", "{entry}", "Revocations that there is room for."),
	}
	m.revocationAge = gauge("jwtguard.revocation.age", "Time since the list of revocations was known to be complete.")
	m.proofs = usage{
		number("jwtguard.proofs", "{proof}", "Used proofs that are recorded."),
		number("jwtguard.proofs.limit", "{proof}", "Used proofs that there is room for."),
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	var err error
	m.registration, err = meter.RegisterCallback(m.collect, m.lookups, m.tokens, m.keys, m.age, m.fetches, m.failures, m.missing,
		m.adopted, m.saves, m.storeFailures, m.storeAge, m.revocations.now, m.revocations.limit, m.revocationAge, m.proofs.now, m.proofs.limit)
	return err
}

// A keyCache is the key cache of one issuer of one Verifier.
type keyCache struct {
	verifier *verifier.Verifier
	issuer   string
}

// counts are the counters of key caches.
type counts struct{ fetches, failures, missing, adopted, saves, storeFailures int }

// sums are the figures of all key caches that are reported as one issuer. Their counts
// go on when a tenant's key cache is dropped: counters must not decrease.
type sums struct {
	counts
	keys          int
	age, storeAge time.Duration // of the oldest key set; 0 if there is none
}

// collect observes the figures of all watched Verifiers.
func (m *Metrics) collect(_ context.Context, o metric.Observer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.watched) == 0 {
		return nil
	}
	var cache verifier.Stats
	for _, v := range m.watched {
		s := v.Stats()
		cache.Hits, cache.Misses, cache.Tokens = cache.Hits+s.Hits, cache.Misses+s.Misses, cache.Tokens+s.Tokens
		if fuller(s.Revocation.Entries, s.Revocation.MaxEntries, cache.Revocation.Entries, cache.Revocation.MaxEntries) {
			cache.Revocation.Entries, cache.Revocation.MaxEntries = s.Revocation.Entries, s.Revocation.MaxEntries
		}
		cache.Revocation.Age = max(cache.Revocation.Age, s.Revocation.Age)
		if fuller(s.Proofs.Proofs, s.Proofs.MaxProofs, cache.Proofs.Proofs, cache.Proofs.MaxProofs) {
			cache.Proofs = s.Proofs
		}
	}
	m.revocations.observe(o, cache.Revocation.Entries, cache.Revocation.MaxEntries)
	m.proofs.observe(o, cache.Proofs.Proofs, cache.Proofs.MaxProofs)
	if cache.Revocation.MaxEntries > 0 {
		o.ObserveFloat64(m.revocationAge, cache.Revocation.Age.Seconds())
	}
	o.ObserveInt64(m.lookups, int64(cache.Hits), metric.WithAttributes(keyHit.Bool(true)))
	o.ObserveInt64(m.lookups, int64(cache.Misses), metric.WithAttributes(keyHit.Bool(false)))
	o.ObserveInt64(m.tokens, int64(cache.Tokens))
	m.sumKeys(time.Now())
	for issuer, s := range m.sums {
		attrs := withSet([]attribute.KeyValue{keyIssuer.String(issuer)})
		o.ObserveInt64(m.keys, int64(s.keys), attrs)
		o.ObserveInt64(m.fetches, int64(s.fetches), attrs)
		o.ObserveInt64(m.failures, int64(s.failures), attrs)
		o.ObserveInt64(m.missing, int64(s.missing), attrs)
		if s.age > 0 {
			o.ObserveFloat64(m.age, s.age.Seconds(), attrs)
		}
		if s.adopted+s.saves+s.storeFailures > 0 { // there is a store
			o.ObserveInt64(m.adopted, int64(s.adopted), attrs)
			o.ObserveInt64(m.saves, int64(s.saves), attrs)
			o.ObserveInt64(m.storeFailures, int64(s.storeFailures), attrs)
		}
		if s.storeAge > 0 {
			o.ObserveFloat64(m.storeAge, s.storeAge.Seconds(), attrs)
		}
	}
	return nil
}

// fuller reports whether a list is there and fuller than another. Several Verifiers may
// share one, so lists are not added up.
func fuller(now, limit, otherNow, otherLimit int) bool {
	return limit > 0 && (otherLimit == 0 || now*otherLimit > otherNow*limit)
}

// sumKeys brings m.sums up to date. m.mu is held.
func (m *Metrics) sumKeys(now time.Time) {
	for _, s := range m.sums {
		s.keys, s.age, s.storeAge = 0, 0, 0
	}
	last := make(map[keyCache]counts)
	for _, v := range m.watched {
		for _, i := range v.Issuers() {
			if i.Keys.State == "" { // no jwkscache.Cache
				continue
			}
			issuer := m.table.Load().fold(i.Issuer)
			if m.sums[issuer] == nil {
				m.sums[issuer] = new(sums)
			}
			m.sums[issuer].add(&i.Keys, m.last[keyCache{v, i.Issuer}], now)
			last[keyCache{v, i.Issuer}] = countsOf(&i.Keys)
		}
	}
	m.last = last
}

func countsOf(s *jwkscache.Stats) counts {
	return counts{s.Fetches, s.Failures, s.UnknownKeys, s.Store.Adopted, s.Store.Saves, s.Store.Failures}
}

// add adds what was counted from before to now.
func (t *counts) add(now, before counts) {
	t.fetches += now.fetches - before.fetches
	t.failures += now.failures - before.failures
	t.missing += now.missing - before.missing
	t.adopted += now.adopted - before.adopted
	t.saves += now.saves - before.saves
	t.storeFailures += now.storeFailures - before.storeFailures
}

// add adds what was counted since the last time, and the state of now.
func (t *sums) add(s *jwkscache.Stats, last counts, at time.Time) {
	now := countsOf(s)
	if now.fetches < last.fetches || now.adopted < last.adopted || now.saves < last.saves || now.storeFailures < last.storeFailures {
		last = counts{} // another key cache, of a tenant that came back
	}
	t.counts.add(now, last)
	if s.State != jwkscache.Expired {
		t.keys += s.Keys
	}
	if s.Period > 0 { // there are keys, and they age
		t.age = max(t.age, at.Sub(s.LastSuccess), 1)
	}
	t.storeAge = max(t.storeAge, s.Store.Age)
}
