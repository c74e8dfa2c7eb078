// Package redisstore shares state between the replicas of an API in Redis 7.0 or later, or
// in Valkey: the keys of issuers, so that one replica fetches for all and a new one starts
// while the issuer is down; the DPoP proofs that were used; and which tokens were revoked.
//
//	client := redis.NewUniversalClient(&redis.UniversalOptions{
//		Addrs:                 []string{"redis:6379"},
//		ContextTimeoutEnabled: true, // required
//	})
//
// The client may be one of a single server, of Sentinel or of a Cluster. The program closes
// it: nothing here does. Different programs, and different environments, that use one Redis
// need different prefixes. Below, Redis is away while it cannot be reached or does not
// respond in time.
//
// # Keys of issuers
//
//	cfg.JWKS.Store = redisstore.NewStore(client, redisstore.StoreConfig{})
//	cfg.JWKS.StoreSecrets = [][]byte{secret} // 32 random bytes or more, the same in all replicas
//	v, err := verifier.New(cfg)
//
// One Store serves all issuers of a program. A document is kept for 48 hours after it was
// last saved. If Redis is away, each replica fetches for itself, as it does without a Store.
//
// # Used proofs
//
//	replays, err := redisstore.NewReplays(client, redisstore.ReplayConfig{})
//	proofs, err := dpop.New(dpop.Config{
//		Origins: []string{"https://api.example.com"},
//		Replays: replays,
//	})
//	v, err := verifier.Settings{Bindings: []verifier.Binding{proofs}}.New(cfg)
//
// A proof then admits one request among all replicas. If Redis is away, or slow,
// requests with a proof get 503, or a Fallback in each replica decides: see [ReplayConfig]
// for what it can miss. The Fallback decides without a line in the log: watch
// [Replays.Health] and [Replays.Fallbacks]. Tokens that are not bound to a key are not
// affected.
//
// # Revoked tokens
//
//	list, err := revocation.New(revocation.Config{MaxLifetime: time.Hour})
//	revocations, err := redisstore.NewRevocations(client, list, redisstore.RevocationConfig{})
//	defer revocations.Close()
//	cfg.MaxLifetime = time.Hour
//	v, err := verifier.Settings{Revocation: revocations}.New(cfg)
//	err = revocations.Ready(ctx) // before the first request
//
//	err = revocations.Revoke(ctx, revocation.Entry{Issuer: issuer, TokenID: id})
//
// Each replica has the whole list in memory, so that no request waits for Redis. What one
// revokes the others know within milliseconds, while all of them reach Redis. If one does
// not, it goes on with the list that it has, or refuses every token from an age of the list
// on: see [RevocationConfig]. The age is in its Stats. docs/revocation.md says, fault by
// fault, what happens.
//
// Entries are sent in messages of a stream, and are also kept in a hash, which a replica
// reads when it starts. Each message names the one before it. So a replica notices a gap:
// the stream was trimmed, or Redis has restarted or failed over and has lost messages. It
// then reads the hash, and publishes those of its own entries that are missing there. Once
// a minute, each replica compares the number of entries.
//
// If Redis has lost everything, the replicas put their entries back within seconds. A
// replica that starts before that has an incomplete list for that time.
//
// # Redis
//
// Set maxmemory-policy to noeviction: a record that is evicted lets a proof be used again,
// and an entry that is evicted is unknown to a replica that starts.
// With replication, writes that were confirmed can be lost in a failover: entries of the
// revocation list are then published again, the records of used proofs are not.
//
// Keep what is in Redis from strangers, by TLS, a password and an ACL. Whoever can write
// to it can make replicas refuse tokens; by deleting records, accept a proof twice; and, by
// deleting entries, accept revoked tokens in replicas that start later. They cannot make
// keys trusted, because those are authenticated by StoreSecrets, nor remove an entry from
// a list that has it. Values are read whole, except documents, so whoever can write can also
// make the replicas read as much as Redis accepts in one value (proto-max-bulk-len).
//
// The permissions of an ACL, with the default prefix:
//
//	~jwtguard:* ~{jwtguard:*
//	+set +getrange +get +del +info
//	+evalsha +eval +time +xread +xadd +xrevrange +hget +hset +hdel +hscan +zadd +zrem +zcount +zrangebyscore
//
// The commands of the connection itself are in the category @connection.
//
// # Load
//
// A replica reads the document of each issuer every 8 to 10 seconds. A proof is one write,
// and takes about 150 bytes for two minutes. For the list, each replica keeps one connection
// busy, and sends two commands a second, or more while tokens are revoked. Redis keeps about
// 500 bytes for each entry, and each replica reads each entry once, at about 150 bytes.
// docs/scale.md calculates with that for 10 to 100,000 replicas.
//
// # Logs
//
// What begins or ends is logged to Config.Logger: that of [RevocationConfig], and of
// jwkscache.Config. Besides, go-redis logs each failed connection, several lines a second
// while Redis is away, to the standard error, unless redis.SetLogger gives it another logger
// or logging.Disable of its package logging none.
package redisstore
