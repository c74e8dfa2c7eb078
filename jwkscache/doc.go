// Package jwkscache keeps an OAuth 2.0 issuer's public keys in memory.
//
// A [Cache] fetches the issuer's JSON Web Key Set (RFC 7517) in the background.
// [Cache.Lookup] finds a key of that set without a lock and without I/O, whatever
// the issuer's server is doing.
//
// # Where the keys come from
//
// [ForIssuer] finds the key set through the issuer's metadata: at the well-known
// places of OpenID Connect Discovery 1.0 and RFC 8414, or at [Config.MetadataURL].
// The metadata must have the same issuer, byte for byte. It is read again with the
// first refresh after an hour, and when the key set's address returns 404 or 410.
// An address that was found this way is used for [Config.MaxStale] after the last
// good metadata, and so are the keys from there, so that one forged response does
// not last.
//
// [ForURL] is given the key set's address. [Static] holds a key set that never
// changes.
//
// # How long keys are used
//
// A fetch is one attempt to bring keys, of 1 to 6 HTTP requests. It is good if the
// response is a 200 with at least one usable key; an empty set, an error page or
// half a document is a failure. No request is conditional, so no earlier response
// can be confirmed. A good fetch replaces the whole set, so a withdrawn key is gone
// with it. The time counts from when the server made the response: its Age (RFC
// 9111 §5.1) is subtracted.
//
// A cache is [Empty] until the first good fetch, then [Fresh], [Stale] once a
// refresh is overdue, and [Expired] after [Config.MaxStale] without a good fetch.
// Fresh and Stale serve keys. The server's Cache-Control gives the period between
// 5 minutes and 1 hour (15 minutes without it); the refresh starts after 72 to 88 %
// of that.
//
// A failed fetch changes only when the next one begins: the backoff starts at 1
// second and doubles up to 60 seconds, with full jitter, and Retry-After is honoured
// up to 5 minutes (10 seconds while there are no keys at all).
//
// # Rotation without warning
//
// A key that the set does not have starts one fetch, shared by all callers who wait
// for it: up to 1,000, for up to 5.5 seconds; further ones get no key at once. The
// fetch limit allows five fetches at once and one more per [Config.Cooldown], at
// most 17 in a minute, however many kids are made up; callers wait for the limit,
// too. So a rotated key is accepted at its first use, and within 6 seconds of its
// publication while somebody floods the API with made-up kids.
//
// A key that a fetch did not bring is fetched for again after 1, 1, 2 and 2 seconds,
// then every 5, and after two minutes every 30, because some issuers publish a key
// seconds after its first token. In between there is no such key.
//
// A signature that fits none of the keys of its kid requests a fetch, too, since an
// issuer may have given the kid to another key: once in 15 seconds, and nobody waits
// for it.
//
// # Key sets that are shared
//
//	store, err := jwkscache.Directory("/var/lib/orders/keys") // or redisstore.NewStore
//	cfg.JWKS.Store = store                                     // cfg is a verifier.Config
//
// With [Config.Store], processes that check tokens of the same issuer share its key
// set, and it is there at the next start. The Store has one document, of what the last
// good fetch brought. It is checked like a response when it is loaded, and ages like
// one, so it serves for [Config.MaxStale] after the server made it.
//
//	             newer
//	due ─► Load ────────► adopt
//	        ▲ │ not newer
//	        │ ▼           mine
//	        │ Lease ──────────► fetch ─► Save
//	        │ │ another's
//	        └─┘ (serve on)
//
// At a start, and when a fetch is due, the cache loads the document first. If it was
// fetched later than the keys in use, the cache adopts it. Otherwise the process that
// gets the lease, for 2 seconds, fetches and saves; the others ask again. Where a key
// is missing, they ask four times a second, and after 3 seconds fetch nevertheless:
// the holder of the lease may have died. While there are no keys at all, that is
// after 1 second, and for a refresh, after 2 minutes.
//
// Every 8 to 10 seconds each process polls the Store, so that all have within about
// 10 seconds what one of them has fetched, also by [Cache.Refresh]. Which document is
// newer is decided by the issuer's clock, if its responses have a Date. Otherwise it is
// by the clocks of the processes, and one whose clock is ahead may keep its keys until
// its next refresh.
//
// A process whose fetch fails leaves a note, so that all share one backoff and one
// Retry-After, and lets the others go first. A Store that fails, or has something that
// is not good, changes nothing but this: until the next poll, the cache fetches as it
// does without.
//
// # Events
//
// [Config.Observe] receives each fetch, good or failed, each rotation, and expiry. A
// rotation is a key set with other keys or names; their order does not count. It also
// receives each document that is adopted, and when the Store begins to fail or works
// again. [Config.Logger] receives only what begins or ends: failures, expiry, unusual keys.
//
// # No key, and cannot tell
//
// The result (nil, nil) means that the issuer has no such key. An error that wraps
// [ErrUnavailable] means that this cannot be known now: there are no keys yet, or
// they are too old; the key is missing and fetching fails; the wait for it ended
// while a fetch was running; or the cache is closed.
package jwkscache
