package providers_test

import "github.com/seed-12ed5b1c/jwtguard/verifier"

// A row of the matrix.
type preset struct {
	name    string
	cfg     verifier.Config
	goldens []string // the files with its tokens
	tenant  string   // an iss of the same provider that is not the configured one

	// What the causes say of tokens that it must keep out.
	user, idToken, stranger string

	algs  []string // that the provider never signs with
	types []string // that the provider never writes; "" is a header without typ
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
			algs: []string{"ES256", "PS256", "EdDSA"},
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
			types: []string{"at+jwt", ""},
			alike: []neighbour{
				{"a user with the claim", claims{"idtyp": "user"}, verifier.ErrDenied, `idtyp is "user", not app`},
				{"a v1.0 token", claims{"iss": "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/"}, verifier.ErrIssuer, "version 1.0"},
				{"the template", claims{"iss": "https://login.microsoftonline.com/{tenantid}/v2.0"}, verifier.ErrIssuer, "iss is"},
			},
		},
		{
			name: "EntraV1", cfg: entraV1(), goldens: []string{"entra-v1"}, tenant: "https://sts.windows.net/11111111-1111-1111-1111-111111111111/",
			user: "there is no idtyp: a user's token", idToken: "nonce",
			types: []string{"at+jwt", ""},
			alike: []neighbour{
				{"a v2.0 token", claims{"iss": "https://login.microsoftonline.com/fa15d692-e9c7-4460-a743-29f2956fd429/v2.0"}, verifier.ErrIssuer, "version 2.0"},
			},
		},
		{
			name: "Cognito", cfg: cognito(), goldens: []string{"cognito"}, tenant: "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_another",
			user: `"57cbishk4j24pabc1234567890", not one of`, idToken: "token_use",
			algs: []string{"ES256", "PS256", "EdDSA"},
			alike: []neighbour{
				{"a user of another client, named like the machine", claims{"client_id": "57cbishk4j24pabc1234567890"}, verifier.ErrDenied, "not one of"},
				{"without token_use", claims{"token_use": nil}, verifier.ErrDenied, "token_use"},
				{"without a client", claims{"client_id": nil}, verifier.ErrDenied, `there is no claim "client_id"`},
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
			user: `claim "client_id" is "shop", not one of`, idToken: "at_hash",
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
			types: []string{"JWT", ""},
			alike: []neighbour{
				{"a user named like the client", claims{"sub": "client"}, verifier.ErrDenied, "a user's token"},
			},
		},
		{
			name: "Kinde", cfg: kinde(), goldens: []string{"kinde"}, tenant: "https://another.kinde.com",
			user: `claim "gty" is`, idToken: "at_hash",
			algs: []string{"ES256", "PS256", "EdDSA"},
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
			types:    []string{"at+jwt", ""},
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
			algs: []string{"ES256", "PS256", "EdDSA"},
			alike: []neighbour{
				{"the old spelling", claims{"iss": "accounts.google.com"}, verifier.ErrIssuer, "iss is"},
				{"a person with an access token of that client", claims{"sub": "112810400000000710085", "azp": "112010400000000710080"}, verifier.ErrDenied, `claim "sub" is`},
			},
		},
		{
			name: "SPIFFE", cfg: spiffe(), goldens: []string{"spiffe", "spiffe-bare"}, tenant: "https://oidc.example.com",
			stranger: `claim "sub" is`,
			algs:     []string{"EdDSA"}, types: []string{"at+jwt"},
			alike: []neighbour{
				{"without an issuer", claims{"iss": nil}, verifier.ErrIssuer, "no iss"},
				{"the same path in another trust domain", claims{"sub": "spiffe://example.com/orders"}, verifier.ErrDenied, `claim "sub" is`},
			},
		},
	}
}
