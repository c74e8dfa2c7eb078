package jwkscache

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// Config tunes a [Cache]. The zero value is a good one.
type Config struct {
	// HTTPClient fetches metadata and keys. It is used as given, except that a
	// redirect is followed only to an address that could have been configured, and
	// never from https to http (unless AllowHTTP is set). Its Timeout bounds each
	// request, body included; zero means 30 seconds. Nil means a client of the
	// cache's own: 10 seconds, TLS 1.2 or later, proxies from the environment, no
	// redirects, no cookies, no connection kept open.
	HTTPClient *http.Client

	// MetadataURL is where the issuer's metadata is, if not at the well-known
	// places of the issuer: for example Keycloak's address within the cluster, or
	// that of an Azure AD B2C policy. The issuer in the metadata must still equal
	// the configured one. With MetadataURL, the issuer need not be a URL.
	MetadataURL string

	// AllowHTTP permits plain http to hosts other than loopback. Whoever can
	// change that traffic can sign tokens: use it in trusted networks only.
	AllowHTTP bool

	// SameOriginRedirects lets the cache's own client follow up to three
	// redirects that keep scheme, host and port. It does not affect HTTPClient.
	SameOriginRedirects bool

	// AllowSmallExponents accepts RSA keys with an odd exponent from 3 on. By
	// default the exponent must be 65537 or more.
	AllowSmallExponents bool

	// Uses are the values of a JWK's use, besides sig, of keys that verify tokens.
	// SPIFFE bundles have jwt-svid.
	Uses []string

	// Refresh is the period between refreshes, at most MaxStale. Zero means the
	// period that the server's Cache-Control gives, between 5 minutes and 1 hour.
	// A refresh starts after 72 to 88 % of the period.
	Refresh time.Duration

	// Cooldown is the time after which one more fetch is allowed, once five were
	// used. Zero means 5 seconds. A response with status 429 or Retry-After
	// doubles it, up to 30 seconds; each good fetch halves it again.
	Cooldown time.Duration

	// MaxStale is how long keys serve after the server made the last good
	// response, by the larger of wall and monotonic time. Zero means 24 hours.
	MaxStale time.Duration

	// Store keeps the key set for other processes and for the next start; see
	// "Key sets that are shared" in the package documentation. Several caches, of
	// several issuers, may have the same Store. [Directory] is one. ForFile has none.
	Store Store

	// StoreSecrets authenticate what is in the Store (HMAC-SHA-256), since whoever
	// can write keys can sign tokens. The first one signs, and all of them verify.
	// To replace a secret, append the new one everywhere first, then move it to
	// the front. Each has at least 32 bytes, the same for all processes that share
	// the Store. A Directory needs none.
	StoreSecrets [][]byte

	// UnauthenticatedStore permits a Store without StoreSecrets. Whoever can write
	// to it can sign tokens.
	UnauthenticatedStore bool

	// Logger receives changes: fetching fails or works again, keys are skipped.
	// Nil means slog.Default().
	Logger *slog.Logger

	// Observe is called with each [Event], one at a time and in their order, by the
	// goroutine that fetches: until it returns, nothing is fetched. It may call
	// Stats and Health, but not Refresh and Close, which wait for that goroutine. If
	// it panics, that is logged and has no other effect.
	Observe func(Event)
}

func (c Config) withDefaults() (Config, error) {
	for _, d := range []struct {
		name string
		time.Duration
	}{{"Refresh", c.Refresh}, {"Cooldown", c.Cooldown}, {"MaxStale", c.MaxStale}} {
		if d.Duration != 0 && d.Duration < time.Millisecond {
			return c, fmt.Errorf("jwkscache: %s is %d ns: negative, or without its unit", d.name, d.Duration)
		}
	}
	if c.Cooldown == 0 {
		c.Cooldown = 5 * time.Second
	}
	if c.MaxStale == 0 {
		c.MaxStale = 24 * time.Hour
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if slices.Contains(c.Uses, "") || slices.Contains(c.Uses, "enc") {
		return c, errors.New("jwkscache: Uses has an empty string, or enc, which is for encryption (RFC 7517 §4.2)")
	}
	c.Uses = slices.Clone(c.Uses)
	if err := c.checkStore(); err != nil {
		return c, err
	}
	c.StoreSecrets = cloneSecrets(c.StoreSecrets)
	return c, nil
}
