package dpop

import (
	"net/http"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// Normal returns the normal form of an htu, or false if it is none.
func Normal(uri string) (string, bool) {
	t, err := parseTarget(uri)
	if err != nil {
		return "", false
	}
	if t.port != "" {
		t.host += ":" + t.port
	}
	return t.scheme + "://" + t.host + t.path, true
}

// Readable reports whether raw is read as a proof.
func Readable(raw string) bool {
	b, _, err := newBinding(Config{Origins: []string{"https://api.example.com"}})
	if err != nil {
		panic(err)
	}
	p, err := b.read(raw, new(workspace))
	if err != nil {
		return false
	}
	_, err = p.jwk.public(p.algorithm)
	return err == nil
}

// NonceAt returns the nonce that cfg gives at a time.
func NonceAt(cfg Config, at time.Time) string {
	b, _, err := newBinding(cfg)
	if err != nil {
		panic(err)
	}
	return b.nonces.at(at).given
}

// Check checks a proof without its time, and returns the thumbprint of its key.
func Check(raw, method, uri, token string) (string, error) {
	o := uri[:8+strings.IndexByte(uri[8:], '/')]
	b, _, err := newBinding(Config{Origins: []string{o}})
	if err != nil {
		panic(err)
	}
	p, err := b.read(raw, new(workspace))
	if err != nil {
		return "", err
	}
	r := &http.Request{Method: method, RequestURI: uri[len(o):]}
	if err := p.checkTarget(r, &b.origins); err != nil {
		return "", err
	}
	if p.ath != athOf(token) {
		return "", errHash
	}
	key, err := p.jwk.public(p.algorithm)
	if err != nil {
		return "", err
	}
	if !p.algorithm.Verify(key, p.compact.Signed, p.compact.Signature) {
		return "", errSignature
	}
	return p.jwk.thumbprint(), nil
}

// Thumbprint returns that of a JWK.
func Thumbprint(text string) string {
	k, err := readJWK(text)
	if err != nil {
		panic(err)
	}
	return k.thumbprint()
}

// Usable reports whether a JWK can verify with alg.
func Usable(text, alg string) bool {
	k, err := readJWK(text)
	if err != nil {
		return false
	}
	_, err = k.public(jose.ByName(alg))
	return err == nil
}

// NewMemoryAt is NewMemory with a clock.
func NewMemoryAt(maxProofs int, now func() time.Time) ReplayStore {
	m := NewMemory(maxProofs).(*memory)
	m.now = now
	return m
}
