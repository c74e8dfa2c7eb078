package otelauth

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const scope = "github.com/seed-12ed5b1c/jwtguard/adapters/otelauth"

// Config configures [New]. The zero value is ready to use.
type Config struct {
	// MeterProvider makes the instruments. Nil means otel.GetMeterProvider().
	MeterProvider metric.MeterProvider
}

// Metrics reports the decisions of one or several Verifiers. It is safe for concurrent
// use.
type Metrics struct {
	decisions                      metric.Int64Counter
	duration, keyLookup, signature metric.Float64Histogram
	events                         metric.Int64Counter
	observables
	registration metric.Registration

	table atomic.Pointer[table]

	mu      sync.Mutex // guards what follows, and replacing table
	watched []*verifier.Verifier
	pending []jwkscache.Event // until the first Watch
	sums    map[string]*sums  // by issuer, as reported
	last    map[keyCache]counts
}

// maxPending is how many events of key caches are kept for Watch.
const maxPending = 1000

// New makes the instruments. The methods Observe and ObserveKeys are for
// verifier.Settings, and [Metrics.Watch] takes the Verifier that was made with them. An
// error is the MeterProvider's.
func New(c Config) (*Metrics, error) {
	if c.MeterProvider == nil {
		c.MeterProvider = otel.GetMeterProvider()
	}
	m := &Metrics{sums: make(map[string]*sums)}
	m.table.Store(new(table))
	if err := m.instruments(c.MeterProvider.Meter(scope)); err != nil {
		return nil, err
	}
	return m, nil
}

// Observe reports a decision; it is for verifier.Settings.Observe.
func (m *Metrics) Observe(ctx context.Context, d verifier.Decision) {
	s := m.seriesOf(&d)
	m.decisions.Add(ctx, 1, s.decision...)
	if !d.Inner {
		m.duration.Record(ctx, d.Duration.Seconds(), s.duration...)
	}
	if d.KeyLookup > 0 {
		m.keyLookup.Record(ctx, d.KeyLookup.Seconds(), s.issuer...)
	}
	if d.Signature > 0 {
		m.signature.Record(ctx, d.Signature.Seconds(), s.issuer...)
	}
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		annotate(span, &d)
	}
}

// ObserveKeys reports an event of a key cache; it is for verifier.Settings.ObserveKeys
// and jwkscache.Config.Observe. The first [Metrics.Watch] reports the events before it, at
// most 1,000.
func (m *Metrics) ObserveKeys(e jwkscache.Event) {
	m.mu.Lock()
	if len(m.watched) == 0 && len(m.pending) < maxPending {
		m.pending = append(m.pending, jwkscache.Event{Kind: e.Kind, Source: e.Source})
		m.mu.Unlock()
		return
	}
	m.mu.Unlock()
	m.reportEvent(e)
}

func (m *Metrics) reportEvent(e jwkscache.Event) {
	m.addEvents(1, m.table.Load().fold(e.Source), e.Kind)
}

func (m *Metrics) addEvents(n int64, issuer string, kind jwkscache.EventKind) {
	m.events.Add(context.Background(), n, metric.WithAttributes(keyIssuer.String(issuer), keyEvent.String(string(kind))))
}

var eventKinds = []jwkscache.EventKind{
	jwkscache.EventRefreshed, jwkscache.EventRotated, jwkscache.EventHealed, jwkscache.EventFailed, jwkscache.EventExpired,
	jwkscache.EventAdopted, jwkscache.EventStoreFailed, jwkscache.EventStoreHealed,
}

// Watch reports the token cache and the key sets of v from now on, whenever metrics are
// collected, and learns from v which issuers are configured: until then, all count as
// _OTHER. Call it before v is used, once for each of several Verifiers: their figures are
// added up. It fails if v is nil or watched already. The MeterProvider
// keeps v until [Metrics.Close].
func (m *Metrics) Watch(v *verifier.Verifier) error {
	if v == nil {
		return errors.New("otelauth: Watch: nil Verifier")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.Contains(m.watched, v) {
		return errors.New("otelauth: Watch: this Verifier is watched already")
	}
	m.watched = append(m.watched, v)
	issuers := make(map[string]bool)
	maps.Copy(issuers, m.table.Load().issuers)
	for _, s := range v.Issuers() {
		if !s.Tenant {
			issuers[s.Issuer] = true
		}
	}
	m.table.Store(&table{issuers, make(map[kind]*series)})
	for issuer := range issuers {
		for _, kind := range eventKinds {
			m.addEvents(0, issuer, kind) // so that the first one is an increase
		}
	}
	for _, e := range m.pending {
		m.reportEvent(e)
	}
	m.pending = nil
	return nil
}

// Close ends what Watch began. It does not close the Verifiers: their decisions and events
// are still reported. An error is the MeterProvider's.
func (m *Metrics) Close() error { return m.registration.Unregister() }
