package scale

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A refusal is a request that must be refused, and why.
type refusal struct {
	what          string
	authorization string // the field, "" for none
	reason        error

	remembered bool // the token is good and remembered
	scoped     bool // and the route asks for a scope that it has not
}

func (r refusal) request() *http.Request {
	request := httptest.NewRequest(http.MethodGet, "/orders", nil)
	if r.authorization != "" {
		request.Header.Set("Authorization", r.authorization)
	}
	return request
}

// A keyMap is a KeySource of one's own: no I/O for a kid that it lacks.
type keyMap map[string]crypto.PublicKey

func (m keyMap) Lookup(_ context.Context, kid, _ string) ([]crypto.PublicKey, error) {
	if key := m[kid]; key != nil {
		return []crypto.PublicKey{key}, nil
	}
	return nil, nil
}

// refused returns one request for each reason. Everything about it is good but
// for that.
func refused(s *authority.Signer) (list []refusal, err error) {
	kid, _ := s.Key()
	token := func(header, claims map[string]any) string {
		raw, failed := tokenWith(s, kid, header, claims)
		if failed != nil {
			err = failed
		}
		return raw
	}
	good := token(nil, nil)
	add := func(what, raw string, reason error) {
		list = append(list, refusal{what: what, authorization: "Bearer " + raw, reason: reason})
	}
	list = append(list,
		refusal{what: "no token", reason: verifier.ErrNoToken},
		refusal{what: "another scheme", authorization: "Basic YmlsbGluZzpzZWNyZXQ=", reason: verifier.ErrNoToken})
	add("a word, not a JWT", "word", verifier.ErrMalformed)
	add("1 MiB", strings.Repeat("a", 1<<20), verifier.ErrMalformed)
	dot := strings.LastIndexByte(good, '.')
	add("broken base64 in the signature", good[:dot+1]+"~"+good[dot+2:], verifier.ErrMalformed)
	add("a header with alg twice", encode(`{"alg":"RS256","alg":"RS256","kid":"`+kid+`"}`)+good[strings.IndexByte(good, '.'):], verifier.ErrMalformed)
	add("expired", token(nil, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}), verifier.ErrExpired)
	add("unknown issuer", token(nil, map[string]any{"iss": "https://other.example.com/"}), verifier.ErrIssuer)
	add("alg not allowed", token(map[string]any{"alg": "HS256"}, nil), verifier.ErrAlgorithm)
	add("another type", token(map[string]any{"typ": "logout+jwt"}, nil), verifier.ErrType)
	add("another audience", token(nil, map[string]any{"aud": "https://other.example.com"}), verifier.ErrAudience)
	add("unknown kid", token(map[string]any{"kid": rand.Text()}, nil), verifier.ErrSignature)
	add("a signature that does not fit", authority.Spoil(good), verifier.ErrSignature)
	list = append(list, refusal{
		what: "a scope is missing, the token remembered", authorization: "Bearer " + good,
		reason: verifier.ErrScope, remembered: true, scoped: true,
	})
	return list, err
}

// tokenWith signs a good token but for these members.
func tokenWith(s *authority.Signer, kid string, header, claims map[string]any) (string, error) {
	head := map[string]any{"typ": "at+jwt", "alg": s.Alg, "kid": kid}
	maps.Copy(head, header)
	body := authority.Claims(rand.Text())
	maps.Copy(body, claims)
	first, err := json.Marshal(head)
	if err != nil {
		return "", err
	}
	second, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	return s.Sign(first, second)
}
