// Package redis runs adapters/redisstore against real Redis servers, which the tests start
// on loopback addresses: one, a pair with a replica behind a switch, a Cluster of one node,
// a pair with Sentinel. They are killed, restarted with and without their data, stopped for
// seconds, filled, flushed, failed over and filled with rubbish.
//
// redis-server must be in PATH; on Debian and Ubuntu, .ci/redis make e2e gets it.
package redis
