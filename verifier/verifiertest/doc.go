// Package verifiertest helps to test APIs that a verifier protects. Its [Issuer] makes
// any token, rotates its keys, fails and hangs; [NewToken] makes tokens for tests of a
// handler alone.
//
//	iss := verifiertest.NewIssuer(t)
//	v := iss.Verifier("https://api.example.com")
//	raw := iss.Token(verifiertest.Claims{"client_id": "billing", "scope": "orders:read"})
//
// Send raw as Authorization: Bearer to a handler behind httpauth.Protect(v). To test
// with your production configuration, pass it to [Issuer.StandIn].
//
// # Time
//
// In a testing/synctest bubble, [NewIssuer] opens no socket: a verifier made with
// [Issuer.Config], [Issuer.StandIn] or [Issuer.Verifier] calls it in memory, and tokens
// expire by the bubble's clock. Several issuers in one bubble have different
// identifiers and keys. Make the issuer inside the bubble, and close a verifier that
// you made with verifier.New before the bubble ends; [Issuer.Verifier] does that itself.
package verifiertest
