// Package jwkscache keeps an OAuth 2.0 issuer's public keys at hand.
//
// A [Cache] fetches the issuer's JSON Web Key Set (RFC 7517) in the background
// and answers [Cache.Lookup] from memory. A lookup of a key that is there takes
// no lock and does no I/O, whatever the issuer's server is doing.
//
// # Where the keys come from
//
// [ForIssuer] finds the key set through the issuer's metadata: at the place of
// OpenID Connect Discovery 1.0, then at that of RFC 8414, or where
// [Config.MetadataURL] says. The metadata must name the very same issuer, byte for
// byte. It is asked again with the first refresh after an hour, and when nothing
// is at the key set's address any more. The address counts for [Config.MaxStale]
// after the last good metadata, and so do the keys there: whoever could answer in
// the issuer's place for once does not stay.
//
// [ForURL] is given the key set's address. [Static] holds a key set that never
// changes.
//
// # How long keys live
//
// A cache is Empty until the first good answer, then Fresh, Stale once a
// refresh is overdue, and Expired when nothing good has come for
// [Config.MaxStale]. Fresh and Stale serve. The server's Cache-Control chooses
// the period between 5 minutes and 1 hour (15 minutes when it says nothing);
// the refresh starts at 80 % of it, give or take 10 %.
//
// A refresh that fails changes nothing but the time of the next one: the
// backoff starts at 1 second, doubles up to 60 seconds with full jitter, and
// honours Retry-After up to 5 minutes (10 seconds while there are no keys at all). An answer counts as good only if it is a
// 200 with at least one usable key; an empty set, an error page or half a document
// is a failure. No request is conditional, so an answer of the past cannot be
// confirmed. A good answer replaces the whole set, so a withdrawn key is gone with
// it. It counts from when it was made: its Age (RFC 9111 §5.1) is taken off.
//
// # Rotation without warning
//
// A key that the set lacks starts one fetch, shared by all who wait for it: up to
// 1,000 of them, for up to 5.5 seconds; the answer to those beyond is an immediate
// no. All fetches share a bucket of five, one refilled per [Config.Cooldown], so
// that made-up kids cost at most 17 fetches a minute, and callers wait for the
// refill. A rotated key is accepted at its first use, and under a flood of made-up
// kids within 6 seconds of its publication.
//
// A key that a fetch did not bring is fetched for again after 1, 1, 2 and 2
// seconds, then every 5, and after two minutes every 30: an issuer whose key set
// lags behind its tokens heals within seconds. In between the answer is no.
//
// A signature that fits none of the keys of its kid asks for a fetch, too, since
// an issuer may have given the kid to another key: once in 15 seconds, and nobody
// waits for it.
//
// # No, and cannot tell
//
// (nil, nil) says that the issuer has no such key. An error that wraps
// [ErrUnavailable] says that this cannot be known now: there are no keys yet, or
// they are too old; the key is missing while refreshing fails; the wait for it
// ended while a fetch was still running; or the cache is closed.
package jwkscache
