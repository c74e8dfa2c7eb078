package redisstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const defaultPrefix = "jwtguard:"

// prefix returns the beginning of every key.
func prefix(configured string) string {
	if configured == "" {
		return defaultPrefix
	}
	return configured
}

var (
	errNoClient   = errors.New("the client is nil")
	errNoTimeouts = errors.New("the client must be made with ContextTimeoutEnabled: without it a command can take longer than the context allows")
	errReplicas   = errors.New("the client reads from replicas, which can be behind: ReadOnly, RouteByLatency and RouteRandomly must be false")
)

// checkClient returns why a client cannot be used. The options of a client of another type are
// not known.
func checkClient(client redis.UniversalClient) error {
	limited := true
	switch c := client.(type) {
	case nil:
		return errNoClient
	case *redis.Client:
		if c == nil {
			return errNoClient
		}
		limited = c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		if c == nil {
			return errNoClient
		}
		o := c.Options()
		if o.ReadOnly || o.RouteByLatency || o.RouteRandomly {
			return errReplicas
		}
		limited = o.ContextTimeoutEnabled
	case *redis.Ring:
		if c == nil {
			return errNoClient
		}
		limited = c.Options().ContextTimeoutEnabled
	}
	if !limited {
		return errNoTimeouts
	}
	return nil
}

// explain says what a time-out means here: the text of the context does not.
func explain(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no response of Redis in time: %w", err)
	}
	return err
}

// setNew sets a key for d if it does not exist, and reports whether this call did so. The
// client sends a command again if the reply to it was lost. The value is random, so that the
// second reply shows that it was this call that set the key.
func setNew(ctx context.Context, client redis.UniversalClient, key string, d time.Duration) (bool, error) {
	value := strconv.FormatInt(rand.Int64(), 10) // Redis keeps an integer in 8 bytes
	milliseconds := max((d + time.Millisecond - 1).Milliseconds(), 1)
	old, err := client.Do(ctx, "SET", key, value, "NX", "GET", "PX", milliseconds).Text()
	switch {
	case errors.Is(err, redis.Nil):
		return true, nil
	case err != nil:
		return false, err
	}
	return old == value, nil
}
