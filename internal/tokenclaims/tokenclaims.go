// Package tokenclaims lets the packages of this module read one claim of a
// verified token without decoding all of them, as verifier.ClaimsOf does.
package tokenclaims

// Value returns the claim of that name of token, a *verifier.Token: the string that
// it is, or its JSON text if it is not a string. A claim that is null is absent.
// Package verifier sets it.
var Value func(token any, name string) (text string, found bool)
