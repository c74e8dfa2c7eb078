// Package verifier decides whether an OAuth 2.0 access token is good for this
// API, and tells who is calling.
package verifier
