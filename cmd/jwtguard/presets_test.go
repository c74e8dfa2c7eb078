package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"

// knownIssuers are issuers and the presets that they need.
var knownIssuers = map[string]string{
	"https://tenant.eu.auth0.com/":                                    "Auth0",
	"https://login.microsoftonline.com/" + tenant + "/v2.0":           "Entra",
	"https://sts.windows.net/" + tenant + "/":                         "EntraV1",
	"https://example.okta.com/oauth2/default":                         "Okta",
	"https://sso.example.com/realms/shop":                             "Keycloak",
	"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_ABC": "Cognito",
	"https://example.kinde.com":                                       "Kinde",
	"https://auth.pingone.eu/" + tenant + "/as":                       "PingOne",
	"https://example.authkit.app":                                     "WorkOS",
	"https://slug.projects.oryapis.com":                               "Hydra",
	"https://example.zitadel.cloud":                                   "Zitadel",
	"https://abc123.tokens.sts.global.api.aws":                        "AWS",
	"https://accounts.google.com":                                     "GoogleServiceAccounts",
	"https://token.actions.githubusercontent.com":                     "GitHubActions",
	"https://gitlab.com":                                              "GitLabCI",
	"https://oidc.eks.eu-central-1.amazonaws.com/id/ABCDEF0123456789": "KubernetesServiceAccount",
}

func TestSuggestedPresets(t *testing.T) {
	for issuer, function := range knownIssuers {
		t.Run("J4 "+function, func(t *testing.T) {
			code, ok := suggestPreset(issuer)
			require.True(t, ok)
			assert.True(t, strings.HasPrefix(code, "providers."+function+"("), code)
		})
	}
	for _, issuer := range []string{
		"https://login.example.com", "https://auth0.com.example.com/", "https://login.microsoftonline.com/common/v2.0",
		"https://example.okta.com", "https://sso.example.com/realms/shop/", "",
	} {
		_, ok := suggestPreset(issuer)
		assert.False(t, ok, "J4 %q", issuer)
	}
}

func TestProviderFlag(t *testing.T) {
	const aud = "https://api.example.com"
	tests := []struct {
		name, flag string
		audiences  []string
		issuer     string
		want       []string // audiences
	}{
		{"J7 auth0", "auth0:tenant.eu.auth0.com," + aud, nil, "https://tenant.eu.auth0.com/", []string{aud}},
		{"J7 auth0, with --audience", "auth0:tenant.eu.auth0.com", []string{aud, "more"}, "https://tenant.eu.auth0.com/", []string{aud, "more"}},
		{"J7 entra", "entra:" + tenant + "," + tenant, nil, "https://login.microsoftonline.com/" + tenant + "/v2.0", []string{tenant}},
		{"J7 entra, with --audience", "entra:" + tenant, []string{tenant}, "https://login.microsoftonline.com/" + tenant + "/v2.0", []string{tenant}},
		{"J7 entra-v1", "entra-v1:" + tenant + "," + tenant, nil, "https://sts.windows.net/" + tenant + "/", []string{tenant}},
		{"J7 okta", "okta:https://example.okta.com/oauth2/default", []string{aud}, "https://example.okta.com/oauth2/default", []string{aud}},
		{"J7 keycloak", "keycloak:https://sso.example.com/realms/shop," + aud, nil, "https://sso.example.com/realms/shop", []string{aud}},
		{"J7 cognito", "cognito:eu-central-1_ABC,a,b", nil, "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_ABC", nil},
		{"J7 cognito, with --audience", "cognito:eu-central-1_ABC,a,b", []string{aud}, "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_ABC", []string{aud}},
		{"J7 duende", "duende:https://id.example.com," + aud, nil, "https://id.example.com", []string{aud}},
		{"J7 kinde", "kinde:https://example.kinde.com," + aud, nil, "https://example.kinde.com", []string{aud}},
		{"J7 pingone", "pingone:https://auth.pingone.eu/" + tenant + "/as," + aud, nil, "https://auth.pingone.eu/" + tenant + "/as", []string{aud}},
		{"J7 workos", "workos:https://example.authkit.app,client_1", nil, "https://example.authkit.app", []string{"client_1"}},
		{"J7 hydra", "hydra:https://auth.example.com," + aud + ",a,b", nil, "https://auth.example.com", []string{aud}},
		{"J7 hydra, with --audience", "hydra:https://auth.example.com,a,b", []string{aud}, "https://auth.example.com", []string{aud}},
		{"J7 zitadel", "zitadel:https://example.zitadel.cloud,1,2", nil, "https://example.zitadel.cloud", []string{"1"}},
		{"J7 aws", "aws:https://abc.tokens.sts.global.api.aws," + aud + ",arn:aws:iam::123456789012:role/orders", nil, "https://abc.tokens.sts.global.api.aws", []string{aud}},
		{"J7 google", "google:1", []string{aud}, "https://accounts.google.com", []string{aud}},
		{"J7 spiffe", "spiffe:https://oidc.example.org," + aud + ",spiffe://example.org/a", nil, "https://oidc.example.org", []string{aud}},
		{"J7 github", "github:owner=1,repository=2", []string{aud}, "https://token.actions.githubusercontent.com", []string{aud}},
		{"J7 gitlab", "gitlab:https://gitlab.com," + aud + ",project=1,namespace=2", nil, "https://gitlab.com", []string{aud}},
		{"J7 kubernetes", "kubernetes:https://kubernetes.default.svc," + aud + ",default/a,other", nil, "https://kubernetes.default.svc", []string{aud}},
	}
	seen := map[string]bool{}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := fromFlag(test.flag, test.audiences)
			require.NoError(t, err)
			assert.Equal(t, test.issuer, cfg.Issuer)
			assert.Equal(t, test.want, cfg.Audiences)
			v, err := verifier.New(cfg)
			require.NoError(t, err)
			assert.NoError(t, v.Close())
		})
		name, _, _ := strings.Cut(test.flag, ":")
		seen[name] = true
	}
	for _, p := range presets {
		assert.True(t, seen[p.name], "J7 %s is not tested", p.name)
	}

	for _, test := range []struct{ name, flag, says string }{
		{"J7 unknown", "auth1:a,b", "there are auth0, entra"},
		{"J7 too few", "auth0:a", "auth0:DOMAIN,AUDIENCE"},
		{"J7 none", "auth0", "auth0:DOMAIN,AUDIENCE"},
		{"J7 too many", "auth0:a,b,c", "auth0:DOMAIN,AUDIENCE"},
		{"J7 a kind", "github:" + aud + ",user=1", "KIND=ID"},
		{"J7 a kind at gitlab", "gitlab:https://gitlab.com," + aud + ",1", "KIND=ID"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := fromFlag(test.flag, nil)
			assert.ErrorContains(t, err, test.says)
		})
	}
}

// Every preset of package providers that takes strings is a --provider.
func TestPresetsAreComplete(t *testing.T) {
	all := packageFunctions(t, "../../verifier/providers", regexp.MustCompile(`(?m)^func ([A-Z]\w*)\(.*\) verifier\.Config \{`))
	require.NotEmpty(t, all)
	for _, function := range all {
		found := false
		for _, p := range presets {
			found = found || p.function == function
		}
		assert.True(t, found, "J7 providers.%s is no --provider", function)
	}
}

// What is printed of an issuer as a preset's argument is ASCII, too.
func TestPresetInASCII(t *testing.T) {
	for _, issuer := range []string{"https://\u043eкta.okta.com/oauth2/default", "https://\u202e\u009b.kinde.com", "https://a\"+f(\n`.kinde.com"} {
		code, ok := suggestPreset(issuer)
		assert.True(t, ok)
		assertHarmless(t, code)
		assert.Equal(t, 2, strings.Count(code, "\n\t"), "J3 %s", code)
	}
}
