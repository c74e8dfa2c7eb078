// Package jose reads the wire format of signed tokens: the compact serialization
// of a JWS (RFC 7515 §7.1), its base64url, its header, and strict JSON objects;
// and it checks signatures with the standard library's crypto.
//
// It has the one table of algorithms, with the keys that each of them uses. It does not
// decide which issuers, keys or claims are trusted: its callers do.
package jose
