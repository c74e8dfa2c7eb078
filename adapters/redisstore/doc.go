// Package redisstore shares state between the replicas of an API in Redis 7.0 or later, or
// in Valkey: the keys of issuers, so that one replica fetches for all and a new one starts
// while the issuer is down, and the DPoP proofs that were used.
//
//	client := redis.NewUniversalClient(&redis.UniversalOptions{
//		Addrs:                 []string{"redis:6379"},
//		ContextTimeoutEnabled: true, // required
//	})
//
// The client may be one of a single server, of Sentinel or of a Cluster. It is the
// program's: nothing here closes it. Different programs, and different environments, that
// use one Redis need different prefixes.
//
// # Keys of issuers
//
//	keys, err := jwkscache.New(jwkscache.Config{
//		...
//		Store:        redisstore.NewStore(client, redisstore.StoreConfig{}),
//		StoreSecrets: [][]byte{secret},
//	})
//
// A document is kept for 48 hours after it was last saved. If Redis is away, each replica
// fetches for itself.
//
// # Used proofs
//
//	replays, err := redisstore.NewReplays(client, redisstore.ReplayConfig{})
//	binding, err := dpop.New(dpop.Config{Replays: replays, ...})
//
// A proof then admits one request among all replicas. If Redis is away, requests with a
// proof get 503, or a Fallback in each replica decides: see [ReplayConfig] for what it
// can miss. Tokens that are not bound to a key are not concerned.
//
// # Redis
//
// Set maxmemory-policy to noeviction: a record that is evicted lets a proof be used again.
// Keep what is in Redis from strangers, by TLS, a password and an ACL: whoever can write
// to it can make replicas refuse tokens, and, by deleting records, accept a proof twice.
// They cannot make keys trusted, because those are authenticated by StoreSecrets. A value
// is read whole, except documents: with the right to write comes that of making the
// replicas read as much as Redis accepts in one value (proto-max-bulk-len).
//
// The permissions of an ACL, with the default prefix:
//
//	~jwtguard:* +set +getrange +info|memory
package redisstore
