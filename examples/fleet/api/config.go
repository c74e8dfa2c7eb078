package main

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// A config is what differs between installations. Every replica has the same.
type config struct {
	issuer       string         // ISSUER: the authorization server's issuer, exactly as in its metadata
	audience     string         // AUDIENCE: the aud of tokens for this API
	origin       string         // ORIGIN: scheme and host of this API, as its clients know them
	maxLifetime  time.Duration  // MAX_LIFETIME: the longest that a token may live; 1h if not set
	redis        *redis.Options // REDIS_URL: redis://, or rediss:// for TLS, with the password
	storeSecrets [][]byte       // STORE_SECRETS: in base64, separated by commas; the first authenticates what is stored
	addr         string         // ADDR: where clients get in; 127.0.0.1:8080 if not set
	internalAddr string         // INTERNAL_ADDR: probes and status page, not for clients; 127.0.0.1:8081 if not set
	host         string         // the name of this machine; in Kubernetes, that of the pod
}

// readConfig reads it from the environment. The verifier refuses what is empty.
func readConfig() (config, error) {
	c := config{
		issuer:       os.Getenv("ISSUER"),
		audience:     os.Getenv("AUDIENCE"),
		origin:       os.Getenv("ORIGIN"),
		addr:         cmp.Or(os.Getenv("ADDR"), "127.0.0.1:8080"),
		internalAddr: cmp.Or(os.Getenv("INTERNAL_ADDR"), "127.0.0.1:8081"),
	}
	var errs []error
	var err error
	if c.host, err = os.Hostname(); err != nil {
		errs = append(errs, err)
	}
	if c.maxLifetime, err = time.ParseDuration(cmp.Or(os.Getenv("MAX_LIFETIME"), "1h")); err != nil {
		errs = append(errs, fmt.Errorf("MAX_LIFETIME: %w", err))
	}
	if c.redis, err = redis.ParseURL(os.Getenv("REDIS_URL")); err != nil {
		errs = append(errs, errors.New("REDIS_URL is not the address of a Redis")) // err may have the password
	} else {
		c.redis.ContextTimeoutEnabled = true // so that no request waits for Redis for long
	}
	for i, text := range strings.Split(os.Getenv("STORE_SECRETS"), ",") {
		secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil || len(secret) < 32 {
			errs = append(errs, fmt.Errorf("STORE_SECRETS: number %d is not at least 32 bytes in base64", i+1))
		}
		c.storeSecrets = append(c.storeSecrets, secret)
	}
	return c, errors.Join(errs...)
}
