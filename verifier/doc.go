// Package verifier decides whether an OAuth 2.0 access token is good for this
// API, and tells who is calling.
//
// It is for resource servers whose clients send a JWT as Authorization: Bearer
// (RFC 6750), most often services that got it with the client-credentials grant
// (RFC 6749 §4.4). Signature, issuer, audience and time are checked offline,
// with keys that package jwkscache keeps at hand.
//
//	v, err := verifier.New(verifier.Config{
//		Issuer:    "https://login.example.com/",
//		Audiences: []string{"https://api.example.com"},
//	})
//	if err != nil {
//		return err
//	}
//	defer v.Close()
//
// [New] does no network I/O; keys are fetched in the background. Wait for them
// with [Verifier.Ready], or let the first requests wait for two seconds. Then
// put an adapter in front of the routes (httpauth, echoauth, ginauth), or call
// [Verifier.Authenticate] with an *http.Request yourself.
//
// # What a token must be
//
// A compact JWS (RFC 7515 §7.1) of at most 16 KiB whose header and claims are
// strict JSON, with at most 256 members in an object and 256 audiences; signed
// with an algorithm that is allowed for its issuer, by a key that the issuer
// publishes for it; iss equal to the configured issuer, byte for byte; exp in
// the future and nbf, if present, in the past, give or take the leeway; at least
// one configured audience in aud; and of a type that an access token has.
// [Config] has a field for each of these.
//
// Only [Config.RFC9068] tells an access token from every other JWT of the same
// issuer for certain. Without it, typ may be absent or JWT, as it is for ID
// tokens of many servers, and the signs by which those are told apart (events,
// at_hash, c_hash, token_use, a payload typ, a nonce without permissions) catch
// the known kinds. The audience check keeps the rest out, as long as no client
// id is among the audiences.
//
// # What a route may demand
//
// A [Rule] narrows what a good token may do: [Scope], [AnyScope], [Audience],
// [Issuer], [Client], [ClientCredentials], [Claim], and [Check] for a function
// of your own. Rules mean the same for a whole issuer ([Config.Rules]), for a
// route (Protect) and in a handler ([Require]). With several audiences in
// Config, put an Audience rule on every group of routes.
//
// The scopes that a route's own rules demand stand in all of its challenges, so
// that a client without a token learns which to ask for (RFC 6750 §3). Protect
// outside cannot know what Require demands inside: where clients should be told,
// put Scope on Protect.
//
// A rule that could not do what it says, with an empty list, an empty string or
// an audience that is not configured, is an error of New and a panic of Protect.
// Where it can only show with a request, that gets 500, and what to change is
// logged at ERROR, once a minute.
//
// # What is answered
//
// Every refusal is an [*Error]. The client reads a status, a challenge and a
// sentence, all constants; the operator reads why. errors.Is finds the reason:
//
//	no token, or another scheme                 401  ErrNoToken
//	two fields, or not a token's characters     400  ErrBadRequest
//	the token is not good                       401  ErrExpired, ErrAudience, ...
//	a scope is missing                          403  ErrScope
//	a rule not on issuer or audience refuses    403  ErrDenied
//	the issuer's keys are not there             503  ErrUnavailable
//
// An error that wraps one of these, returned by a [Check] or handed to an
// adapter's Refuse, is answered as it is.
//
// "No" and "cannot tell" differ: without keys nobody can say that a token is
// bad. Strangers can provoke the 503 while the issuer is down, with tokens that
// name unknown keys; keep it out of what ejects this service from a load
// balancer.
//
// # What is remembered
//
// A verified token is remembered, so that the next request with it costs no
// signature: 4,096 tokens within 16 MiB by default ([Config.TokenCache]), each
// for an hour at most. Remembered or not, a token is refused once it expires,
// once its key is withdrawn or the keys are too old to be believed, and where a
// rule refuses it; [Verifier.Stats] counts. Only tokens that passed every check
// are remembered, so that nobody else can push them out.
//
// # Several issuers
//
// [Join] makes one Verifier of several. Each keeps its own keys, audiences and
// rules; a kid or an audience of one means nothing at another.
//
// # Keys of your own
//
// [KeySource] is one method. jwkscache.ForURL, jwkscache.Static and your own
// type fit into [Config.Keys].
package verifier
