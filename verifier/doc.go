// Package verifier decides whether an OAuth 2.0 access token is valid for this
// API, and reports who is calling.
//
// It is for resource servers whose clients send a JWT as Authorization: Bearer
// (RFC 6750), most often services that got it with the client-credentials grant
// (RFC 6749 §4.4). Signature, issuer, audience and time are checked offline, with
// keys that package jwkscache keeps in memory.
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
// with [Verifier.Ready], or let the first requests wait for up to two seconds. Then
// put an adapter (httpauth, echoauth, echov5auth, ginauth, grpcauth, mcpauth) in front of
// the routes, or call [Verifier.Authenticate] with an *http.Request yourself.
//
// # What a token must be
//
// A token is a compact JWS (RFC 7515 §7.1) of at most 16 KiB. Its header and claims
// are strict JSON, with at most 256 members in an object and 256 audiences. It is
// signed with an algorithm that is allowed for its issuer, by a key that the issuer
// publishes for it. Its iss equals the configured issuer byte for byte, exp is in
// the future, nbf (if present) is in the past, both within the leeway, aud contains
// a configured audience, and its type is that of an access token. [Config] has the
// settings for algorithms, audiences, types and leeway, and [Settings] that for the
// length; the limits of JSON are fixed.
//
// Only [Config.RFC9068] separates access tokens from every other JWT of the same
// issuer with certainty. Without it, typ may be absent or JWT, as it is in ID tokens
// of many servers. Known kinds of other tokens are then recognized by their claims
// (events, at_hash, c_hash, token_use, typ, and nonce without permissions). The
// audience check refuses the rest, as long as no client id is among the audiences.
//
// # Rules
//
// A [Rule] narrows what a valid token may do: [Scope], [AnyScope], [Role],
// [AnyRole], [Audience], [Issuer], [Client], [ClientCredentials], [Direct],
// [Actor], [Claim], [NoClaim], [StepUp], [Bound], and [Check] for your own function. Rules mean
// the same for a whole issuer ([Config.Rules], [Config.With]), for a route (Protect)
// and in a handler ([Require]). With several audiences in Config, put an Audience
// rule on every group of routes.
//
// The scopes of a route's own rules are named in all of its challenges, so that a
// client without a token learns which to request (RFC 6750 §3). Protect does not
// know the rules of a Require inside it: to have a scope named, give it to Protect.
//
// A rule that cannot work, such as one with an empty list or with an audience that
// is not configured, is an error of New and a panic of Protect. Where this shows
// only during a request, the response is 500, and the mistake is logged at ERROR,
// once a minute.
//
// # Refusals
//
// Every refusal is an [*Error]. The client receives a status, a challenge and a
// sentence, all constants; the operator's log has the cause. errors.Is finds the
// reason:
//
//	no token, or another scheme                      401  ErrNoToken
//	two fields, or characters that no token has      400  ErrBadRequest
//	the token is not valid here                      401  ErrExpired, ErrAudience, ...
//	bound to a key that the sender has not proved    401  ErrBinding
//	the DPoP proof is missing, not valid or used     401  ErrProof, ErrReplay, ErrNonce
//	StepUp: the user must authenticate again         401  ErrAuthentication
//	a scope is missing                               403  ErrScope
//	a rule refuses that is not on issuer or audience 403  ErrDenied
//	the issuer's keys are not available              503  ErrUnavailable
//
// An error of your own that wraps one of these, from a [Check], a [Guard] or given
// to an adapter's Refuse, has the same status and code.
//
// Without keys, a token is neither valid nor invalid, so the response is 503 and
// not 401. While the issuer is down, anybody can cause it with tokens that name
// unknown keys: do not let a 503 remove this service from a load balancer.
//
// # Sender-constrained tokens
//
// A token that is bound to a key of its client (cnf) is of no use to a thief. Package
// verifier/dpop confirms such tokens by DPoP (RFC 9449), and package verifier/mtls by
// mutual TLS (RFC 8705); [Settings.Bindings] takes both. Without them, bound tokens are
// refused. The rule [Bound] refuses tokens that are not bound. See
// docs/sender-constrained.md.
//
// # Revoked tokens
//
// A token is valid until it expires, unless [Settings.Revocation] reports that it was
// revoked. Package verifier/revocation has a list of tokens, users and clients for that,
// package verifier/ssf adds what an identity provider reports, and module
// adapters/redisstore shares the list between replicas. See docs/revocation.md.
//
// # Protected resource metadata
//
// A client that knows nothing but an address, such as one of the Model Context Protocol,
// finds the authorization server through the API (RFC 9728): the challenge of a request
// without a token names a document, and that names the issuers. [Settings.Resources]
// has what is in it, and the adapters' HandleMetadata serves it:
//
//	v, err := verifier.Settings{
//		Resources: []verifier.Resource{{URL: "https://api.example.com/mcp"}},
//	}.New(cfg)
//	httpauth.HandleMetadata(mux, v)
//
// # Long responses
//
// A token is checked when a request begins. [UntilExpiry] ends a stream of events or a
// WebSocket when the token expires. A token that is revoked or whose key is withdrawn
// meanwhile is noticed only at the next request.
//
// # Explanations
//
// [Verifier.Explain] runs all checks of one token, also those after the one that refuses,
// and names the likely mistake. It is for tools and tests, not for responses, since it
// would help a forger. The command jwtguard explain does the same at a terminal, and
// docs/explain.md lists the mistakes.
//
// # Remembered tokens
//
// A verified token is remembered, so that the next request with it needs no
// signature check: by default 4,096 tokens within 16 MiB ([Settings.TokenCache]),
// each for at most an hour. A remembered token is still refused once it has
// expired, once its key is withdrawn or the keys are too old, and when a rule
// refuses it. Only tokens that passed every check are remembered, so that nobody
// else can displace them. [Verifier.Stats] counts hits and misses.
//
// # Several issuers
//
// [New] accepts several Configs, one for each issuer. Each has its own keys,
// audiences and rules; a kid or an audience of one means nothing for another.
// [Settings] are those of the API as a whole. Issuers that are not known when the
// program starts, such as one for each customer, come from [Settings.Tenants]. Package
// verifier/providers has the Config of many issuers in one line.
//
// # Observers
//
// [Settings.Observe] receives each [Decision] once: outcome, reason, caller, route and
// durations. Metrics count Outcome, [ReasonName], Issuer and Route, whose values are those
// of the program's own configuration; with [Settings.Tenants], count the issuers of all
// tenants as one. An audit log also writes Caller: who (ClientID, Subject) was admitted to
// which route (Method, Route), with which token (ID, its jti). A subject may be personal
// data, such as a user's name or address; keep such a log accordingly, and Caller out of
// metrics. Require and handlers make further decisions about an admitted request, with
// Inner set: a refusal among them is why an admitted request had no effect. The adapters
// have an example of such a log.
//
// The function is called before the handler, and the request waits for it. If it writes
// to something slow, let it hand the Decision to a buffer, and count what does not fit.
//
// [Settings.ObserveKeys] receives what happens to the key caches. The logger of
// [Settings] is for operators and limits its lines; it is no audit log.
//
// # Probes
//
// [Verifier.HealthHandler] is for readiness probes and [Verifier.ReadyHandler] for
// startup probes. Liveness probes should ask neither.
//
// # Other credentials
//
// A [Guard] admits or refuses a request. Adapters accept any Guard, so one of your
// own can check API keys, and [FirstOf] accepts either kind of credential.
//
// # Other keys
//
// [KeySource] is one method. jwkscache.ForURL, jwkscache.ForFile, jwkscache.Static and
// types of your own can be used as [Config.Keys].
package verifier
