// Package faults puts a broken network between jwtguard's key cache and the
// authorization server: real sockets, with toxiproxy, as a library in this
// process, in front of the server. The proxy's address is the issuer.
//
// The faults are latency, 1 KB/s, an answer cut at 300 bytes, RST, a black hole
// and a closed port. With each of them
//
//   - good tokens are accepted as ever, and as fast: the p99 is at most twice
//     that of a quiet verifier, as the medians of rounds taken in turn, at the
//     best of five attempts (warm_test.go);
//   - a token with an unknown kid gets its answer within the 5.5 seconds that
//     the cache promises, and a verifier that never had keys says 503 (cold_test.go);
//   - once the network is mended, so is the cache, by itself;
//   - Close leaves no goroutine and no connection behind.
package faults
