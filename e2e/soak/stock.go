package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
)

// A request is what to send.
type request struct {
	kind   string
	fields []string // Authorization
}

// Kinds that are special. All others are plain bad.
const (
	good    = "good"
	between = "rotation without overlap"       // of either key, while the APIs notice
	early   = "key published during an outage" // good, but nobody can know
	unknown = "unknown kid"
	retired = "withdrawn key"
	two     = "two Authorization fields"
	spaced  = "no token characters"
)

// promised returns the statuses that a kind may be answered with.
func promised(kind string) []int {
	switch kind {
	case good:
		return []int{http.StatusOK}
	case between:
		return []int{http.StatusOK, http.StatusUnauthorized, http.StatusServiceUnavailable}
	case early, unknown, retired:
		return []int{http.StatusUnauthorized, http.StatusServiceUnavailable}
	case two, spaced:
		return []int{http.StatusBadRequest}
	}
	return []int{http.StatusUnauthorized}
}

var encode = base64.RawURLEncoding.EncodeToString

func bearer(token string) []string { return []string{"Bearer " + token} }

// A stock is what there is to send at present. It is immutable.
type stock struct {
	good    string // of the key that signs
	sound   []request
	hostile []request
}

// with returns a stock with one more hostile request, which is sent more often
// than the others.
func (s *stock) with(r request) *stock {
	c := *s
	c.hostile = append(slices.Clone(s.hostile), r, r)
	return &c
}

// between returns a stock without good tokens: the old key's and the new one's
// may be accepted or not.
func (s *stock) between(token string) *stock {
	c := *s
	c.sound = []request{{between, bearer(s.good)}, {between, bearer(token)}}
	return &c
}

// pick returns a request: one in three is hostile.
func (s *stock) pick() request {
	if mathrand.IntN(3) > 0 {
		return s.sound[mathrand.IntN(len(s.sound))]
	}
	r := s.hostile[mathrand.IntN(len(s.hostile))]
	if r.kind == unknown { // another one each time
		header := encode([]byte(`{"typ":"at+jwt","alg":"ES256","kid":"` + rand.Text() + `"}`))
		r.fields = bearer(header + s.good[strings.Index(s.good, "."):])
	}
	return r
}

// mint makes the tokens of the key that signs now.
func (a *authority) mint() (*stock, error) {
	kid, alg := a.Key()
	forger, err := authserver.New(a.Issuer(), alg) // same names, another key
	if err != nil {
		return nil, err
	}
	var errs []error
	token := func(change map[string]any) string {
		claims := a.Claims(clientID, ordersAPI)
		claims["scope"] = "orders:read"
		maps.Copy(claims, change)
		raw, err := a.Token(claims)
		errs = append(errs, err)
		return raw
	}
	s := &stock{good: token(nil)}
	s.sound = []request{{good, bearer(s.good)}}
	parts := strings.Split(s.good, ".")
	if len(parts) != 3 {
		return nil, errors.Join(errs...)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	errs = append(errs, err)
	header := func(alg string) []byte {
		h, err := json.Marshal(map[string]string{"typ": "at+jwt", "alg": alg, "kid": kid})
		errs = append(errs, err)
		return h
	}
	forged, err := forger.Sign(header(alg), payload)
	errs = append(errs, err)
	none := encode(header("none")) + "." + parts[1] + "."
	s.hostile = []request{
		{"expired", bearer(token(map[string]any{"exp": 1}))},
		{"another audience", bearer(token(map[string]any{"aud": "https://billing.example.com"}))},
		{"another issuer", bearer(token(map[string]any{"iss": a.Issuer() + "/"}))},
		{"signed by another key", bearer(forged)},
		{"changed claims", bearer(parts[0] + "." + encode([]byte(strings.Replace(string(payload), clientID, "boss", 1))) + "." + parts[2])},
		{"alg none", bearer(none)},
		{"alg none, with a signature", bearer(none + parts[2])},
		{"alg HS256", bearer(encode(header("HS256")) + "." + parts[1] + "." + parts[2])},
		{unknown, nil},
		{unknown, nil},
		{two, []string{"Bearer " + s.good, "Bearer " + s.good}},
		{"too long", bearer(s.good + strings.Repeat("A", 17<<10))},
		{"no JWT", bearer(rand.Text())},
		{spaced, bearer("%%%, " + rand.Text())},
		{"another scheme", []string{"Basic c2hvcDpzZWNyZXQ="}},
		{"no Authorization", nil},
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("minting tokens: %w", err)
	}
	return s, nil
}
