// Package revocation keeps a list of revoked tokens in memory, for
// [verifier.Settings].Revocation.
package revocation
