package differential

import (
	"encoding/json"

	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

// jwx has options for issuer, audience, a required exp and the skew. It cannot
// be told a list of algorithms, nor typ: the key's alg decides, or its type
// where it has none. Its options for sets as identity providers publish them
// are on: keys that it does not know stay aside, a kid may be there twice, and
// a token without kid is checked with the only key.
var jwx = library{"jwx", func(jwks string) (check, error) {
	keys, err := jwk.Parse([]byte(jwks), jwk.WithStrictKeySetParsing(false))
	if err != nil {
		return nil, err
	}
	return func(token string) (report, error) {
		t, err := jwt.Parse([]byte(token),
			jwt.WithKeySet(keys,
				jws.WithInferAlgorithmFromKey(true), jws.WithUseDefault(true), jws.WithMultipleKeysPerKeyID(true)),
			jwt.WithIssuer(issuer),
			jwt.WithAudience(audience),
			jwt.WithRequiredClaim(jwt.ExpirationKey),
			jwt.WithAcceptableSkew(leeway),
		)
		if err != nil {
			return report{}, err
		}
		r := report{Claims: map[string]any{}}
		for _, name := range t.Keys() {
			var v any
			if err := t.Get(name, &v); err != nil {
				return report{}, err
			}
			text, err := json.Marshal(v)
			if err != nil {
				return report{}, err
			}
			if err := json.Unmarshal(text, &v); err != nil {
				return report{}, err
			}
			r.Claims[name] = v
		}
		r.Issuer, _ = t.Issuer()
		r.Subject, _ = t.Subject()
		r.ID, _ = t.JwtID()
		r.Audience, _ = t.Audience()
		exp, _ := t.Expiration()
		r.Expiry = exp.Unix()
		r.derive()
		return r, nil
	}, nil
}}
