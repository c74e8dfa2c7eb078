package vectors

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Where a token is refused, in this order. An accepted one has "".
const (
	byKeys      = "keys"      // its JWK Set does not load, or its secret is refused
	byToken     = "token"     // its header, its signature's encoding, the number of segments
	bySignature = "signature" // no key, or none that fits
	byPayload   = "payload"   // its payload's encoding, or none at all
)

const issuer, audience = "https://issuer.example", "https://api.example"

var ctx = context.Background()

// A bench decides tokens whose payload is no access token's, which Verify
// refuses for that alone. It lets a verifier judge each segment beside claims
// that are good, notes which keys the verifier was given for which algorithm,
// and has the signature checked over the token as it is. Nothing of a token is
// parsed here.
type bench struct {
	verifier *verifier.Verifier
	cache    *jwkscache.Cache // nil with a secret
	alg      string
	keys     []crypto.PublicKey
}

// Lookup makes the bench its verifier's KeySource.
func (b *bench) Lookup(ctx context.Context, q jwkscache.Query) ([]crypto.PublicKey, error) {
	keys, err := b.cache.Lookup(ctx, q)
	if q.Tried == nil {
		b.alg, b.keys = q.Algorithm, keys
	}
	return keys, err
}

func asSet(keys json.RawMessage) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(keys, &members) == nil && members["keys"] != nil {
		return keys
	}
	return fmt.Appendf(nil, `{"keys":[%s]}`, keys)
}

// newBench returns nil where the keys are refused. A set of a single secret is
// configured as Config.SharedSecrets; as a JWK Set it must not load.
func newBench(t *testing.T, keys json.RawMessage) *bench {
	t.Helper()
	var set struct {
		Keys []struct{ Kty, Alg, K string }
	}
	require.NoError(t, json.Unmarshal(asSet(keys), &set))
	b := &bench{}
	cfg := verifier.Config{Issuer: issuer, Audiences: []string{audience}}
	cache, err := jwkscache.Static(asSet(keys))
	if len(set.Keys) == 1 && set.Keys[0].Kty == "oct" {
		assert.Error(t, err, "A4 a JWK Set of a secret loads")
		secret, err := base64.RawURLEncoding.DecodeString(set.Keys[0].K)
		require.NoError(t, err)
		b.alg, b.keys = set.Keys[0].Alg, []crypto.PublicKey{jose.NewSecret(secret)}
		cfg.SharedSecrets, cfg.Algorithms = [][]byte{secret}, []string{b.alg}
	} else if err != nil {
		return nil
	} else {
		b.cache, cfg.Keys = cache, b
	}
	if b.verifier, err = verifier.New(cfg); err != nil {
		require.NotNil(t, cfg.SharedSecrets, err)
		return nil
	}
	return b
}

// decide returns where raw is refused.
func (b *bench) decide(t *testing.T, raw string) string {
	t.Helper()
	if b == nil {
		return byKeys
	}
	token, err := b.verifier.Verify(ctx, raw)
	require.Error(t, err)
	require.Nil(t, token)

	segments := strings.Split(raw, ".")
	probe := append([]string{}, segments...)
	claims := goodClaims()
	if len(probe) > 1 {
		probe[1] = claims
	}
	if !b.reachesSignature(t, strings.Join(probe, ".")) {
		return byToken
	}
	require.Len(t, segments, 3, "P1")
	sig, err := base64.RawURLEncoding.DecodeString(segments[2])
	require.NoError(t, err)
	if !b.fits(segments[0]+"."+segments[1], sig) {
		return bySignature
	}
	if !b.reachesSignature(t, segments[0]+"."+claims+"."+segments[1]) {
		return byPayload
	}
	return ""
}

// reachesSignature reports whether raw, whose signature is none, is refused for
// that and for nothing before it.
func (b *bench) reachesSignature(t *testing.T, raw string) bool {
	t.Helper()
	token, err := b.verifier.Verify(ctx, raw)
	require.Error(t, err)
	require.Nil(t, token)
	reached := errors.Is(err, verifier.ErrSignature)
	assert.True(t, reached || errors.Is(err, verifier.ErrMalformed) || errors.Is(err, verifier.ErrAlgorithm), "%v", err)
	return reached
}

func (b *bench) fits(signed string, sig []byte) bool {
	for _, k := range b.keys {
		if jose.ByName(b.alg).Verify(k, []byte(signed), sig) {
			return true
		}
	}
	return false
}

// goodClaims is a payload that passes every check.
func goodClaims() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil,
		`{"iss":%q,"aud":%q,"sub":"a","client_id":"b","exp":%d}`, issuer, audience, time.Now().Add(time.Hour).Unix()))
}
