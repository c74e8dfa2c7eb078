package otelauth

import (
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const (
	keyReason    = attribute.Key("jwtguard.reason")
	keyDuration  = attribute.Key("jwtguard.decision.duration")
	keyLookup    = attribute.Key("jwtguard.key_lookup.duration")
	keySignature = attribute.Key("jwtguard.signature.duration")
)

// annotate adds d to a span that is recording.
func annotate(span trace.Span, d *verifier.Decision) {
	attrs := make([]attribute.KeyValue, 0, 8)
	attrs = append(attrs, keyOutcome.String(string(d.Outcome)), keyRemembered.Bool(d.Remembered))
	if d.Issuer != "" {
		attrs = append(attrs, keyIssuer.String(strings.Clone(d.Issuer)))
	}
	if reason := reasonOf(d); reason != "" {
		attrs = append(attrs, keyReason.String(reason))
	}
	if !d.Inner || d.Reason != nil || d.Outcome == verifier.OutcomeMisconfigured {
		span.SetAttributes(attrs...)
	}
	attrs = append(attrs, keyInner.Bool(d.Inner))
	for _, took := range []struct {
		key attribute.Key
		time.Duration
	}{{keyDuration, d.Duration}, {keyLookup, d.KeyLookup}, {keySignature, d.Signature}} {
		if took.Duration > 0 {
			attrs = append(attrs, took.key.Float64(took.Seconds()))
		}
	}
	span.AddEvent("jwtguard.decision", trace.WithAttributes(attrs...))
}
