package repotest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// The configurations of the pages in docs/providers for which there is no preset,
// each accepted by New.
func TestProvidersWithoutPreset(t *testing.T) {
	keys, err := jwkscache.Static([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	require.NoError(t, err)
	for name, cfg := range map[string]verifier.Config{
		"Google self-signed": googleSelfSigned(keys), "PingFederate": pingFederate(keys), "authentik": authentik(),
		"Supabase": supabase(keys), "Firebase": firebase(keys), "Clerk": clerk(keys), "Descope": descope(keys),
		"users as well": usersAsWell(),
	} {
		t.Run(name, func(t *testing.T) {
			if cfg.Keys == nil {
				cfg.Keys = keys // nothing is fetched here
			}
			v, err := verifier.New(cfg)
			require.NoError(t, err)
			assert.NoError(t, v.Close())
		})
	}
}

// JWTs that one Google service account signs itself: it is an issuer of its
// own. keys is a jwkscache.ForURL cache of
// https://www.googleapis.com/service_accounts/v1/jwk/ + email.
func googleSelfSigned(keys verifier.KeySource) verifier.Config {
	const email = "bot@project.iam.gserviceaccount.com"
	return verifier.Config{
		Issuer:     email,
		Keys:       keys,
		Audiences:  []string{"https://api.example.com"},
		Algorithms: []string{"RS256"},
		Rules:      []verifier.Rule{verifier.Client(email)},
		Claims: verifier.Claims{
			ClientID:          []string{"iss"},
			ClientCredentials: verifier.Client(email),
		},
	}
}

// PingFederate, JWT access token manager. keys is a jwkscache.ForURL cache of
// the manager's JWKS endpoint, where that is not the one in the metadata.
func pingFederate(keys verifier.KeySource) verifier.Config {
	jobs := verifier.Client("orders-job")
	return verifier.Config{
		Issuer:    "https://sso.example.com", // the Issuer Claim Value
		Keys:      keys,
		Audiences: []string{"https://api.example.com"}, // the Audience Claim Value
		Rules:     []verifier.Rule{jobs},
		Claims: verifier.Claims{
			ClientID:          []string{"client_id"}, // the Client ID Claim Name
			Scopes:            []string{"scope"},     // the Scope Claim Name
			ClientCredentials: jobs,
		},
	}
}

// authentik, a provider with a signing key. The subjects are the service accounts
// that may call.
func authentik() verifier.Config {
	jobs := verifier.Claim("sub", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
	return verifier.Config{
		Issuer:    "https://auth.example.com/application/o/orders/", // as in the metadata
		Audiences: []string{"orders-client-id"},                     // the provider's own client id
		Rules:     []verifier.Rule{jobs, verifier.Check(authentikAccess)},
		Claims:    verifier.Claims{ClientID: []string{"sub"}, ClientCredentials: jobs},
	}
}

// authentikAccess: an ID token has no uid.
func authentikAccess(_ context.Context, t *verifier.Token) error {
	c, err := verifier.ClaimsOf[struct {
		UID string `json:"uid"`
	}](t)
	if err != nil {
		return err
	}
	if c.UID == "" {
		return errors.New("there is no uid: an ID token")
	}
	return nil
}

// Supabase, users that are not anonymous. keys is a jwkscache.ForURL cache of the
// issuer and /.well-known/jwks.json.
func supabase(keys verifier.KeySource) verifier.Config {
	return verifier.Config{
		Issuer:    "https://abcdefghijklmnopqrst.supabase.co/auth/v1",
		Keys:      keys,
		Audiences: []string{"authenticated"},
		Rules:     []verifier.Rule{verifier.Claim("role", "authenticated"), verifier.Claim("is_anonymous", "false")},
	}
}

// Firebase, users. keys is a jwkscache.ForURL cache of
// https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com.
func firebase(keys verifier.KeySource) verifier.Config {
	return verifier.Config{
		Issuer:     "https://securetoken.google.com/my-project",
		Keys:       keys,
		Audiences:  []string{"my-project"},
		Algorithms: []string{"RS256"},
		Rules:      []verifier.Rule{verifier.Check(firebaseUser)},
	}
}

func firebaseUser(_ context.Context, t *verifier.Token) error {
	c, err := verifier.ClaimsOf[struct {
		AuthTime int64 `json:"auth_time"`
	}](t)
	switch {
	case err != nil:
		return err
	case t.Subject() == "":
		return errors.New("there is no sub")
	case c.AuthTime == 0 || time.Unix(c.AuthTime, 0).After(time.Now().Add(time.Minute)):
		return errors.New("auth_time is not past")
	}
	return nil
}

// Clerk, session tokens of users. keys is a jwkscache.ForURL cache of the issuer
// and /.well-known/jwks.json.
func clerk(keys verifier.KeySource) verifier.Config {
	return verifier.Config{
		Issuer:      "https://clerk.example.com", // no slash
		Keys:        keys,
		AnyAudience: true,
		Algorithms:  []string{"RS256"},
		Rules:       []verifier.Rule{verifier.Claim("azp", "https://app.example.com"), verifier.NoClaim("act")},
	}
}

// Descope, session JWTs. keys is a jwkscache.ForURL cache of the project's key
// set.
func descope(keys verifier.KeySource) verifier.Config {
	return verifier.Config{
		Issuer:      "P2abcdefghijklmnopqrstuvwxyz", // the project's id
		Keys:        keys,
		AnyAudience: true,
		Rules:       []verifier.Rule{verifier.Claim("permissions", "orders.read")},
	}
}

// Auth0, RFC 9068 profile, for users and machines. The routes that are for
// machines have the rule ClientCredentials().
func usersAsWell() verifier.Config {
	return verifier.Config{
		Issuer:    "https://tenant.eu.auth0.com/",
		Audiences: []string{"https://api.example.com"},
		RFC9068:   true,
		Claims:    verifier.Claims{ClientCredentials: verifier.Check(auth0Machine)},
	}
}

func auth0Machine(_ context.Context, t *verifier.Token) error {
	if t.Subject() != t.ClientID()+"@clients" {
		return errors.New("sub is not the client's")
	}
	return nil
}
