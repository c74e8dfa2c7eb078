package verifier_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const (
	issuer = "https://login.example.com/"
	api    = "https://api.example.com"
)

var ctx = context.Background()

// goodClaims are those of a token that every verifier here accepts.
func goodClaims() members {
	return members{
		"iss": `"` + issuer + `"`, "aud": `"` + api + `"`,
		"sub": `"billing"`, "client_id": `"billing"`, "jti": `"1"`,
		"iat": seconds(time.Now()), "exp": seconds(time.Now().Add(time.Hour)),
		"scope": `"orders:read orders:write"`,
	}
}

// seconds writes t as a NumericDate.
func seconds(t time.Time) string { return fmt.Sprint(t.Unix()) }

// What tests refuse is not logged, except where they look.
func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }

// keyMap is a KeySource that never changes, and counts.
type keyMap struct {
	keys map[string][]crypto.PublicKey // by kid
	err  error

	lookups atomic.Int64
}

func (k *keyMap) Lookup(_ context.Context, q jwkscache.Query) ([]crypto.PublicKey, error) {
	if q.Tried != nil {
		return nil, k.err
	}
	k.lookups.Add(1)
	return k.keys[q.KeyID], k.err
}

// keysOf returns the public keys of signers under their kids.
func keysOf(signers ...signer) *keyMap {
	k := &keyMap{keys: map[string][]crypto.PublicKey{}}
	for _, s := range signers {
		k.keys[s.KeyID] = append(k.keys[s.KeyID], s.Public())
	}
	return k
}

// config is one that accepts the tokens of every signerOf.
func config() verifier.Config {
	var all []signer
	for _, alg := range jwttest.Asymmetric {
		all = append(all, signerOf(alg))
	}
	return verifier.Config{Issuer: issuer, Audiences: []string{api}, Keys: keysOf(all...)}
}

// A set is what a verifier of one issuer is made of.
type set struct {
	verifier.Config
	verifier.Settings
}

func newSet(changes ...func(*set)) set {
	s := set{Config: config()}
	for _, change := range changes {
		change(&s)
	}
	return s
}

// setup makes a verifier of config, changed, and returns its keys.
func setup(t testing.TB, changes ...func(*set)) (*verifier.Verifier, *keyMap) {
	t.Helper()
	s := newSet(changes...)
	keys, _ := s.Keys.(*keyMap)
	return newVerifierWith(t, s.Settings, s.Config), keys
}

func newVerifier(t testing.TB, issuers ...verifier.Config) *verifier.Verifier {
	t.Helper()
	return newVerifierWith(t, verifier.Settings{}, issuers...)
}

func newVerifierWith(t testing.TB, s verifier.Settings, issuers ...verifier.Config) *verifier.Verifier {
	t.Helper()
	v, err := s.New(issuers...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	return v
}

// part is config for another issuer.
func part(iss string, changes ...func(*set)) verifier.Config {
	s := newSet(changes...)
	s.Issuer = iss
	return s.Config
}

// verified is Verify that has to succeed.
func verified(t testing.TB, v *verifier.Verifier, raw string, rules ...verifier.Rule) *verifier.Token {
	t.Helper()
	tok, err := v.Verify(ctx, raw, rules...)
	require.NoError(t, err)
	require.NotNil(t, tok)
	return tok
}

// bearer is a request with raw as its token.
func bearer(raw string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+raw)
	return r
}

// promised is the answer to each reason (requirement R2).
var promised = map[error]struct {
	status int
	code   string
}{
	verifier.ErrNoToken:        {401, ""},
	verifier.ErrBadRequest:     {400, "invalid_request"},
	verifier.ErrMalformed:      {401, "invalid_token"},
	verifier.ErrAlgorithm:      {401, "invalid_token"},
	verifier.ErrType:           {401, "invalid_token"},
	verifier.ErrSignature:      {401, "invalid_token"},
	verifier.ErrIssuer:         {401, "invalid_token"},
	verifier.ErrAudience:       {401, "invalid_token"},
	verifier.ErrExpired:        {401, "invalid_token"},
	verifier.ErrNotYetValid:    {401, "invalid_token"},
	verifier.ErrClaims:         {401, "invalid_token"},
	verifier.ErrBinding:        {401, "invalid_token"},
	verifier.ErrRevoked:        {401, "invalid_token"},
	verifier.ErrAuthentication: {401, "insufficient_user_authentication"},
	verifier.ErrScope:          {403, "insufficient_scope"},
	verifier.ErrDenied:         {403, "insufficient_scope"},
	verifier.ErrUnavailable:    {503, "temporarily_unavailable"},
}

// assertRefused asserts that err is the refusal for reason, and for no other.
func assertRefused(t testing.TB, reason, err error) {
	t.Helper()
	var e *verifier.Error
	if !assert.ErrorAs(t, err, &e) {
		return
	}
	for other := range promised {
		assert.Equal(t, other == reason, errors.Is(e.Reason, other), "reason %q: %v", other, err)
	}
	assert.ErrorIs(t, err, reason)
	assert.Equal(t, promised[reason].status, e.Status(), err)
	assert.Equal(t, promised[reason].code, e.Code(), err)
	h := http.Header{}
	e.SetHeaders(h)
	assert.Equal(t, "no-store", h.Get("Cache-Control"))
	assert.Equal(t, e.Status() == 503, h.Get("WWW-Authenticate") == "", h)
	assert.Equal(t, e.Status() == 503, h.Get("Retry-After") != "", h)
}

// assertConfigurationError asserts that err is the answer to a mistake of the API's own.
func assertConfigurationError(t testing.TB, err error) {
	t.Helper()
	var e *verifier.Error
	if assert.ErrorAs(t, err, &e) {
		assert.NoError(t, e.Reason)
		assert.Equal(t, http.StatusInternalServerError, e.Status())
		assert.Equal(t, "server_error", e.Code())
	}
}

// panicText returns what f panics with, which has to be a text of this package.
func panicText(t testing.TB, f func()) (text string) {
	t.Helper()
	defer func() {
		text, _ = recover().(string)
		assert.True(t, strings.HasPrefix(text, "verifier: "), "panicked with %q", text)
	}()
	f()
	return ""
}

// A revokedFunc is a Revocation.
type revokedFunc func(context.Context, *verifier.Token) (bool, error)

func (f revokedFunc) Revoked(ctx context.Context, t *verifier.Token) (bool, error) { return f(ctx, t) }
