package repotest

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// The configurations of docs/providers.md, each accepted by New.
func TestProviders(t *testing.T) {
	keys, err := jwkscache.Static([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	require.NoError(t, err)
	entraKeys, cache, err := entraV1Keys()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cache.Close()) })
	for name, cfg := range map[string]verifier.Config{
		"Auth0": auth0(), "Auth0 RFC 9068": auth0RFC9068(), "Okta": okta(), "Keycloak": keycloak(),
		"Keycloak RFC 9068": keycloakRFC9068(), "Entra v2": entraV2(), "Entra v1": entraV1(), "Entra v1, keys": entraKeys,
		"Cognito": cognito(), "Google ID tokens": googleIDTokens(), "Google self-signed": googleSelfSigned(keys),
		"PingOne": pingOne(), "PingFederate": pingFederate(keys), "Hydra": hydra(), "Zitadel": zitadel(),
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

// Auth0, default token profile, machines only. ClientCredentials() needs no
// setting here.
func auth0() verifier.Config {
	return verifier.Config{
		Issuer:     "https://tenant.eu.auth0.com/", // with the slash
		Audiences:  []string{"https://api.example.com"},
		Algorithms: []string{"RS256"},
		Rules:      []verifier.Rule{verifier.ClientCredentials()},
		Claims:     verifier.Claims{ClientID: []string{"azp"}, Scopes: []string{"scope"}},
	}
}

// Auth0, RFC 9068 token profile, machines only: there is no gty, so say how a
// machine looks.
func auth0RFC9068() verifier.Config {
	return verifier.Config{
		Issuer:    "https://tenant.eu.auth0.com/",
		Audiences: []string{"https://api.example.com"},
		RFC9068:   true,
		Rules:     []verifier.Rule{verifier.ClientCredentials()},
		Claims:    verifier.Claims{ClientCredentials: verifier.Check(auth0Machine)},
	}
}

func auth0Machine(_ context.Context, t *verifier.Token) error {
	if t.Subject() != t.ClientID()+"@clients" {
		return errors.New("sub is not the client's")
	}
	return nil
}

// Okta, custom authorization server, machines only.
func okta() verifier.Config {
	return verifier.Config{
		Issuer:     "https://example.okta.com/oauth2/default", // no slash
		Audiences:  []string{"api://orders"},
		Algorithms: []string{"RS256"},
		Rules:      []verifier.Rule{verifier.ClientCredentials()},
		Claims: verifier.Claims{
			ClientID:          []string{"cid"},
			Scopes:            []string{"scp"},
			ClientCredentials: verifier.Check(oktaNoUser),
		},
	}
}

func oktaNoUser(_ context.Context, t *verifier.Token) error {
	c, err := verifier.ClaimsOf[map[string]any](t)
	if err != nil {
		return err
	}
	if _, user := c["uid"]; user {
		return errors.New("the token has a uid: a user's")
	}
	return nil
}

// Keycloak, default access tokens (header typ JWT), machines only.
func keycloak() verifier.Config {
	return verifier.Config{
		Issuer:    "https://sso.example.com/realms/shop", // no slash
		Audiences: []string{"orders-api"},
		Rules:     []verifier.Rule{verifier.ClientCredentials()},
		Claims: verifier.Claims{
			ClientID:          []string{"azp"},
			Scopes:            []string{"scope"},
			ClientCredentials: verifier.Check(keycloakMachine),
		},
	}
}

// Keycloak, client option "at+jwt" switched on at every calling client.
// User tokens lack client_id: this is for machines only.
func keycloakRFC9068() verifier.Config {
	return verifier.Config{
		Issuer:    "https://sso.example.com/realms/shop",
		Audiences: []string{"orders-api"},
		RFC9068:   true,
		Rules:     []verifier.Rule{verifier.ClientCredentials()},
		Claims:    verifier.Claims{ClientCredentials: verifier.Check(keycloakMachine)},
	}
}

// keycloakMachine: only the client-credentials grant fills client_id.
func keycloakMachine(_ context.Context, t *verifier.Token) error {
	c, err := verifier.ClaimsOf[struct {
		ClientID string `json:"client_id"`
		Party    string `json:"azp"`
	}](t)
	if err != nil {
		return err
	}
	if c.ClientID == "" || c.ClientID != c.Party {
		return errors.New("client_id is not azp: no service account")
	}
	return nil
}

// Microsoft Entra ID, v2.0 tokens, machines only.
func entraV2() verifier.Config {
	return verifier.Config{
		Issuer:    "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0", // no slash
		Audiences: []string{"11111111-1111-1111-1111-111111111111"},                              // the API's application ID
		Rules:     []verifier.Rule{verifier.ClientCredentials()},
		Claims: verifier.Claims{
			ClientID:          []string{"azp"},
			Scopes:            []string{"roles"}, // application permissions
			ClientCredentials: verifier.Claim("idtyp", "app"),
		},
	}
}

// Microsoft Entra ID, v1.0 tokens, machines only. Every spelling of aud.
func entraV1() verifier.Config {
	return verifier.Config{
		Issuer: "https://sts.windows.net/00000000-0000-0000-0000-000000000000/", // with the slash
		Audiences: []string{
			"api://orders",
			"api://orders/",
			"11111111-1111-1111-1111-111111111111",
		},
		Rules: []verifier.Rule{verifier.ClientCredentials()},
		Claims: verifier.Claims{
			ClientID:          []string{"appid"},
			Scopes:            []string{"roles"},
			ClientCredentials: verifier.Claim("idtyp", "app"),
		},
	}
}

// The same with the keys that Microsoft documents for v1.0, where discovery at
// sts.windows.net is not wanted. The caller closes the cache.
func entraV1Keys() (verifier.Config, *jwkscache.Cache, error) {
	cfg := entraV1()
	keys, err := jwkscache.ForURL(
		"https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/discovery/keys",
		jwkscache.Config{})
	if err != nil {
		return cfg, nil, err
	}
	cfg.Keys = keys
	return cfg, keys, nil
}

// Amazon Cognito user pool: no aud, so the clients are listed, those that have
// the client-credentials grant and no other.
func cognito() verifier.Config {
	jobs := verifier.Client("1example23456789", "2example34567890")
	return verifier.Config{
		Issuer:      "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE", // no slash
		AnyAudience: true,
		Algorithms:  []string{"RS256"},
		Rules:       []verifier.Rule{jobs, verifier.Claim("token_use", "access")},
		Claims: verifier.Claims{
			ClientID:          []string{"client_id"},
			Scopes:            []string{"scope"},
			ClientCredentials: jobs,
		},
	}
}

// Google-signed ID tokens of service accounts.
func googleIDTokens() verifier.Config {
	bot := verifier.Client("bot@project.iam.gserviceaccount.com")
	return verifier.Config{
		Issuer:     "https://accounts.google.com", // no slash
		Audiences:  []string{"https://api.example.com"},
		Algorithms: []string{"RS256"},
		Rules:      []verifier.Rule{bot, verifier.Check(emailVerified)},
		Claims: verifier.Claims{
			ClientID:          []string{"email"},
			ClientCredentials: bot,
		},
	}
}

func emailVerified(_ context.Context, t *verifier.Token) error {
	c, err := verifier.ClaimsOf[struct {
		Verified bool `json:"email_verified"`
	}](t)
	if err != nil {
		return err
	}
	if !c.Verified {
		return errors.New("email is not verified")
	}
	return nil
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

// PingOne, custom resource, machines only.
func pingOne() verifier.Config {
	return verifier.Config{
		Issuer:    "https://auth.pingone.eu/00000000-0000-0000-0000-000000000000/as", // no slash
		Audiences: []string{"https://api.example.com"},
		Rules:     []verifier.Rule{verifier.ClientCredentials()},
		Claims: verifier.Claims{
			ClientID:          []string{"client_id"},
			Scopes:            []string{"scope"},
			ClientCredentials: verifier.Check(noSubject),
		},
	}
}

func noSubject(_ context.Context, t *verifier.Token) error {
	if t.Subject() != "" {
		return errors.New("the token has a sub: a user's")
	}
	return nil
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

// Ory Hydra with strategies.access_token: jwt. The clients are listed, those
// whose only grant type is client_credentials.
func hydra() verifier.Config {
	jobs := verifier.Client("orders-job")
	return verifier.Config{
		Issuer:    "https://auth.example.com", // urls.self.issuer as written; 1.x adds a slash
		Audiences: []string{"https://api.example.com"},
		Rules:     []verifier.Rule{jobs},
		Claims: verifier.Claims{
			ClientID:          []string{"client_id"},
			Scopes:            []string{"scp", "scope"},
			ClientCredentials: jobs,
		},
	}
}

// Zitadel, service accounts with JWT access tokens.
func zitadel() verifier.Config {
	jobs := verifier.Client("orders-job")
	return verifier.Config{
		Issuer:    "https://auth.example.com",    // no slash
		Audiences: []string{"69234237810729019"}, // the project's ID
		Rules:     []verifier.Rule{jobs},
		Claims: verifier.Claims{
			ClientID:          []string{"client_id", "azp"},
			ClientCredentials: jobs,
		},
	}
}
