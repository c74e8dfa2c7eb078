package authority

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"strings"
	"time"
)

// Good returns n distinct good tokens.
func (s *Signer) Good(n int) ([]string, error) {
	all := make([]string, n)
	for i := range all {
		var err error
		if all[i], err = s.With(nil); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// With returns a good token but for these claims; nil leaves one out.
func (s *Signer) With(claims map[string]any) (string, error) {
	return s.Token(merge(claims))
}

// MadeUp returns a token of the usual shape whose kid nobody has, with a
// signature that fits no key.
func (s *Signer) MadeUp() (string, error) {
	header, err := json.Marshal(map[string]string{"typ": "at+jwt", "alg": s.Alg, "kid": rand.Text()})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(merge(nil))
	if err != nil {
		return "", err
	}
	raw, err := s.Sign(header, payload)
	return Spoil(raw), err
}

// Bad returns tokens that must be refused, by what is wrong with them.
func (s *Signer) Bad() (map[string]string, error) {
	wrong := map[string]map[string]any{
		"an expired token":         {"exp": time.Now().Add(-time.Hour).Unix()},
		"a token not yet valid":    {"nbf": time.Now().Add(30 * time.Minute).Unix()},
		"a token without exp":      {"exp": nil},
		"another audience's token": {"aud": []string{"https://other.example.com"}},
		"another issuer's token":   {"iss": "https://other.example.com/"},
		"a broken signature":       nil,
	}
	all := make(map[string]string)
	for what, claims := range wrong {
		raw, err := s.With(claims)
		if err != nil {
			return nil, err
		}
		if claims == nil {
			raw = Spoil(raw)
		}
		all[what] = raw
	}
	return all, nil
}

// Spoil changes the signature, not its length.
func Spoil(raw string) string {
	at := strings.LastIndexByte(raw, '.') + 10
	swapped := byte('A')
	if raw[at] == swapped {
		swapped = 'B'
	}
	return raw[:at] + string(swapped) + raw[at+1:]
}

func merge(claims map[string]any) map[string]any {
	all := Claims(rand.Text())
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return all
}
