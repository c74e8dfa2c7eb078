package verifiertest

import (
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Claims are a token's claims. Claims that a valid token needs have defaults: iss, aud,
// client_id, sub (the client id), iat, exp (in an hour) and jti. A nil value omits a
// claim, and a time.Time becomes a NumericDate.
type Claims map[string]any

// fill returns c over the defaults.
func (c Claims) fill(s *authserver.Server, audience string) map[string]any {
	client, ok := c["client_id"].(string)
	if !ok {
		client = defaultClient
	}
	all := s.Claims(client, audience)
	maps.Copy(all, c.dated())
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return all
}

// dated returns a copy of c with a NumericDate for each time.Time.
func (c Claims) dated() map[string]any {
	all := maps.Clone(map[string]any(c))
	for name, v := range all {
		if at, ok := v.(time.Time); ok {
			all[name] = at.Unix()
		}
	}
	return all
}

// Token returns a token of this issuer, signed with the current key.
func (i *Issuer) Token(claims Claims) string {
	i.tb.Helper()
	i.mu.Lock()
	audience := i.audience
	i.mu.Unlock()
	if audience == "" {
		audience = defaultAudience
	}
	raw, err := i.server.Token(claims.fill(i.server, audience))
	if err != nil {
		i.tb.Fatalf("verifiertest: %v", err)
	}
	return raw
}

// Sign returns a token of exactly these texts, JSON or not, signed with the current key,
// for malformed tokens. [Issuer.Key] returns kid and alg for the header.
func (i *Issuer) Sign(header, payload string) string {
	i.tb.Helper()
	raw, err := i.server.Sign([]byte(header), []byte(payload))
	if err != nil {
		i.tb.Fatalf("verifiertest: %v", err)
	}
	return raw
}

// Key returns the kid and the alg of the current key.
func (i *Issuer) Key() (kid, alg string) { return i.server.Key() }

// NewToken returns the Token that a verifier makes of these claims, for tests that put
// it into a handler's context with verifier.NewContext. It needs no server and no
// network. It panics if no verifier would accept the claims, since no handler receives
// such a token.
func NewToken(claims Claims) *verifier.Token {
	t, err := newToken(claims)
	if err != nil {
		panic(fmt.Sprintf("verifiertest: NewToken: %v", err))
	}
	return t
}

func newToken(claims Claims) (*verifier.Token, error) {
	issuer, ok := claims["iss"].(string)
	if !ok {
		issuer = "https://issuer.test"
	}
	server, err := authserver.New(issuer, "Ed25519")
	if err != nil {
		return nil, err
	}
	all := claims.fill(server, defaultAudience)
	audiences, err := audienceOf(all)
	if err != nil {
		return nil, err
	}
	raw, err := server.Token(all)
	if err != nil {
		return nil, err
	}
	v, err := verifier.New(verifier.Config{Issuer: issuer, Audiences: audiences, Keys: oneKey{server.PublicKey()}})
	if err != nil {
		return nil, err
	}
	return v.Verify(context.Background(), raw)
}

func audienceOf(claims map[string]any) (list []string, err error) {
	if one, ok := claims["aud"].(string); ok {
		return []string{one}, nil
	}
	doc, err := json.Marshal(claims["aud"])
	if err != nil {
		return nil, err
	}
	return list, json.Unmarshal(doc, &list)
}

// oneKey is a KeySource that returns the same key for every Query.
type oneKey struct{ key crypto.PublicKey }

func (k oneKey) Lookup(context.Context, jwkscache.Query) ([]crypto.PublicKey, error) {
	return []crypto.PublicKey{k.key}, nil
}
