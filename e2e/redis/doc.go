// Package redis runs adapters/redisstore against real Redis servers, which the tests start
// on loopback addresses: one, a pair with a replica behind a switch, a Cluster of one node,
// a pair with Sentinel. They are killed, restarted with and without their data, stopped for
// seconds, filled, flushed, failed over and filled with rubbish.
//
// Three replicas that share everything are watched meanwhile, fifty processes share the
// keys of an issuer, and the delay of a revocation is measured, for docs/scale.md.
//
// redis-server must be in PATH; on Debian and Ubuntu, .ci/redis make e2e gets it.
package redis
