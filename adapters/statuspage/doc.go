// Package statuspage shows operators what a Verifier knows and decides: on an HTML page
// that updates itself, and as JSON.
//
//	page := statuspage.New(statuspage.Config{Title: "Orders API, " + hostname})
//	v, err := verifier.Settings{Observe: page.Observe}.New(issuers...)
//	page.Watch(v)
//	internal.Handle("/status", page)
//
// [Page.Observe] counts refusals. If Settings.Observe has other work too, such as that of
// package otelauth, a function that calls both is the value of Settings.Observe.
//
// # Who may see it
//
// The page is read-only, but it names issuers, tenants, keys and errors. Serve it where
// only operators reach it: on an internal listener, and behind httpauth.Protect with a rule
// that only operators pass. A browser sends no Authorization by itself: a proxy adds it, or
// the token is in a cookie (see verifier.Settings.TokenFrom).
//
// # JSON
//
// A request that prefers application/json (RFC 9110 §12.5.1) gets the same data as one
// object. Times are in UTC (RFC 3339), durations in seconds. A member without value is
// omitted. No member of this list will be renamed:
//
//	title, time          Config.Title; when the figures were read
//	started              when New was called
//	go, version          of the Go that built the program; of this module, if known
//	state                healthy, degraded or down
//	problems             why, an array of sentences; more_problems counts those left out
//	verifiers            an array, in the order of Watch, of objects:
//	  issuers            an array of objects; more_issuers counts those left out
//	    issuer, tenant   its name; whether Settings.Tenants named it
//	    state, error     usable, failing (its last fetch failed, or a refresh is overdue) or unusable; why it is unusable
//	    managed          whether the program keeps its keys; if false, only the members above are there
//	    keys_state       empty, fresh, stale, expired or closed
//	    keys             an array of objects; more_keys counts those left out
//	      kid, type      the key's id; such as RSA 2048, EC P-256 or Ed25519
//	      algorithms     that it may verify, an array
//	      use            as published
//	      first_seen     the first of the good fetches that have all brought it
//	    warnings         an array of objects; more_warnings counts those left out
//	      text, used     one sentence about a key; whether the key is used nevertheless
//	    last_refresh     when the last good fetch ended
//	    next_refresh     when the next one is due; absent while one is running
//	    period           how long its keys are fresh
//	    last_error       why the last fetch failed
//	    fetches          begun so far
//	    failures         fetches that failed
//	    unknown_keys     lookups of a key that the issuer does not have
//	    clock_difference how far its clock is ahead of this machine's; negative if behind
//	    store            what jwkscache.Config.Store did for its keys, an object, absent without one:
//	      age            how long ago the stored keys were fetched
//	      adopted        documents of others whose keys were put to use
//	      saves          documents saved
//	      failures       calls that failed, and documents that were refused
//	      last_error     why it cannot be used now
//	  token_cache        an object:
//	    hits, misses     requests whose token was remembered; all others with a token
//	    hit_ratio        hits among both, from 0 to 1
//	    tokens           remembered now
//	  revocation         of the list of revoked tokens, an object, absent without one:
//	    entries          revocations in force
//	    max_entries      their limit
//	    age              since the list was last known to be complete
//	    refuses          whether every token is refused with 503
//	    error            why the list may be incomplete
//	  proofs             of the store of used proofs (DPoP), an object, absent without one:
//	    recorded         records now; 0 if they are not counted, as in Redis
//	    max_recorded     their limit; 0 if it is not known
//	    replays          proofs refused because they were used before
//	    full             proofs refused because there was no room
//	    error            why the last one could not be recorded where it should be
//	refusals             an array of objects, only of reasons that occurred in the last hour:
//	  reason, meaning    its verifier.ReasonName; a sentence
//	  last_minute, last_5_minutes, last_60_minutes
//	                     how many, to within ten seconds of time
//
// Text that others chose, such as a kid or an error, has at most 200 bytes (errors 500),
// with characters that are not printable escaped as in a Go literal.
package statuspage
