package redisstore

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

const (
	// maxDocument is the longest document that is read, in bytes.
	maxDocument = 2 << 20

	// keepDocuments is how long a document is kept that nobody replaces. It is longer
	// than a key set is ever used.
	keepDocuments = 48 * time.Hour

	storeTimeout = time.Second
)

// A StoreConfig says where key sets are kept. The zero value is a good one.
type StoreConfig struct {
	// Prefix is the beginning of every key. Empty means "jwtguard:". All replicas have
	// the same.
	Prefix string
}

// NewStore returns a store of key sets for jwkscache.Config.Store, which replicas share.
// It does not connect. Each call waits for Redis for one second at most. It panics if
// client is nil, or was made without ContextTimeoutEnabled.
//
// Whoever can write to Redis could replace the keys, so jwkscache.Config.StoreSecrets is
// needed with it.
func NewStore(client redis.UniversalClient, cfg StoreConfig) jwkscache.Store {
	if err := checkClient(client); err != nil {
		panic("redisstore: NewStore: " + err.Error())
	}
	return &store{client: client, prefix: prefix(cfg.Prefix)}
}

type store struct {
	client redis.UniversalClient
	prefix string
}

// Load implements jwkscache.Store. A longer value than any document is not read.
func (s *store) Load(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	document, err := s.client.GetRange(ctx, s.prefix+"keys:"+name, 0, maxDocument).Bytes()
	switch {
	case err != nil:
		return nil, fmt.Errorf("redisstore: loading keys: %w", err)
	case len(document) > maxDocument:
		return nil, fmt.Errorf("redisstore: loading keys: the document has more than %d bytes", maxDocument)
	case len(document) == 0:
		return nil, nil
	}
	return document, nil
}

// Save implements jwkscache.Store.
func (s *store) Save(ctx context.Context, name string, document []byte) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if len(document) > maxDocument {
		return fmt.Errorf("redisstore: saving keys: the document has more than %d bytes", maxDocument)
	}
	if err := s.client.Set(ctx, s.prefix+"keys:"+name, document, keepDocuments).Err(); err != nil {
		return fmt.Errorf("redisstore: saving keys: %w", err)
	}
	return nil
}

// Lease implements jwkscache.Store.
func (s *store) Lease(ctx context.Context, name string, d time.Duration) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	first, err := setNew(ctx, s.client, s.prefix+"lease:"+name, d)
	if err != nil {
		return false, fmt.Errorf("redisstore: taking a lease: %w", err)
	}
	return first, nil
}
