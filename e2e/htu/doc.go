// Package htu compares package verifier/dpop with another implementation of the
// equivalence of URIs, written from RFC 3986, on addresses that pgregory.net/rapid makes.
package htu
