// Package otelauth reports what a verifier decides to OpenTelemetry: as metrics, and on
// the span of the request.
//
//	m, err := otelauth.New(otelauth.Config{})
//	v, err := verifier.Settings{Observe: m.Observe, ObserveKeys: m.ObserveKeys}.New(cfg)
//	err = m.Watch(v)
//
// # Metrics
//
//	name                          kind            unit        attributes
//	jwtguard.decisions            counter         {decision}  jwtguard.issuer, jwtguard.outcome, error.type, jwtguard.inner
//	jwtguard.decision.duration    histogram       s           jwtguard.outcome, jwtguard.remembered
//	jwtguard.key_lookup.duration  histogram       s           jwtguard.issuer
//	jwtguard.signature.duration   histogram       s           jwtguard.issuer
//	jwtguard.token_cache.lookups  counter         {lookup}    jwtguard.token_cache.hit
//	jwtguard.token_cache.tokens   up-down counter {token}
//	jwtguard.keys                 up-down counter {key}       jwtguard.issuer
//	jwtguard.keys.age             gauge           s           jwtguard.issuer
//	jwtguard.keys.fetches         counter         {fetch}     jwtguard.issuer
//	jwtguard.keys.failures        counter         {fetch}     jwtguard.issuer
//	jwtguard.keys.missing         counter         {lookup}    jwtguard.issuer
//	jwtguard.keys.events          counter         {event}     jwtguard.issuer, jwtguard.keys.event
//	jwtguard.keys.store.adopted   counter         {document}  jwtguard.issuer
//	jwtguard.keys.store.saves     counter         {document}  jwtguard.issuer
//	jwtguard.keys.store.failures  counter         {failure}   jwtguard.issuer
//	jwtguard.keys.store.age       gauge           s           jwtguard.issuer
//	jwtguard.revocation.entries   up-down counter {entry}
//	jwtguard.revocation.limit     up-down counter {entry}
//	jwtguard.revocation.age       gauge           s
//	jwtguard.proofs               up-down counter {proof}
//	jwtguard.proofs.limit         up-down counter {proof}
//
// The metrics of the token cache and of keys are those of the verifiers given to
// [Metrics.Watch]. jwtguard.keys.age is the time since the last good fetch, and is absent
// before it. The metrics of the store, of revocation and of proofs are absent without
// JWKS.Store, Settings.Revocation and Settings.Bindings. If several verifiers have such lists, these
// are the figures of the fullest, and the age of the oldest. A decision is inner if verifier.Require, a RequireGuard or the handler made it
// about a request that was admitted before; only jwtguard.decisions counts those.
//
// # Attributes
//
// The configuration bounds how many combinations there are, whatever strangers send.
//
//	jwtguard.issuer           an issuer that New was given; _OTHER for all tenants
//	                          (Settings.Tenants); absent if the token names no trusted issuer
//	jwtguard.outcome          admitted, anonymous, refused, unavailable or misconfigured
//	error.type                verifier.ReasonName of the reason; absent if the request was admitted
//	jwtguard.inner            true or false
//	jwtguard.remembered       true or false
//	jwtguard.token_cache.hit  true or false
//	jwtguard.keys.event       the jwkscache.EventKind
//
// Before the signature is checked, anybody can name a trusted issuer. So jwtguard.issuer
// of a refusal is not proof that the token came from there.
//
// # Spans
//
// If the span in the request's context is recording, it gets jwtguard.outcome,
// jwtguard.reason, jwtguard.issuer (of tenants, too) and jwtguard.remembered, from the
// last decision that is not inner or that refuses the request. It gets an event
// jwtguard.decision for each decision, with the same attributes, jwtguard.inner, and the
// durations in seconds. The span's status and error.type belong to the instrumentation
// of the HTTP server, and stay as they are.
//
// # What is never reported
//
// The subject, the client id, any other claim, the token, the kid, the route and the
// method. To log who was admitted where, see Settings.Observe.
package otelauth
