package providers_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/providers"
)

// A row of the matrix.
type preset struct {
	name    string
	cfg     verifier.Config
	goldens []string // the files with its tokens
	tenant  string   // an iss of the same provider that is not the configured one

	// What the causes say of tokens that it must keep out.
	user, idToken, stranger string

	alike []neighbour
}

// A neighbour is the machine's token with a few claims changed.
type neighbour struct {
	name   string
	change claims
	reason error
	says   string // in the cause
}

func presets() []preset {
	return []preset{
		{
			name: "Auth0", cfg: auth0(), goldens: []string{"auth0", "auth0-rfc9068"}, tenant: "https://another.auth0.com/",
			user: "a user's token", idToken: "aud is",
			alike: []neighbour{
				{"a user named like the client", claims{"sub": "awZfdIir8YFdGZWkvCejDoUb7SjTDicx"}, verifier.ErrDenied, "a user's token"},
				{"a user whose name has the suffix", claims{"sub": "auth0|jane@clients"}, verifier.ErrDenied, "a user's token"},
				{"another client's sub", claims{"sub": "another@clients"}, verifier.ErrDenied, "a user's token"},
				{"no client", claims{"sub": "@clients", "azp": nil}, verifier.ErrDenied, "a user's token"},
				{"bound to a certificate", claims{"cnf": claims{"x5t#S256": "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"}}, verifier.ErrBinding, "cnf"},
			},
		},
		{
			name: "Okta", cfg: okta(), goldens: []string{"okta"}, tenant: "https://example.okta.com/oauth2/default",
			user: "there is a uid: a user's token", idToken: "at_hash",
			alike: []neighbour{
				{"the org server", claims{"iss": "https://example.okta.com"}, verifier.ErrIssuer, "iss is"},
				{"a user named like the client", claims{"uid": "00u1"}, verifier.ErrDenied, "uid"},
				{"an ID token of the implicit flow, for a client named like the API", claims{"cid": nil, "scp": nil}, verifier.ErrDenied, "no cid"},
			},
		},
		{
			name: "Keycloak", cfg: keycloak(), goldens: []string{"keycloak", "keycloak-rfc9068"}, tenant: "https://sso.example.com/realms/other",
			user: "there is no client_id", idToken: "at_hash",
			alike: []neighbour{
				{"a user named like the client", claims{"client_id": nil, "sub": "crawler"}, verifier.ErrDenied, "there is no client_id"},
				{"a user named like a service account", claims{"client_id": nil}, verifier.ErrDenied, "there is no client_id"},
				{"a client_id that is not azp", claims{"client_id": "another"}, verifier.ErrDenied, "client_id is not azp"},
				{"an old service account", claims{"client_id": nil, "clientId": "crawler"}, verifier.ErrDenied, "there is no client_id"},
				{"a refresh token", claims{"typ": "Refresh"}, verifier.ErrType, "Refresh"},
				{"the inner name", claims{"iss": "https://keycloak.internal/realms/shop"}, verifier.ErrIssuer, "iss is"},
			},
		},
		{
			name: "Entra", cfg: entra(), goldens: []string{"entra"}, tenant: "https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/v2.0",
			user: "there is no idtyp: a user's token", idToken: "nonce",
			alike: []neighbour{
				{"a user with the claim", claims{"idtyp": "user"}, verifier.ErrDenied, `idtyp is "user", not app`},
				{"a v1.0 token", claims{"iss": "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/"}, verifier.ErrIssuer, "version 1.0"},
				{"the template", claims{"iss": "https://login.microsoftonline.com/{tenantid}/v2.0"}, verifier.ErrIssuer, "iss is"},
			},
		},
		{
			name: "EntraV1", cfg: entraV1(), goldens: []string{"entra-v1"}, tenant: "https://sts.windows.net/11111111-1111-1111-1111-111111111111/",
			user: "there is no idtyp: a user's token", idToken: "nonce",
			alike: []neighbour{
				{"a v2.0 token", claims{"iss": "https://login.microsoftonline.com/fa15d692-e9c7-4460-a743-29f2956fd429/v2.0"}, verifier.ErrIssuer, "version 2.0"},
			},
		},
		{
			name: "Cognito", cfg: cognito(), goldens: []string{"cognito"}, tenant: "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_another",
			user: "is not on the list", idToken: "token_use",
			alike: []neighbour{
				{"a user of another client, named like the machine", claims{"client_id": "57cbishk4j24pabc1234567890"}, verifier.ErrDenied, "is not on the list"},
				{"without token_use", claims{"token_use": nil}, verifier.ErrDenied, "token_use"},
				{"without a client", claims{"client_id": nil}, verifier.ErrDenied, "no client id found in client_id"},
			},
		},
		{
			name: "PingOne", cfg: pingOne(), goldens: []string{"pingone", "pingone-2027"}, tenant: "https://auth.pingone.eu/99999999-9999-9999-9999-999999999999/as",
			user: "a user's token", idToken: "at_hash",
			alike: []neighbour{
				{"a user named like the client", claims{"sub": "11111111-1111-1111-1111-111111111111"}, verifier.ErrDenied, "a user's token"},
			},
		},
		{
			name: "Hydra", cfg: hydra(), goldens: []string{"hydra"}, tenant: "https://auth.example.org",
			user: `client "shop" is not on the list`, idToken: "at_hash",
		},
		{
			name: "Zitadel", cfg: zitadel(), goldens: []string{"zitadel"}, tenant: "https://another.zitadel.cloud",
			user: `claim "sub" is`, idToken: "at_hash",
			alike: []neighbour{
				{"a person whose client is named like the account", claims{"sub": "170848145649959169", "azp": "77776025198584418"}, verifier.ErrDenied, `claim "sub" is`},
			},
		},
		{
			name: "Duende", cfg: duende(), goldens: []string{"duende"}, tenant: "https://identity.example.org",
			user: "a user's token", idToken: "typ is",
			alike: []neighbour{
				{"a user named like the client", claims{"sub": "client"}, verifier.ErrDenied, "a user's token"},
			},
		},
		{
			name: "Kinde", cfg: kinde(), goldens: []string{"kinde"}, tenant: "https://another.kinde.com",
			user: `claim "gty" is`, idToken: "at_hash",
			alike: []neighbour{
				{"without a grant", claims{"gty": nil}, verifier.ErrDenied, `no claim "gty"`},
				{"a user named like the client", claims{"gty": []any{"refresh_token"}, "sub": "d4d3c5b74e064badb9625a4aa6241bcc"}, verifier.ErrDenied, `claim "gty" is`},
			},
		},
		{
			name: "WorkOS", cfg: workOS(), goldens: []string{"workos"}, tenant: "https://another.authkit.app",
			user: "a user's token", idToken: "aud is",
			alike: []neighbour{
				{"without a client", claims{"client_id": nil, "sub": nil}, verifier.ErrDenied, "a user's token"},
			},
		},
		{
			name: "GitHubActions", cfg: github(), goldens: []string{"github", "github-immutable"}, tenant: "https://token.actions.githubusercontent.com/octo-enterprise",
			stranger: `repository_id is "75" and repository_owner_id is "66"`,
			alike: []neighbour{
				{"without ids", claims{"repository_owner_id": nil, "repository_id": nil}, verifier.ErrDenied, "neither is on the list"},
				{"an owner whose id is the repository's", claims{"repository_owner_id": "66", "repository_id": "65"}, verifier.ErrDenied, "neither is on the list"},
				{"ids in an array", claims{"repository_owner_id": []string{"65"}}, verifier.ErrDenied, "neither is on the list"},
				{"ids in another case of the name", claims{"repository_owner_id": nil, "Repository_Owner_Id": "65"}, verifier.ErrDenied, "neither is on the list"},
				{"the default audience", claims{"aud": "https://github.com/octo-org"}, verifier.ErrAudience, "aud is"},
			},
		},
		{
			name: "GitLabCI", cfg: gitlab(), goldens: []string{"gitlab"}, tenant: "https://gitlab.com",
			stranger: `project_id is "21" and namespace_id is "73"`, user: `project_id is "" and namespace_id is ""`,
			alike: []neighbour{
				{"a namespace whose id is the project's", claims{"project_id": "21", "namespace_id": "20"}, verifier.ErrDenied, "neither is on the list"},
			},
		},
		{
			name: "KubernetesServiceAccount", cfg: kubernetes(), goldens: []string{"kubernetes"}, tenant: "https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE",
			stranger: `sub is "system:serviceaccount:shop-test:orders"`,
			alike: []neighbour{
				{"the API server's audience", claims{"aud": []any{"https://kubernetes.default.svc.cluster.local"}}, verifier.ErrAudience, "aud is"},
				{"another account of the namespace", claims{"sub": "system:serviceaccount:shop:default"}, verifier.ErrDenied, "none of the service accounts"},
				{"a person", claims{"sub": "jane"}, verifier.ErrDenied, "none of the service accounts"},
				{"a legacy token", claims{"iss": "kubernetes/serviceaccount"}, verifier.ErrIssuer, "iss is"},
				{"a legacy token without an end", claims{"exp": nil}, verifier.ErrClaims, "no exp"},
			},
		},
		{
			name: "AWS", cfg: aws(), goldens: []string{"aws"}, tenant: "https://zzz999.tokens.sts.global.api.aws",
			stranger: `claim "sub" is`,
			alike: []neighbour{
				{"the role's name in another account", claims{"sub": "arn:aws:iam::210987654321:role/DataProcessingRole"}, verifier.ErrDenied, `claim "sub" is`},
			},
		},
		{
			name: "GoogleServiceAccounts", cfg: google(), goldens: []string{"google"}, tenant: "https://cloud.google.com/iap",
			stranger: `claim "sub" is`, user: "at_hash",
			alike: []neighbour{
				{"the old spelling", claims{"iss": "accounts.google.com"}, verifier.ErrIssuer, "iss is"},
				{"a person with an access token of that client", claims{"sub": "112810400000000710085", "azp": "112010400000000710080"}, verifier.ErrDenied, `claim "sub" is`},
			},
		},
		{
			name: "SPIFFE", cfg: spiffe(), goldens: []string{"spiffe", "spiffe-bare"}, tenant: "https://oidc.example.com",
			stranger: `claim "sub" is`,
			alike: []neighbour{
				{"without an issuer", claims{"iss": nil}, verifier.ErrIssuer, "no iss"},
				{"the same path in another trust domain", claims{"sub": "spiffe://example.com/orders"}, verifier.ErrDenied, `claim "sub" is`},
			},
		},
	}
}

// Each preset admits its provider's tokens and nobody else's.
func TestMatrix(t *testing.T) {
	iss := newIssuer(t)
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	tokens := make(map[string]string) // of machines, by file
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".json")
		tokens[name] = iss.sign(t, readGolden(t, name).Machine)
	}
	for _, p := range presets() {
		t.Run("V4 "+p.name, func(t *testing.T) {
			v := iss.verifier(t, p.cfg)
			for name, raw := range tokens {
				tok, err := v.Verify(t.Context(), raw, verifier.ClientCredentials())
				if !slices.Contains(p.goldens, name) {
					refused(t, err, verifier.ErrIssuer, "iss is", name)
					continue
				}
				if assert.NoError(t, err, name) {
					assert.NotEmpty(t, tok.ClientID(), name)
				}
			}
		})
	}
	t.Run("V4 all in one Verifier", func(t *testing.T) {
		var configs []verifier.Config
		for _, p := range presets() {
			configs = append(configs, p.cfg)
		}
		v := iss.verifier(t, configs...)
		for name, raw := range tokens {
			_, err := v.Verify(t.Context(), raw, verifier.ClientCredentials())
			assert.NoError(t, err, name)
		}
	})
}

// Every golden file is somebody's, and every preset has one.
func TestEveryPresetIsInTheMatrix(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	var named []string
	for _, p := range presets() {
		require.NotEmpty(t, p.goldens, p.name)
		named = append(named, p.goldens...)
	}
	assert.Len(t, named, len(files))
	assert.ElementsMatch(t, constructors(t), slices.Sorted(func(yield func(string) bool) {
		for _, p := range presets() {
			yield(p.name)
		}
	}))
}

// The tokens that look like a machine's are refused, and the cause says why.
func TestNeighbours(t *testing.T) {
	iss, forger := newIssuer(t), newIssuer(t)
	for _, p := range presets() {
		v := iss.verifier(t, p.cfg)
		for _, name := range p.goldens {
			g := readGolden(t, name)
			check := func(what, raw string, reason error, says string) {
				t.Run(fmt.Sprintf("V5 %s: %s, %s", p.name, name, what), func(t *testing.T) {
					_, err := v.Verify(t.Context(), raw)
					refused(t, err, reason, says, what)
				})
			}
			for _, n := range append(common(p, g.Machine), p.alike...) {
				check(n.name, iss.sign(t, g.Machine.with(n.change)), n.reason, n.says)
			}
			check("signed by another", forger.sign(t, g.Machine), verifier.ErrSignature, "no key")
			for _, other := range []struct {
				what, says string
				sample     *sample
			}{{"a user", p.user, g.User}, {"an ID token", p.idToken, g.IDToken}, {"a stranger", p.stranger, g.Stranger}} {
				require.Equal(t, other.says == "", other.sample == nil, "%s: %s", name, other.what)
				if other.sample != nil {
					check(other.what, iss.sign(t, *other.sample), nil, other.says)
				}
			}
		}
	}
}

// common are the neighbours of every provider's tokens.
func common(p preset, machine sample) []neighbour {
	own := p.cfg.Issuer
	slash := own + "/"
	if bare, ok := strings.CutSuffix(own, "/"); ok {
		slash = bare
	}
	all := []neighbour{
		{"another tenant", claims{"iss": p.tenant}, verifier.ErrIssuer, "iss is"},
		{"the wrong slash", claims{"iss": slash}, verifier.ErrIssuer, "the slash at the end"},
		{"expired", claims{"exp": machine.Claims["iat"].(float64) - 3600}, verifier.ErrExpired, "exp is"},
	}
	if !p.cfg.AnyAudience {
		all = append(all,
			neighbour{"another environment", claims{"aud": "https://staging.example.com"}, verifier.ErrAudience, "aud is"},
			neighbour{"without aud", claims{"aud": nil}, verifier.ErrAudience, "the token has no aud"})
	}
	return all
}

func refused(t *testing.T, err, reason error, says, what string) {
	t.Helper()
	if !assert.Error(t, err, what) {
		return
	}
	var e *verifier.Error
	require.ErrorAs(t, err, &e, what)
	assert.NotEqual(t, 500, e.Status(), what)
	assert.Contains(t, err.Error(), says, what)
	if reason != nil {
		assert.ErrorIs(t, err, reason, what)
	}
}

// What a preset demands stays, whatever is assigned to its fields.
func TestDemandsStay(t *testing.T) {
	iss := newIssuer(t)
	for _, p := range presets() {
		for how, assign := range map[string]func(*verifier.Config){
			"Rules nil":      func(c *verifier.Config) { c.Rules = nil },
			"Rules of one's": func(c *verifier.Config) { c.Rules = []verifier.Rule{verifier.NoClaim("no-such-claim")} },
			"Claims":         func(c *verifier.Config) { c.Claims = verifier.Claims{} },
			"Claims that admit all": func(c *verifier.Config) {
				c.Claims.ClientCredentials = verifier.NoClaim("no-such-claim")
			},
			"Types": func(c *verifier.Config) { c.Types, c.Algorithms = nil, nil },
		} {
			t.Run(fmt.Sprintf("V2 %s: %s", p.name, how), func(t *testing.T) {
				cfg := p.cfg
				assign(&cfg)
				v := iss.verifier(t, cfg)
				for _, name := range p.goldens {
					g := readGolden(t, name)
					for _, s := range []*sample{g.User, g.Stranger} {
						if s != nil {
							_, err := v.Verify(t.Context(), iss.sign(t, *s))
							assert.Error(t, err, name)
						}
					}
				}
			})
		}
	}
}

// The fields that the doc comments speak of.
func TestFieldsThatChange(t *testing.T) {
	iss := newIssuer(t)
	t.Run("V1 RFC9068 leaves the other profile out", func(t *testing.T) {
		for _, p := range []struct {
			cfg      verifier.Config
			good, no string
		}{{auth0(), "auth0-rfc9068", "auth0"}, {keycloak(), "keycloak-rfc9068", "keycloak"}} {
			p.cfg.RFC9068 = true
			v := iss.verifier(t, p.cfg)
			_, err := v.Verify(t.Context(), iss.sign(t, readGolden(t, p.good).Machine))
			assert.NoError(t, err, p.good)
			_, err = v.Verify(t.Context(), iss.sign(t, readGolden(t, p.no).Machine))
			refused(t, err, verifier.ErrType, "typ is", p.no)
		}
	})
	t.Run("V1 rules of one's own narrow", func(t *testing.T) {
		v, g := iss.verifier(t, githubMain()), readGolden(t, "github").Machine
		_, err := v.Verify(t.Context(), iss.sign(t, g))
		assert.NoError(t, err)
		_, err = v.Verify(t.Context(), iss.sign(t, g.with(claims{"ref": "refs/pull/1/merge"})))
		refused(t, err, verifier.ErrDenied, `"ref" is`, "a pull request")
	})
	t.Run("V1 scopes and roles", func(t *testing.T) {
		for _, p := range []struct {
			cfg           verifier.Config
			golden        string
			change        claims
			scopes, roles []string
		}{
			{auth0(), "auth0", claims{"permissions": []string{"create:bar"}}, []string{"read:patients", "read:admin"}, []string{"create:bar"}},
			{okta(), "okta", nil, []string{"flights", "custom"}, nil},
			{keycloak(), "keycloak", nil, []string{"email", "profile"}, []string{"offline_access"}},
			{entra(), "entra", nil, []string{"Orders.Read"}, []string{"Orders.Read"}},
			{entraV1(), "entra-v1", nil, []string{"Orders.Read"}, []string{"Orders.Read"}},
			{cognito(), "cognito", nil, []string{"https://api.example.com/orders.read"}, nil},
			{pingOne(), "pingone", nil, []string{"orders:read"}, nil},
			{hydra(), "hydra", claims{"scp": nil, "scope": "orders:read"}, []string{"orders:read"}, nil},
			{duende(), "duende", nil, []string{"invoice.read", "invoice.pay"}, nil},
			{kinde(), "kinde", nil, []string{"read:users", "write:flags"}, nil},
			{workOS(), "workos", nil, []string{"orders:read"}, nil},
		} {
			tok, err := iss.verifier(t, p.cfg).Verify(t.Context(), iss.sign(t, readGolden(t, p.golden).Machine.with(p.change)))
			if assert.NoError(t, err, p.golden) {
				assert.Equal(t, p.scopes, tok.Scopes(), p.golden)
				assert.Equal(t, p.roles, tok.Roles(), p.golden)
			}
		}
	})
	t.Run("V1 a claim below a URL", func(t *testing.T) {
		cfg := aws()
		cfg.Rules = []verifier.Rule{verifier.Claim("/https:~1~1sts.amazonaws.com~1/org_id", "o-abc1234567")}
		_, err := iss.verifier(t, cfg).Verify(t.Context(), iss.sign(t, readGolden(t, "aws").Machine))
		assert.NoError(t, err)
	})
	t.Run("V1 every spelling of a v1.0 audience", func(t *testing.T) {
		v, g := iss.verifier(t, entraV1()), readGolden(t, "entra-v1").Machine
		for _, aud := range []string{"api://orders", "api://orders/", "ef1da9d4-ff77-4c3e-a005-840c3f830745"} {
			_, err := v.Verify(t.Context(), iss.sign(t, g.with(claims{"aud": aud})))
			assert.NoError(t, err, aud)
		}
	})
	t.Run("V1 an Auth0 token that names its grant", func(t *testing.T) {
		_, err := iss.verifier(t, auth0()).Verify(t.Context(), iss.sign(t, readGolden(t, "auth0").Machine.with(claims{"gty": "client-credentials"})))
		assert.NoError(t, err)
	})
}

// A list of tenants, each with the same demands.
func TestTenants(t *testing.T) {
	iss := newIssuer(t)
	one, two := "72f988bf-86f1-41af-91ab-2d7cd011db47", "82229342-1101-4AB6-817B-70C0747630F3"
	g := readGolden(t, "entra")
	v := iss.verifier(t, entraTenants([]string{one, two})...)
	for tenant, admitted := range map[string]bool{one: true, strings.ToLower(two): true, "11111111-1111-1111-1111-111111111111": false} {
		t.Run("V1 "+tenant, func(t *testing.T) {
			iss2 := claims{"iss": "https://login.microsoftonline.com/" + tenant + "/v2.0"}
			_, err := v.Verify(t.Context(), iss.sign(t, g.Machine.with(iss2)))
			assert.Equal(t, admitted, err == nil, "%v", err)
			_, err = v.Verify(t.Context(), iss.sign(t, g.User.with(iss2)))
			assert.Error(t, err)
		})
	}
	t.Run("V3 none", func(t *testing.T) {
		_, err := verifier.New(providers.Tenants(providers.Entra, "6e74172b-be56-4843-9ff4-e66a39bb12e3")...)
		assert.ErrorContains(t, err, "no Config")
	})
}

// With a preset, New finds the keys by the provider's metadata.
func TestKeysAreDiscovered(t *testing.T) {
	for _, p := range append(presets(), preset{name: "Keycloak inside", cfg: keycloakInside()}, preset{name: "Kubernetes inside", cfg: kubernetesInside()}) {
		t.Run("V1 "+p.name, func(t *testing.T) {
			assert.Nil(t, p.cfg.Keys)
			p.cfg.JWKS.HTTPClient = failing
			v, err := verifier.Settings{Logger: slog.New(slog.DiscardHandler)}.New(p.cfg)
			require.NoError(t, err)
			assert.NoError(t, v.Close())
		})
	}
}
