package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
)

// token returns a token of s that GET /orders admits, if instead does not replace one of
// its claims. A nil claim is left out.
func token(s *authserver.Server, instead map[string]any) (string, error) {
	claims := s.Claims("billing", audience)
	claims["scope"] = "orders:read"
	maps.Copy(claims, instead)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return s.Token(claims)
}

var client = &http.Client{Timeout: 10 * time.Second}

// call sends a request to the API, without a token if raw is empty.
func (w *world) call(ctx context.Context, method, path, raw string) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, method, w.apiURL+path, nil)
	if err != nil {
		return 0, err
	}
	if raw != "" {
		r.Header.Set("Authorization", "Bearer "+raw)
	}
	res, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// A caller sends requests to the API of w.
type caller struct {
	w      *world
	tokens []string // of clients that keep their token while it is valid
}

// renew gives all clients new tokens, as after a rotation.
func (c *caller) renew() error {
	c.tokens = nil
	for _, s := range []*authserver.Server{c.w.login, c.w.login, c.w.login, c.w.partner} {
		raw, err := token(s, nil)
		if err != nil {
			return err
		}
		c.tokens = append(c.tokens, raw)
	}
	return nil
}

// usual is one request of the usual mix.
func (c *caller) usual(ctx context.Context) error {
	var raw string
	var err error
	method, path := http.MethodGet, "/orders"
	switch n := mathrand.IntN(100); {
	case n < 4: // a client that has just got a token
		raw, err = token(c.w.login, nil)
	case n < 7: // one that waited too long
		raw, err = token(c.w.login, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()})
	case n < 9: // one that was not granted the scope
		raw, err = token(c.w.partner, map[string]any{"scope": "orders:count"})
	case n < 10: // one that calls the wrong API
		raw, err = token(c.w.partner, map[string]any{"aud": "https://other.example.test"})
	case n < 20: // one that reads what everybody may read
		path = "/catalogue"
	case n < 22: // one that forgot its token
	default:
		raw = c.tokens[mathrand.IntN(len(c.tokens))]
	}
	if err == nil {
		_, err = c.w.call(ctx, method, path, raw)
	}
	return err
}

// junk is one request of somebody who guesses: each time with another key id, issuer,
// algorithm, path or method.
func (c *caller) junk(ctx context.Context) error {
	marker := "junk-" + rand.Text()
	header := map[string]any{"alg": "ES256", "typ": "at+jwt", "kid": marker}
	claims := c.w.login.Claims(marker, audience)
	method, path := http.MethodGet, "/orders"
	switch mathrand.IntN(5) {
	case 0: // a key that does not exist
	case 1:
		claims["iss"] = "https://" + marker + ".example"
	case 2:
		header["alg"] = marker
	case 3:
		header["kid"], _ = c.w.login.Key() // and a signature that is none
	case 4:
		method, path = marker, "/catalogue/"+marker
	}
	raw, err := unsigned(header, claims)
	if err == nil {
		_, err = c.w.call(ctx, method, path, raw)
	}
	return err
}

// unsigned returns a token whose signature is of zeros.
func unsigned(header, claims map[string]any) (string, error) {
	h, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	p, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode(h) + "." + encode(p) + "." + encode(make([]byte, 64)), nil
}

// send calls request at intervals, until the time is over or ctx is done.
func send(ctx context.Context, every, during time.Duration, request func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, during)
	defer cancel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := request(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("traffic: %w", err)
		}
	}
}
