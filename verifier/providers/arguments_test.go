package providers_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/providers"
)

// failing is a client without a network.
var failing = &http.Client{Transport: noNetwork{}}

type noNetwork struct{}

func (noNetwork) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no network")
}

// constructors returns the exported functions of the package that return a Config.
func constructors(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f, nil, 0)
		require.NoError(t, err)
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !fn.Name.IsExported() || fn.Type.Results == nil {
				continue
			}
			if sel, ok := fn.Type.Results.List[0].Type.(*ast.SelectorExpr); ok && sel.X.(*ast.Ident).Name == "verifier" && sel.Sel.Name == "Config" {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}

// A wrong argument is an error of New that says what was expected.
func TestWrongArguments(t *testing.T) {
	const (
		api, issuer = "https://api.example.com", "https://issuer.example.com"
		tenant      = "72f988bf-86f1-41af-91ab-2d7cd011db47"
		role        = "arn:aws:iam::123456789012:role/orders"
	)
	owner, project, account := providers.RepositoryOwnerID("1"), providers.GitLabProjectID("1"), providers.KubernetesAccount("a", "b")
	tested := make(map[string]bool)
	for _, tt := range []struct {
		name string
		cfg  verifier.Config
		says string
	}{
		{"an issuer for a domain", providers.Auth0("https://tenant.eu.auth0.com/", api), `providers.Auth0: the domain is a host such as tenant.eu.auth0.com, not "https://tenant.eu.auth0.com/"`},
		{"a tenant for a domain", providers.Auth0("tenant", api), "providers.Auth0: the domain is a host"},
		{"no domain", providers.Auth0("", api), "providers.Auth0: the domain is a host"},
		{"no audience", providers.Auth0("tenant.eu.auth0.com", ""), `providers.Auth0: the audience is the API's identifier, not ""`},
		{"a long domain is cut", providers.Auth0(strings.Repeat("a", 1000), api), strings.Repeat("a", 100) + "…\""},
		{"the org server", providers.Okta("https://example.okta.com", api), "providers.Okta: the issuer is that of a custom authorization server"},
		{"a slash", providers.Okta("https://example.okta.com/oauth2/default/", api), "providers.Okta: the issuer is"},
		{"the metadata", providers.Okta("https://example.okta.com/oauth2/default/.well-known/openid-configuration", api), "providers.Okta: the issuer is"},
		{"no audience", providers.Okta("https://example.okta.com/oauth2/default", ""), "providers.Okta: the audience is"},
		{"no realm", providers.Keycloak("https://sso.example.com", api), "providers.Keycloak: the realm is its URL"},
		{"a realm's name", providers.Keycloak("shop", api), "providers.Keycloak: the realm is its URL"},
		{"a slash", providers.Keycloak("https://sso.example.com/realms/shop/", api), "providers.Keycloak: the realm is its URL"},
		{"no audience", providers.Keycloak("https://sso.example.com/realms/shop", ""), "providers.Keycloak: the audience is what an Audience mapper adds"},
		{"a tenant's domain", providers.Entra("contoso.onmicrosoft.com", tenant), `providers.Entra: the tenant is its ID, a GUID, not "contoso.onmicrosoft.com"`},
		{"every tenant", providers.Entra("common", tenant), "providers.Entra: the tenant is one tenant's ID (see Tenants for several)"},
		{"an App ID URI", providers.Entra(tenant, "api://orders"), "providers.Entra: the audience is the API's application (client) ID, a GUID"},
		{"every tenant", providers.EntraV1("Organizations", tenant), "providers.EntraV1: the tenant is one tenant's ID"},
		{"no audience", providers.EntraV1(tenant, ""), "providers.EntraV1: the audience is"},
		{"a pool's name", providers.Cognito("users", "a"), "providers.Cognito: the user pool is its ID"},
		{"an issuer for a pool", providers.Cognito("https://cognito-idp.us-west-2.amazonaws.com/us-west-2_example", "a"), "providers.Cognito: the user pool is its ID"},
		{"no client", providers.Cognito("us-west-2_example", ""), "providers.Cognito: the client is"},
		{"one empty client", providers.Cognito("us-west-2_example", "a", ""), "providers.Cognito: the client is"},
		{"an environment's id", providers.PingOne("00000000-0000-0000-0000-000000000000", api), "providers.PingOne: the issuer is"},
		{"without as", providers.PingOne("https://auth.pingone.eu/00000000-0000-0000-0000-000000000000", api), "providers.PingOne: the issuer is"},
		{"no audience", providers.PingOne("https://auth.pingone.eu/00000000-0000-0000-0000-000000000000/as", ""), "providers.PingOne: the audience is"},
		{"no issuer", providers.Hydra("", api, "a"), "providers.Hydra: the issuer is a URL such as"},
		{"no client", providers.Hydra(issuer, api, ""), "providers.Hydra: the client is"},
		{"no audience", providers.Hydra(issuer, "", "a"), "providers.Hydra: the audience is"},
		{"a domain", providers.Zitadel("example.zitadel.cloud", "1", "1"), "providers.Zitadel: the issuer is a URL such as"},
		{"a slash", providers.Zitadel("https://example.zitadel.cloud/", "1", "1"), "providers.Zitadel: the issuer is a URL without a slash at the end"},
		{"a project's name", providers.Zitadel("https://example.zitadel.cloud", "orders", "1"), "providers.Zitadel: the project is its ID"},
		{"an account's name", providers.Zitadel("https://example.zitadel.cloud", "1", "1", "orders-job"), "providers.Zitadel: the account is its user ID"},
		{"the metadata", providers.Duende("https://identity.example.com/.well-known/openid-configuration", "invoice"), "providers.Duende: the issuer is"},
		{"no audience", providers.Duende(issuer, ""), "providers.Duende: the audience is the name of the API resource"},
		{"a slash", providers.Kinde("https://example.kinde.com/", api), "providers.Kinde: the issuer is a URL without a slash"},
		{"no audience", providers.Kinde("https://example.kinde.com", ""), "providers.Kinde: the audience is"},
		{"a domain", providers.WorkOS("example.authkit.app", "client_1"), "providers.WorkOS: the issuer is a URL"},
		{"no audience", providers.WorkOS("https://example.authkit.app", ""), "providers.WorkOS: the audience is the environment's client ID"},
		{"no audience", providers.GitHubActions("", owner), "providers.GitHubActions: the audience is"},
		{"no owner", providers.GitHubActions(api, providers.RepositoryOwnerID("")), "providers.GitHubActions: the id of an owner or a repository is a number"},
		{"nobody", providers.GitHubActions(api, providers.GitHubIdentity{}), "providers.GitHubActions: the id of an owner or a repository is a number"},
		{"a name", providers.GitHubActions(api, owner, providers.RepositoryID("octo-org/octo-repo")), `providers.GitHubActions: the id of an owner or a repository is a number, as GitHub's API has it, not "octo-org/octo-repo"`},
		{"no audience", providers.GitLabCI("https://gitlab.com", "", project), "providers.GitLabCI: the audience is"},
		{"a slash", providers.GitLabCI("https://gitlab.com/", api, project), "providers.GitLabCI: the issuer is a URL without a slash"},
		{"a path", providers.GitLabCI("https://gitlab.com", api, project, providers.GitLabNamespaceID("my-group")), "providers.GitLabCI: the id of a project or a namespace is a number"},
		{"nobody", providers.GitLabCI("https://gitlab.com", api, providers.GitLabIdentity{}), "providers.GitLabCI: the id of a project or a namespace is a number"},
		{"no issuer", providers.KubernetesServiceAccount("", api, account), "providers.KubernetesServiceAccount: the issuer is a URL"},
		{"the API server's audience", providers.KubernetesServiceAccount(issuer, "https://kubernetes.default.svc.cluster.local", account), "providers.KubernetesServiceAccount: the audience is your own"},
		{"the issuer as audience", providers.KubernetesServiceAccount(issuer, issuer, account), "providers.KubernetesServiceAccount: the audience is your own"},
		{"any namespace", providers.KubernetesServiceAccount(issuer, api, providers.KubernetesNamespace("*")), "providers.KubernetesServiceAccount: the namespace is"},
		{"any account", providers.KubernetesServiceAccount(issuer, api, providers.KubernetesAccount("shop", "*")), "providers.KubernetesServiceAccount: the service account is"},
		{"no account", providers.KubernetesServiceAccount(issuer, api, account, providers.KubernetesAccount("shop", "")), "providers.KubernetesServiceAccount: the service account is"},
		{"a namespace with a colon", providers.KubernetesServiceAccount(issuer, api, providers.KubernetesNamespace("shop:orders")), "providers.KubernetesServiceAccount: the namespace is"},
		{"nobody", providers.KubernetesServiceAccount(issuer, api, providers.KubernetesIdentity{}), "providers.KubernetesServiceAccount: the namespace is"},
		{"a session's ARN", providers.AWS(issuer, api, "arn:aws:sts::123456789012:assumed-role/orders/i-1"), "providers.AWS: the role is the ARN of an IAM role"},
		{"any role", providers.AWS(issuer, api, role, "*"), "providers.AWS: the role is the ARN of an IAM role"},
		{"no audience", providers.AWS(issuer, "", role), "providers.AWS: the audience is"},
		{"a slash", providers.AWS(issuer+"/", api, role), "providers.AWS: the issuer is a URL without a slash"},
		{"an email", providers.GoogleServiceAccounts(api, "bot@project.iam.gserviceaccount.com"), "providers.GoogleServiceAccounts: the service account is its unique id"},
		{"one empty account", providers.GoogleServiceAccounts(api, "1", ""), "providers.GoogleServiceAccounts: the service account is its unique id"},
		{"no audience", providers.GoogleServiceAccounts("", "1"), "providers.GoogleServiceAccounts: the audience is"},
		{"a trust domain", providers.SPIFFE(issuer, api, "spiffe://example.org"), "providers.SPIFFE: the workload is its SPIFFE ID"},
		{"an id with a query", providers.SPIFFE(issuer, api, "spiffe://example.org/a?b"), "providers.SPIFFE: the workload is its SPIFFE ID"},
		{"no issuer", providers.SPIFFE("spiffe://example.org", api, "spiffe://example.org/a"), "providers.SPIFFE: the issuer is a URL"},
		{"no audience", providers.SPIFFE(issuer, "", "spiffe://example.org/a"), "providers.SPIFFE: the audience is"},
	} {
		name, _, _ := strings.Cut(strings.TrimPrefix(tt.says, "providers."), ":")
		tested[name] = true
		t.Run("V3 V6 "+name+": "+tt.name, func(t *testing.T) {
			_, err := verifier.New(tt.cfg)
			require.ErrorContains(t, err, tt.says)
			// It cannot be repaired by what does not mend the argument.
			cfg := tt.cfg
			cfg.Issuer, cfg.Audiences, cfg.Rules = issuer, []string{api}, nil
			_, err = verifier.New(verifier.Config{Issuer: "https://other.example.com", Audiences: []string{api}, Keys: oneKey{}}, cfg)
			require.ErrorContains(t, err, tt.says)
			assert.ErrorContains(t, err, "Config 2")
		})
	}
	for _, name := range constructors(t) {
		assert.True(t, tested[name], "no wrong argument of %s is tested", name)
	}
}

// What is odd but right.
func TestOddArguments(t *testing.T) {
	for name, cfg := range map[string]verifier.Config{
		"a custom domain":              providers.Auth0("login.example.com", "urn:api"),
		"a Keycloak with a path":       providers.Keycloak("https://example.com/auth/realms/my%20shop", "a"),
		"a Keycloak on loopback":       providers.Keycloak("http://localhost:8080/realms/shop", "a"),
		"an Okta on a custom URL":      providers.Okta("https://login.example.com/oauth2/aus1", "api://a"),
		"a GovCloud pool":              providers.Cognito("us-gov-west-1_AbC123", "a"),
		"a PingOne of another region":  providers.PingOne("https://auth.pingone.asia/00000000-0000-0000-0000-000000000000/as", "a"),
		"a PingOne on a custom domain": providers.PingOne("https://login.example.com/as", "a"),
		"a Hydra with a slash":         providers.Hydra("https://auth.example.com/", "a", "b"),
		"an AKS cluster": providers.KubernetesServiceAccount(
			"https://eastus.oic.prod-aks.azure.com/72f988bf-86f1-41af-91ab-2d7cd011db47/00000000-0000-0000-0000-000000000000/", "a", providers.KubernetesNamespace("kube-system")),
		"a role with a path in China": providers.AWS("https://a.tokens.sts.global.api.aws", "a", "arn:aws-cn:iam::123456789012:role/service-role/orders"),
	} {
		t.Run("V3 "+name, func(t *testing.T) {
			cfg.JWKS.HTTPClient = failing
			v, err := verifier.Settings{Logger: slog.New(slog.DiscardHandler)}.New(cfg)
			require.NoError(t, err)
			assert.NoError(t, v.Close())
		})
	}
}
