// Package verifiertest helps to test APIs that a verifier protects: an issuer
// of your own that mints any token, rotates its keys, fails and hangs, and
// tokens for tests of handlers alone.
//
//	iss := verifiertest.NewIssuer(t)
//	v := iss.Verifier("https://api.example.com")
//	raw := iss.Token(verifiertest.Claims{"client_id": "billing", "scope": "orders:read"})
//
// Send raw as Authorization: Bearer to a handler behind httpauth.Protect(v).
//
// # Time
//
// [NewIssuer] notices a testing/synctest bubble and then opens no socket: a
// verifier made with [Issuer.Config] or [Issuer.Verifier] talks to it in
// memory, and the bubble's clock decides what has expired. Several issuers in
// one bubble have identifiers and keys of their own.
package verifiertest
