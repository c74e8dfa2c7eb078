package differential

import (
	"context"
	"fmt"
	"reflect"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// jwtguard is asked with its defaults: no profile, so that the other libraries
// can be set up alike.
var jwtguard = library{"jwtguard", func(jwks string) (check, error) {
	keys, err := jwkscache.Static([]byte(jwks))
	if err != nil {
		return nil, err
	}
	v, err := verifier.New(verifier.Config{
		Issuer: issuer, Audiences: []string{audience}, Algorithms: algorithms, Leeway: leeway, Keys: keys,
	})
	if err != nil {
		return nil, err
	}
	return func(token string) (report, error) {
		t, err := v.Verify(context.Background(), token)
		if err != nil {
			return report{}, err
		}
		claims, err := verifier.ClaimsOf[map[string]any](t)
		if err != nil {
			claims = nil // compared as it is
		}
		// A struct must get what a map gets, under exactly its names.
		fields, err := verifier.ClaimsOf[struct {
			ClientID any `json:"client_id"`
			Scope    any `json:"scope"`
		}](t)
		if err != nil || claims != nil && !reflect.DeepEqual([]any{fields.ClientID, fields.Scope}, []any{claims["client_id"], claims["scope"]}) {
			return report{}, fmt.Errorf("ClaimsOf read a struct as %v: %w", fields, err)
		}
		return report{
			Issuer: t.Issuer(), Subject: t.Subject(), ID: t.ID(), ClientID: t.ClientID(),
			Audience: t.Audience(), Scopes: t.Scopes(), Expiry: t.Expiry().Unix(), Claims: claims,
		}, nil
	}, nil
}}
