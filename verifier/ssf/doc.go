// Package ssf receives security events that an identity provider pushes, and revokes the
// access tokens that they are about: a user's session was ended, an account disabled, a
// password changed.
//
// The provider is a transmitter of the OpenID Shared Signals Framework 1.0 (SSF). It sends
// each event as a security event token (SET, RFC 8417), by POST (RFC 8935). A [Receiver] is
// the handler for that address:
//
//	list, err := revocation.New(revocation.Config{MaxLifetime: time.Hour})
//	if err != nil {
//		return err
//	}
//	events, err := ssf.New(ssf.Config{
//		Transmitters: []ssf.Transmitter{{
//			Issuer:    "https://idp.example.com",
//			Audiences: []string{"https://api.example.com/events"},
//		}},
//		Authorization: []string{"Bearer " + os.Getenv("SSF_SECRET")},
//		Revoke:        list.Revoke,
//	})
//	if err != nil {
//		return err
//	}
//	defer events.Close()
//	mux.Handle("/events", events)
//	v, err := verifier.Settings{Revocation: list}.New(cfg) // cfg.MaxLifetime is one hour
//
// Streams are created elsewhere: in the provider's console or with its API, with the address
// of the handler, the audience, and the value of Config.Authorization. The address must be
// reachable by the transmitter, by https.
//
// # What is checked
//
// The sender is authenticated first: before that, nothing is read, and no signature or key is
// looked at. The body is one compact JWS of at most 64 KiB, whose typ is secevent+jwt, with
// one of the algorithms that are allowed. It has the iss of a transmitter, the aud of this
// receiver, jti, iat and events; it has neither exp, nbf nor sub, so that no access token
// passes (SSF 1.0 §4.1). One of the transmitter's keys verifies the signature; these are
// refreshed and rotated as those of access tokens are.
//
// # What is revoked
//
// The events of Config.Events revoke the tokens of their subject that were issued before the
// event: before its event_timestamp (CAEP 1.0 §2), else the toe of the SET, else its iat, and
// never later than the iat. When the SET arrives is irrelevant, so that one that is pushed again
// changes nothing. One whose iat is more than 5 minutes in the future gets 503 until then.
//
// The subject is sub_id (RFC 9493, SSF 1.0 §3), or subject in the event where there is no
// sub_id. It must be one that the claims of an access token can be compared with:
//
//	iss_sub          sub                       iss is the transmitter or its SubjectIssuer
//	opaque           sub                       of the transmitter's SubjectIssuer
//	jwt_id           jti                       iss as above
//	aliases          as these                  one that is supported suffices
//	complex          user, application or both as iss_sub, opaque or aliases of these:
//	                                           sub and client id must match
//
// Everything else is accepted, counted as [Unsupported] or [OtherIssuer], logged, and has no
// effect: other formats, such as email; complex subjects with other members, such as session
// or device, unless Transmitter.IgnoredMembers has them; identifiers with members that their
// format does not have; an issuer that is not the transmitter's. An event never revokes more
// than it says.
//
// # Failure
//
// A response of 202 means that the entries are in the list. If the list is full or its store
// is away, if there are no keys, or if too many pushes are processed, the response is 503:
// nothing was lost, and the transmitter has to push again, as transmitters do.
//
// [Receiver.Health] reports missing keys, and a transmitter that has said that it pauses or
// disables its stream. It cannot report a transmitter that just sends nothing: SSF has
// verification events for that, which the transmitter sends when asked; [Stats] has their
// number, and when the last SET was accepted.
//
// docs/revocation.md has the limits, and what is known of providers.
package ssf
