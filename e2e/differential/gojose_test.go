package differential

import (
	"encoding/json"
	"errors"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// goJOSE is told the algorithms when it parses, and issuer, audience and leeway
// when it validates. It cannot be told that exp is required: the application
// looks. Nor a typ. It has no name for Ed25519, and without a kid it takes no
// key from a set.
var goJOSE = library{"go-jose", func(jwks string) (check, error) {
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(jwks), &keys); err != nil {
		return nil, err
	}
	var algs []jose.SignatureAlgorithm
	for _, alg := range algorithms {
		algs = append(algs, jose.SignatureAlgorithm(alg))
	}
	return func(token string) (report, error) {
		t, err := jwt.ParseSigned(token, algs)
		if err != nil {
			return report{}, err
		}
		var c jwt.Claims
		r := report{}
		if err := t.Claims(&keys, &c, &r.Claims); err != nil {
			return report{}, err
		}
		if err := c.ValidateWithLeeway(jwt.Expected{Issuer: issuer, AnyAudience: jwt.Audience{audience}}, leeway); err != nil {
			return report{}, err
		}
		if c.Expiry == nil {
			return report{}, errors.New("no exp")
		}
		r.Issuer, r.Subject, r.ID = c.Issuer, c.Subject, c.ID
		r.Audience, r.Expiry = c.Audience, c.Expiry.Time().Unix()
		r.derive()
		return r, nil
	}, nil
}}
