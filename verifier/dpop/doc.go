// Package dpop confirms access tokens that are bound to a key of their client by DPoP
// (RFC 9449). Whoever steals such a token cannot use it, because each request also has a
// proof: a JWT that names the method and address of the request and the hash of the token,
// signed with the client's key.
//
//	proofs, err := dpop.New(dpop.Config{Origins: []string{"https://api.example.com"}})
//	if err != nil {
//		return err
//	}
//	v, err := verifier.Settings{Bindings: []verifier.Binding{proofs}}.New(cfg)
//
// Routes, rules and handlers stay as they are. The rule verifier.Bound refuses tokens
// that are not bound, on a route or, in Config.Rules, from an issuer. Without it, both
// kinds are accepted, for the time in which clients change over; a bound token without
// its proof is never accepted.
//
// # What is checked
//
// The access token is verified first, unless it is remembered; then the proof is checked
// as in RFC 9449 §4.3.
// There is exactly one DPoP field, with one compact JWS of at most 8 KiB whose typ is
// dpop+jwt. Its alg is asymmetric and allowed. Its jwk is a public key without any
// private member, in the only encoding that RFC 7518 allows. It has jti, htm, htu and
// iat of the right types. Method and address are those of the request, ath is the hash
// of the token, the key is the one that the token is bound to, and the proof is not older
// than Config.Window. Then its signature is verified, revocation and rules are checked,
// and last of all it is recorded as used, so that a request that is refused for another
// reason does not use it up. A request that passes several Guards, or an either-or of
// verifier.FirstOf, uses its proof once.
//
// htu is compared without query and fragment, after normalization (RFC 3986 §6.2.2,
// §6.2.3). The path is that of the request line, whatever http.StripPrefix did.
//
// # Replays
//
// A proof admits one request. [NewMemory] records the proofs of one process. Replicas
// either share a [ReplayStore], such as that of module adapters/redisstore, or each accepts
// a proof once. If there is no room to remember a proof, the response is 503. A load
// balancer that repeats requests repeats their proofs, and the second is refused: let it
// repeat only what was not sent.
//
// # Responses
//
// A bad proof gets 401 invalid_dpop_proof, a token that is bound to another key 401
// invalid_token, and a proof without a nonce, where Config.NonceSecrets demands one, 401
// use_dpop_nonce with the nonce in DPoP-Nonce. Challenges name both schemes, Bearer and
// DPoP, or only DPoP where the rule Bound requires it.
//
// For clients in browsers, middleware for CORS must allow the request field DPoP beside
// Authorization, and expose DPoP-Nonce and WWW-Authenticate.
//
// docs/sender-constrained.md has when to use this and when mutual TLS, and how to configure
// proxies and authorization servers.
package dpop
