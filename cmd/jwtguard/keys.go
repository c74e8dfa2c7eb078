package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// openCache makes a cache, and waits for the end of its first fetch, good or bad.
func openCache(ctx context.Context, cfg jwkscache.Config, open func(jwkscache.Config) (*jwkscache.Cache, error)) (*jwkscache.Cache, error) {
	ended := make(chan struct{}, 1)
	cfg.Logger = slog.New(slog.DiscardHandler)
	cfg.Observe = func(jwkscache.Event) {
		select {
		case ended <- struct{}{}:
		default:
		}
	}
	c, err := open(cfg)
	if err != nil {
		return nil, err
	}
	select {
	case <-ended:
	case <-ctx.Done():
	}
	return c, nil
}

// A keyView is one key of a set, as the library sees it. KeyID, Type, Alg and Use are
// the server's text.
type keyView struct {
	KeyID      string   `json:"kid"`
	Type       string   `json:"kty"`
	Alg        string   `json:"alg,omitempty"`
	Use        string   `json:"use,omitempty"`
	Used       bool     `json:"used"`
	Kind       string   `json:"kind,omitempty"` // and size
	Algorithms []string `json:"algorithms,omitempty"`
	Notes      []string `json:"notes,omitempty"` // why it is not used, or what is unusual
}

var algorithms = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
}

// anotherKey stands beside a key that may be unusable: a set without a usable key is
// an error, one with some has a warning for each of the others.
const anotherKey = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`

const maxKeys = 256 // that are shown, and that a set may have

// viewKeys looks at each key of a JWK Set by itself.
func viewKeys(set []byte) (views []keyView) {
	all := readMetadata(set).Keys
	for _, raw := range all[:min(len(all), maxKeys)] {
		views = append(views, viewKey(raw))
	}
	return views
}

func viewKey(raw jsontext.Value) keyView {
	var text map[string]jsontext.Value
	_ = json.Unmarshal(raw, &text, lenient)
	member := func(name string) (s string) {
		if json.Unmarshal(text[name], &s) != nil {
			return cut(string(text[name]))
		}
		return cut(s)
	}
	v := keyView{KeyID: member("kid"), Type: member("kty"), Alg: member("alg"), Use: member("use")}
	beside, err := jwkscache.Static([]byte(`{"keys":[` + string(raw) + `,` + anotherKey + `]}`))
	if err != nil {
		v.Notes = []string{"it is not a JSON object that can be read"}
		return v
	}
	stats := beside.Stats()
	v.Used = stats.Keys == 2
	for _, w := range stats.KeyWarnings {
		name := fmt.Sprintf("key 0 (kid %.40q)", w.KeyID)
		note := strings.TrimPrefix(strings.TrimPrefix(w.Text, name+": "), name+" is used, though ")
		v.Notes = append(v.Notes, note)
	}
	if !v.Used {
		return v
	}
	alone, err := jwkscache.Static([]byte(`{"keys":[` + string(raw) + `]}`))
	if err != nil {
		return v
	}
	for _, alg := range algorithms {
		keys, err := alone.Lookup(context.Background(), jwkscache.Query{Algorithm: alg})
		if err == nil && len(keys) == 1 {
			v.Algorithms, v.Kind = append(v.Algorithms, alg), kind(keys[0])
		}
	}
	return v
}

func kind(key crypto.PublicKey) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return ""
}

// cut returns the first part of text, as long as is shown.
func cut(text string) string { return text[:min(len(text), maxShown)] }
