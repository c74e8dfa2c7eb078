// Package scale measures how the cost of a verification grows: with the token,
// the keys, the issuers, the tokens alive, the callers, and with keys that
// change. Everything is EdDSA, whose tokens are quick to mint.
package scale

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/render"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const audience = "https://api.example.com"

// An Effort is how much is measured.
type Effort struct {
	Rounds  int
	Slice   time.Duration
	Largest int // of what is counted: issuers, tokens, goroutines
}

// A Part is one table and what it shows.
type Part struct {
	Title, Note string
	Table       *render.Table
}

// Parts measures everything.
func Parts(ctx context.Context, e Effort) (parts []Part, err error) {
	i := newIssuer()
	for _, part := range []func(context.Context, *issuer, Effort) (Part, error){
		tokenSize, keysPerIssuer, issuersJoined, liveTokens, goroutines, whileKeysChange,
	} {
		p, err := part(ctx, i, e)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// An issuer signs tokens in anybody's name.
type issuer struct{ private ed25519.PrivateKey }

func newIssuer() *issuer {
	_, private, _ := ed25519.GenerateKey(rand.Reader) // never fails
	return &issuer{private}
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// token returns the n-th token in the name of iss, with a claim of padding.
func (i *issuer) token(iss string, n, padding int) string {
	now := time.Now().Unix()
	signed := encode(`{"alg":"EdDSA","kid":"k0","typ":"at+jwt"}`) + "." + encode(fmt.Sprintf(
		`{"iss":%q,"aud":%q,"sub":"billing","client_id":"billing","jti":"%d","iat":%d,"exp":%d,"scope":"orders:read","padding":%q}`,
		iss, audience, n, now, now+36000, strings.Repeat("x", padding)))
	return signed + "." + encode(string(ed25519.Sign(i.private, []byte(signed))))
}

// keySet returns n keys, k0 and others beside it.
func (i *issuer) keySet(n int) string {
	keys := []string{jwk("k0", i.private.Public().(ed25519.PublicKey))}
	for len(keys) < n {
		public, _, _ := ed25519.GenerateKey(rand.Reader)
		keys = append(keys, jwk(fmt.Sprintf("k%d", len(keys)), public))
	}
	return `{"keys":[` + strings.Join(keys, ",") + `]}`
}

func jwk(kid string, public ed25519.PublicKey) string {
	return fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","kid":%q,"x":%q}`, kid, encode(string(public)))
}

// open returns a verifier of tokens in the name of iss, with n keys in its set.
func (i *issuer) open(iss string, n, tokenCache int) (*verifier.Verifier, error) {
	keys, err := jwkscache.Static([]byte(i.keySet(n)))
	if err != nil {
		return nil, err
	}
	return open(iss, keys, tokenCache)
}

func open(iss string, keys verifier.KeySource, tokenCache int) (*verifier.Verifier, error) {
	return verifier.New(verifier.Config{Issuer: iss, Audiences: []string{audience}, Keys: keys, TokenCache: tokenCache})
}

// repeated verifies raw again and again; the first time does not count.
func repeated(ctx context.Context, v *verifier.Verifier, raw string) (measure.Run, error) {
	_, err := v.Verify(ctx, raw)
	op := func(int) error { _, err := v.Verify(ctx, raw); return err }
	return measure.Run{Begin: func() (measure.Op, error) { return op, nil }}, err
}

func ratio(x float64) string {
	if x < 0.1 {
		return fmt.Sprintf("%.2g", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// upTo keeps the sizes that e measures.
func (e Effort) upTo(sizes ...int) (some []int) {
	for _, n := range sizes {
		if n <= e.Largest {
			some = append(some, n)
		}
	}
	return some
}
