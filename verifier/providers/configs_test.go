package providers_test

import (
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/providers"
)

// The lines of docs/providers, for the sample tokens there. The matrix tests the
// same configurations.

func auth0() verifier.Config {
	cfg := providers.Auth0("my-domain.auth0.com", "https://example.com/health-api")
	return cfg
}

func okta() verifier.Config {
	cfg := providers.Okta("https://example.okta.com/oauth2/0oacqf8qaJw56czJi0g4", "https://api.example.com")
	return cfg
}

func keycloak() verifier.Config {
	cfg := providers.Keycloak("https://sso.example.com/realms/shop", "orders-api")
	return cfg
}

func keycloakInside() verifier.Config {
	cfg := keycloak()
	cfg.JWKS.MetadataURL = "https://keycloak.internal/realms/shop/.well-known/openid-configuration"
	return cfg
}

func entra() verifier.Config {
	cfg := providers.Entra("72f988bf-86f1-41af-91ab-2d7cd011db47", "6e74172b-be56-4843-9ff4-e66a39bb12e3")
	return cfg
}

func entraV1() verifier.Config {
	cfg := providers.EntraV1("fa15d692-e9c7-4460-a743-29f2956fd429", "api://orders")
	cfg.Audiences = append(cfg.Audiences, "ef1da9d4-ff77-4c3e-a005-840c3f830745")
	return cfg
}

func entraTenants(tenants []string) []verifier.Config {
	list := providers.Tenants(providers.Entra, "6e74172b-be56-4843-9ff4-e66a39bb12e3", tenants...)
	return list
}

func cognito() verifier.Config {
	cfg := providers.Cognito("us-west-2_example", "1example23456789")
	return cfg
}

func pingOne() verifier.Config {
	cfg := providers.PingOne("https://auth.pingone.eu/00000000-0000-0000-0000-000000000000/as", "https://api.example.com")
	return cfg
}

func hydra() verifier.Config {
	cfg := providers.Hydra("https://auth.example.com", "https://api.example.com", "orders-job")
	return cfg
}

func zitadel() verifier.Config {
	cfg := providers.Zitadel("https://example.zitadel.cloud", "69234237810729019", "77776025198584418")
	return cfg
}

func duende() verifier.Config {
	cfg := providers.Duende("https://identity.example.com", "invoice")
	return cfg
}

func kinde() verifier.Config {
	cfg := providers.Kinde("https://example.kinde.com", "your-api-audience")
	return cfg
}

func workOS() verifier.Config {
	cfg := providers.WorkOS("https://example.authkit.app", "client_123456789")
	return cfg
}

func github() verifier.Config {
	cfg := providers.GitHubActions("https://api.example.com", providers.RepositoryOwnerID("65"))
	return cfg
}

func githubMain() verifier.Config {
	cfg := providers.GitHubActions("https://api.example.com", providers.RepositoryID("74"))
	cfg.Rules = []verifier.Rule{verifier.Claim("ref", "refs/heads/main"), verifier.Claim("environment", "prod")}
	return cfg
}

func gitlab() verifier.Config {
	cfg := providers.GitLabCI("https://gitlab.example.com", "https://vault.example.com", providers.GitLabProjectID("20"))
	return cfg
}

func kubernetes() verifier.Config {
	cfg := providers.KubernetesServiceAccount("https://kubernetes.default.svc.cluster.local", "https://api.example.com",
		providers.KubernetesAccount("shop", "orders"))
	return cfg
}

func kubernetesInside() verifier.Config {
	cfg := kubernetes()
	cfg.JWKS = providers.InCluster()
	return cfg
}

func aws() verifier.Config {
	cfg := providers.AWS("https://abc123-def456-ghi789-jkl012.tokens.sts.global.api.aws", "https://api.example.com",
		"arn:aws:iam::123456789012:role/DataProcessingRole")
	return cfg
}

func google() verifier.Config {
	cfg := providers.GoogleServiceAccounts("example-audience", "112010400000000710080")
	return cfg
}

func spiffe() verifier.Config {
	cfg := providers.SPIFFE("https://oidc.example.org", "reports", "spiffe://example.org/orders")
	return cfg
}
