package otelauth

import (
	"maps"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// The names of attributes. error.type and the value _OTHER are those of OpenTelemetry's
// semantic conventions.
const (
	keyIssuer     = attribute.Key("jwtguard.issuer")
	keyOutcome    = attribute.Key("jwtguard.outcome")
	keyErrorType  = attribute.Key("error.type")
	keyInner      = attribute.Key("jwtguard.inner")
	keyRemembered = attribute.Key("jwtguard.remembered")
	keyHit        = attribute.Key("jwtguard.token_cache.hit")
	keyEvent      = attribute.Key("jwtguard.keys.event")

	other = "_OTHER"
)

// A kind is what distinguishes decisions in metrics.
type kind struct {
	issuer            string // folded
	outcome           verifier.Outcome
	reason            string
	inner, remembered bool
}

// series are the attributes of one kind of decision. They are made once, since that
// allocates memory.
type series struct {
	decision []metric.AddOption
	duration []metric.RecordOption
	issuer   []metric.RecordOption
}

// A table is what Observe looks up. It is replaced, never changed.
type table struct {
	issuers map[string]bool // that are configured
	series  map[kind]*series
}

// fold returns the issuer as an attribute's value: there are as many as are configured,
// and one more.
func (t *table) fold(issuer string) string {
	if issuer == "" || t.issuers[issuer] {
		return issuer
	}
	return other
}

// reasonOf returns the name of the reason, "" if the request was admitted.
func reasonOf(d *verifier.Decision) string {
	if d.Reason == nil && d.Outcome == verifier.OutcomeMisconfigured {
		return string(verifier.OutcomeMisconfigured)
	}
	return verifier.ReasonName(d.Reason)
}

// seriesOf returns the series of d. Only the first decision of a kind allocates.
func (m *Metrics) seriesOf(d *verifier.Decision) *series {
	t := m.table.Load()
	k := kind{t.fold(d.Issuer), d.Outcome, reasonOf(d), d.Inner, d.Remembered}
	if s := t.series[k]; s != nil {
		return s
	}
	s := newSeries(k)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.table.Load().issuers == nil {
		return s // before Watch: the issuer may be a configured one
	}
	t = &table{m.table.Load().issuers, maps.Clone(m.table.Load().series)}
	t.series[k] = s
	m.table.Store(t)
	return s
}

func newSeries(k kind) *series {
	decision := []attribute.KeyValue{keyOutcome.String(string(k.outcome)), keyInner.Bool(k.inner)}
	var issuer []attribute.KeyValue
	if k.issuer != "" {
		issuer = append(issuer, keyIssuer.String(k.issuer))
		decision = append(decision, issuer...)
	}
	if k.reason != "" {
		decision = append(decision, keyErrorType.String(k.reason))
	}
	return &series{
		decision: []metric.AddOption{withSet(decision)},
		duration: []metric.RecordOption{withSet([]attribute.KeyValue{
			keyOutcome.String(string(k.outcome)), keyRemembered.Bool(k.remembered),
		})},
		issuer: []metric.RecordOption{withSet(issuer)},
	}
}

func withSet(attrs []attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attrs...))
}
