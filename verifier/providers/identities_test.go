package providers_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/providers"
)

// Who may call: one of a list, of either kind.
func TestIdentities(t *testing.T) {
	const api, vault = "https://api.example.com", "https://vault.example.com"
	iss := newIssuer(t)
	gitHub := func(who providers.GitHubIdentity, more ...providers.GitHubIdentity) verifier.Config {
		return providers.GitHubActions(api, who, more...)
	}
	gitLab := func(who providers.GitLabIdentity, more ...providers.GitLabIdentity) verifier.Config {
		return providers.GitLabCI("https://gitlab.example.com", vault, who, more...)
	}
	cluster := func(who providers.KubernetesIdentity, more ...providers.KubernetesIdentity) verifier.Config {
		return providers.KubernetesServiceAccount("https://kubernetes.default.svc.cluster.local", api, who, more...)
	}
	for _, tt := range []struct {
		name, golden string
		cfg          verifier.Config
		admitted     bool
	}{
		{"the owner", "github", gitHub(providers.RepositoryOwnerID("65")), true},
		{"the repository", "github", gitHub(providers.RepositoryID("74")), true},
		{"the repository, second", "github", gitHub(providers.RepositoryOwnerID("1"), providers.RepositoryID("74")), true},
		{"the owner's id as a repository's", "github", gitHub(providers.RepositoryID("65")), false},
		{"the repository's id as an owner's", "github", gitHub(providers.RepositoryOwnerID("74")), false},
		{"another spelling of the id", "github", gitHub(providers.RepositoryOwnerID("065")), false},
		{"the namespace", "gitlab", gitLab(providers.GitLabNamespaceID("72")), true},
		{"the project, second", "gitlab", gitLab(providers.GitLabNamespaceID("1"), providers.GitLabProjectID("20")), true},
		{"the project's id as a namespace's", "gitlab", gitLab(providers.GitLabNamespaceID("20")), false},
		{"the namespace", "kubernetes", cluster(providers.KubernetesNamespace("shop")), true},
		{"the account, second", "kubernetes", cluster(providers.KubernetesNamespace("a"), providers.KubernetesAccount("shop", "orders")), true},
		{"a namespace that begins alike", "kubernetes", cluster(providers.KubernetesNamespace("sho")), false},
		{"an account that begins alike", "kubernetes", cluster(providers.KubernetesAccount("shop", "order")), false},
		{"the account of another namespace", "kubernetes", cluster(providers.KubernetesAccount("shop-test", "orders")), false},
		{"another account, then the role", "aws", providers.AWS("https://abc123-def456-ghi789-jkl012.tokens.sts.global.api.aws", api,
			"arn:aws:iam::123456789012:role/Third", "arn:aws:iam::123456789012:role/DataProcessingRole"), true},
		{"the second account", "google", providers.GoogleServiceAccounts("example-audience", "1", "112010400000000710080"), true},
		{"the second workload", "spiffe", providers.SPIFFE("https://oidc.example.org", "reports", "spiffe://example.org/a", "spiffe://example.org/orders"), true},
		{"the second client", "hydra", providers.Hydra("https://auth.example.com", api, "a", "orders-job"), true},
		{"the second client", "cognito", providers.Cognito("us-west-2_example", "a", "1example23456789"), true},
		{"the second account", "zitadel", providers.Zitadel("https://example.zitadel.cloud", "69234237810729019", "1", "77776025198584418"), true},
	} {
		t.Run("V6 "+tt.golden+": "+tt.name, func(t *testing.T) {
			v, g := iss.verifier(t, tt.cfg), readGolden(t, tt.golden)
			_, err := v.Verify(t.Context(), iss.sign(t, g.Machine), verifier.ClientCredentials())
			assert.Equal(t, tt.admitted, err == nil, "%v", err)
			if g.Stranger != nil && tt.admitted {
				_, err = v.Verify(t.Context(), iss.sign(t, *g.Stranger))
				refused(t, err, verifier.ErrDenied, "", "a stranger")
			}
		})
	}
}
