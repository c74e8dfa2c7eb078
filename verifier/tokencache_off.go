//go:build jwtguard_notokencache

package verifier

// For this repository's tests, which have to pass without the cache as well.
const defaultTokenCache = -1
