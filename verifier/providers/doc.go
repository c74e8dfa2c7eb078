// Package providers has a [verifier.Config] for well-known issuers: those that
// give access tokens to machines, and those that workloads get an identity from.
//
//	v, err := verifier.New(
//		providers.Auth0("tenant.eu.auth0.com", "https://api.example.com"),
//		providers.GitHubActions("https://api.example.com", providers.RepositoryOwnerID("1234")),
//	)
//
// Each function knows how its provider spells the issuer, where the client id,
// the scopes and the roles stand, and how a machine is told from a user. It
// returns a complete set-up: no user passes it, and every field can still be
// changed. What keeps users and strangers out is demanded by [verifier.Config.With],
// so assigning Rules or Claims does not remove it.
//
// The functions do no network I/O and never panic. A wrong argument is an error
// of verifier.New that says what was expected.
//
// docs/providers has a page for each provider, with what to set there, a sample
// token, the traps and the sources. An API that users call as well needs a Config
// of its own; those pages have what to put into it.
package providers
