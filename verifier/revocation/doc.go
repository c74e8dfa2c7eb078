// Package revocation keeps a list of revoked tokens in memory. A token on it is refused
// before it expires, also if it is remembered.
//
//	list, err := revocation.New(revocation.Config{MaxLifetime: time.Hour})
//	if err != nil {
//		return err
//	}
//	cfg.MaxLifetime = time.Hour
//	v, err := verifier.Settings{Revocation: list}.New(cfg)
//
// From the moment that [List.Revoke] returns, this process refuses these tokens with 401
// invalid_token:
//
//	// one token, such as one that was stolen
//	list.Revoke(ctx, revocation.Entry{Issuer: iss, TokenID: tok.ID(), Expires: tok.Expiry()})
//	// those that a user has now: log out everywhere
//	list.Revoke(ctx, revocation.Entry{Issuer: iss, Subject: "alice"})
//	// those that a user had when the password was changed
//	list.Revoke(ctx, revocation.Entry{Issuer: iss, Subject: "alice", IssuedBefore: changed})
//	// those that a client has now, such as one whose secret is known
//	list.Revoke(ctx, revocation.Entry{Issuer: iss, ClientID: "billing"})
//	// those of a user at one client
//	list.Revoke(ctx, revocation.Entry{Issuer: iss, Subject: "alice", ClientID: "app"})
//	// those that an issuer has issued until now
//	list.Revoke(ctx, revocation.Entry{Issuer: iss})
//
// # When to use it
//
// Let tokens live for minutes, and most revocations are not needed: a client that may not
// have another token stops by itself when its token expires. Use a list where a token
// lives for longer than a stolen one may do harm, or where a log-out has to take effect at
// once.
//
// A list alone stops nobody who can get another token. Revoke the refresh token, the
// session or the client's secret at the authorization server first (RFC 7009), then the
// access tokens here.
//
// # Replicas and restarts
//
// A List is that of one process, and is lost when it ends. [List.Entries] returns what to
// keep; give that to Revoke at the next start, before the API serves. An Entry that is
// added twice, or in another order, has the same effect. Replicas share their lists through
// the module adapters/redisstore. Package verifier/ssf adds what an identity provider reports.
//
// # How long an Entry is kept
//
// Until no token that it revokes can be accepted any more, by [Config].MaxLifetime and the
// longest leeway that a verifier.Config may have. That is why each verifier.Config then
// needs a MaxLifetime. There is one exception: a token that lives for longer than
// MaxLifetime is not accepted now, but may be later, if it has no iat or one in the future.
// To revoke it for good, give its exp as Entry.Expires.
//
// An Entry that has ended is dropped by the next call of Revoke, Stats, Health or Entries.
// There is no goroutine, and no Close.
//
// # When the list is full
//
// Revoke returns an error that wraps [ErrFull] and adds nothing: nothing is dropped to
// make room. [List.Health] returns an error from then on, until a call of Revoke
// succeeds with at least that much room, or what was refused would have ended. The List does
// not know whether that call was about the same tokens: whoever gets ErrFull has to try again.
// Set Config.MaxEntries to many times what [List.Stats] usually shows, and watch it.
//
// 100,000 entries, the default limit, take about 18 MB with ids of 36 characters. A string
// may have 2 KiB, so an Entry never takes more than 6 KiB.
//
// # Clocks
//
// A token without iat counts as issued before any time, so a user without iat in the
// tokens is refused for MaxLifetime after a log-out. A token that was issued up to
// Config.ClockSkew (5 seconds) after it is refused, too, since the clock of the issuer may
// be ahead: a client that logs in again that quickly has to get another token, later.
//
// Whatever the clock of this machine is set to, nothing that was revoked is accepted again.
// An Entry is not forgotten before its time has passed by the monotonic clock too. If the
// clock is set back further than the end of an Entry that was forgotten, tokens that
// expired until then get 503, since they may have been revoked, and Health returns an error
// until the clock is past it, or the process is started again.
//
// A wrong clock does matter while IssuedBefore is "now": with one that is behind by more
// than ClockSkew, the tokens of the last minutes are not revoked; with one that is ahead,
// those of the next minutes are. Give the time of the event if you know it, or the TokenID.
package revocation
