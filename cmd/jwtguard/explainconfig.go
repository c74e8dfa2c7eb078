package main

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// An explainConfig is the Config that explain checks a token with.
type explainConfig struct {
	cfg       verifier.Config
	fromToken []string  // what was not configured: issuer, audience
	err       error     // why no keys can be fetched for this issuer
	keys      io.Closer // to close, or nil
}

func (c *explainConfig) close() {
	if c.keys != nil {
		_ = c.keys.Close()
	}
}

// configure makes the Config. The token's own issuer and audience take the place of
// those that are missing, but an address that only the token names is never asked:
// whoever made the token could choose it.
func (o *explainOptions) configure(ctx context.Context, raw string) (*explainConfig, error) {
	c := &explainConfig{}
	if o.provider != "" {
		var err error
		if c.cfg, err = fromFlag(o.provider, o.audiences); err != nil {
			return nil, misuse("%s", err)
		}
	} else {
		c.cfg.Issuer, c.cfg.Audiences = o.issuer, o.audiences
	}
	claims := unverifiedClaims(raw)
	offline := c.cfg.Issuer == ""
	if offline {
		c.fromToken = append(c.fromToken, "issuer")
		if c.cfg.Issuer = claims.Issuer; c.cfg.Issuer == "" {
			c.cfg.Issuer = "https://issuer.invalid" // New demands one
		}
	}
	if len(c.cfg.Audiences) == 0 && !c.cfg.AnyAudience {
		c.fromToken = append(c.fromToken, "audience")
		if c.cfg.Audiences = claims.audiences(); c.cfg.Audiences == nil {
			c.cfg.Audiences = []string{exampleAudience}
		}
	}
	o.demand(&c.cfg)
	return c, o.chooseKeys(ctx, c, offline)
}

// demand sets what flags demand beside issuer, audience and keys.
func (o *explainOptions) demand(cfg *verifier.Config) {
	if len(o.algorithms) > 0 {
		cfg.Algorithms = o.algorithms
	}
	if len(o.types) > 0 {
		cfg.Types = slices.Clone(o.types)
		if at := slices.Index(cfg.Types, "none"); at >= 0 {
			cfg.Types[at] = ""
		}
	}
	cfg.RFC9068 = cfg.RFC9068 || o.rfc9068
	if o.leeway != 0 {
		cfg.Leeway = o.leeway
	}
	if o.maxLifetime != 0 {
		cfg.MaxLifetime = o.maxLifetime
	}
	if o.metadataURL != "" {
		cfg.JWKS.MetadataURL = o.metadataURL
	}
	cfg.JWKS.AllowHTTP = o.allowHTTP
}

// chooseKeys sets the source of the keys. With offline it fetches none.
func (o *explainOptions) chooseKeys(ctx context.Context, c *explainConfig, offline bool) error {
	if o.jwks != "" {
		keys, err := readKeys(ctx, o.jwks)
		if err != nil {
			return fail(exitUsage, "%s", printable(err.Error()))
		}
		c.cfg.Keys, c.cfg.JWKS = keys, jwkscache.Config{}
		c.keys, _ = keys.(io.Closer)
		return nil
	}
	if offline {
		c.cfg.Keys, c.cfg.JWKS = noKeys{errors.New("the issuer is not configured, so its keys are not fetched; give --issuer, --provider or --jwks")}, jwkscache.Config{}
		return nil
	}
	keys, err := openCache(ctx, c.cfg.JWKS, func(cfg jwkscache.Config) (*jwkscache.Cache, error) {
		return jwkscache.ForIssuer(c.cfg.Issuer, cfg)
	})
	if c.cfg.JWKS = (jwkscache.Config{}); err != nil {
		// An issuer that cannot be one, such as the address of the keys, is explained, too.
		c.err, c.cfg.Keys = err, noKeys{err}
		return nil
	}
	c.cfg.Keys, c.keys = keys, keys
	return nil
}

// A noKeys is a KeySource that has none, and says why.
type noKeys struct{ why error }

func (k noKeys) Lookup(context.Context, jwkscache.Query) ([]crypto.PublicKey, error) {
	return nil, fmt.Errorf("%w: %w", jwkscache.ErrUnavailable, k.why)
}

// An unusableKeys is a JWK Set in which no key can be used: Stats says why.
type unusableKeys struct{ *jwkscache.Cache }

func (unusableKeys) Lookup(context.Context, jwkscache.Query) ([]crypto.PublicKey, error) {
	return nil, nil
}

func (k unusableKeys) Stats() jwkscache.Stats {
	stats := k.Cache.Stats()
	stats.Keys = 0 // without anotherKey
	return stats
}

// readKeys reads a file with a JWK Set, or what jwkscache.ForFile reads.
func readKeys(ctx context.Context, file string) (verifier.KeySource, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	doc, err := readBody(f)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(doc, []byte("\ufeff"))), []byte("{")) {
		keys, err := openCache(ctx, jwkscache.Config{}, func(cfg jwkscache.Config) (*jwkscache.Cache, error) {
			return jwkscache.ForFile(file, cfg)
		})
		if err != nil {
			return nil, err
		}
		if keys.Health() != nil {
			return nil, errors.Join(keys.Stats().LastError, keys.Close())
		}
		return keys, nil
	}
	keys, err := jwkscache.Static(doc)
	if err == nil {
		return keys, nil
	}
	all := readMetadata(doc).Keys
	if all == nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	with, errWith := json.Marshal(map[string][]jsontext.Value{"keys": append(slices.Clip(all), jsontext.Value(anotherKey))})
	if errWith == nil {
		if keys, errWith = jwkscache.Static(with); errWith == nil {
			return unusableKeys{keys}, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", file, err)
}

// unverified are claims of a token that nothing vouches for.
type unverified struct {
	Issuer   string         `json:"iss"`
	Audience jsontext.Value `json:"aud"`
}

var jwtShape = regexp.MustCompile(`[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.`)

// unverifiedClaims reads what it can of the claims of raw.
func unverifiedClaims(raw string) (c unverified) {
	found := jwtShape.FindStringSubmatch(raw)
	if found == nil {
		return c
	}
	doc, err := base64.RawURLEncoding.DecodeString(found[1])
	if err != nil {
		return c
	}
	_ = json.Unmarshal(doc, &c, lenient)
	return c
}

// audiences returns the values of aud, nil if it is not what New takes.
func (c *unverified) audiences() []string {
	var one string
	if json.Unmarshal(c.Audience, &one) == nil && one != "" {
		return []string{one}
	}
	var all []string
	if json.Unmarshal(c.Audience, &all) == nil && len(all) > 0 && !slices.Contains(all, "") {
		return all
	}
	return nil
}
