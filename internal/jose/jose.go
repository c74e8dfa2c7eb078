// Package jose reads the wire format of signed tokens: the compact serialization
// of a JWS (RFC 7515 §7.1), its base64url, its header, and strict JSON objects;
// and it checks signatures with the standard library's crypto.
//
// It has one table of algorithms, which says which keys each of them takes. It
// makes no decision about trust: which issuer, key or claim is accepted is its
// callers' matter.
package jose
