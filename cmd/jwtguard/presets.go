package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/providers"
)

// A preset is a function of package providers, by the name that --provider has for it.
type preset struct {
	name, function string
	params         []param
	many           bool // the last parameter may be given several times
	config         func(args []string) (verifier.Config, error)
	fromIssuer     func(issuer string) (args []string, ok bool) // the first arguments; nil where nothing tells
}

// A param is a parameter of a preset.
type param struct {
	name   string // in the help
	sample string // in the code that the user gets, where the value is not known
	raw    bool   // sample is an expression, not a string
}

const exampleAudience = "https://api.example.com"

var (
	audienceParam = param{name: "AUDIENCE", sample: exampleAudience}
	issuerParam   = param{name: "ISSUER", sample: "https://login.example.com"}
	clientParam   = param{name: "CLIENT", sample: "YOUR-CLIENT"}
)

// presets are in the order of the help.
var presets = []preset{
	withAudience("auth0", "Auth0", param{name: "DOMAIN"}, providers.Auth0, captured(`^https://([^/]+\.auth0\.com)/$`)),
	entra("entra", "Entra", providers.Entra, captured(`^https://login\.microsoftonline\.com/(`+guid+`)/v2\.0$`)),
	entra("entra-v1", "EntraV1", providers.EntraV1, captured(`^https://sts\.windows\.net/(`+guid+`)/$`)),
	withAudience("okta", "Okta", issuerParam, providers.Okta, matched(`^https://[^/]+\.okta(-emea|preview)?\.com/oauth2/[^/]+$`)),
	withAudience("keycloak", "Keycloak", param{name: "REALM"}, providers.Keycloak, matched(`^https?://[^/]+(/.*)?/realms/[^/]+$`)),
	withList("cognito", "Cognito", []param{{name: "POOL"}, clientParam}, func(a []string) verifier.Config {
		return providers.Cognito(a[0], a[1], a[2:]...)
	}, captured(`^https://cognito-idp\.[a-z0-9-]+\.amazonaws\.com/([^/]+)$`)),
	withAudience("duende", "Duende", issuerParam, providers.Duende, nil),
	withAudience("kinde", "Kinde", issuerParam, providers.Kinde, matched(`^https://[^/]+\.kinde\.com$`)),
	withAudience("pingone", "PingOne", issuerParam, providers.PingOne, matched(`^https://auth\.pingone\.[a-z.]+/`+guid+`/as$`)),
	{name: "workos", function: "WorkOS", params: []param{issuerParam, {name: "CLIENT", sample: "client_YOURS"}},
		config:     func(a []string) (verifier.Config, error) { return providers.WorkOS(a[0], a[1]), nil },
		fromIssuer: matched(`^https://[^/]+\.authkit\.app$`)},
	withList("hydra", "Hydra", []param{issuerParam, audienceParam, clientParam}, func(a []string) verifier.Config {
		return providers.Hydra(a[0], a[1], a[2], a[3:]...)
	}, matched(`^https://[^/]+\.projects\.oryapis\.com$`)),
	withList("zitadel", "Zitadel", []param{issuerParam, {name: "PROJECT", sample: "YOUR-PROJECT"}, {name: "ACCOUNT", sample: "USER-ID"}}, func(a []string) verifier.Config {
		return providers.Zitadel(a[0], a[1], a[2], a[3:]...)
	}, matched(`^https://[^/]+\.zitadel\.cloud$`)),
	withList("aws", "AWS", []param{issuerParam, audienceParam, {name: "ROLE", sample: "ROLE-ARN"}}, func(a []string) verifier.Config {
		return providers.AWS(a[0], a[1], a[2], a[3:]...)
	}, matched(`^https://[^/]+\.tokens\.sts\.global\.api\.aws$`)),
	withList("google", "GoogleServiceAccounts", []param{audienceParam, {name: "ACCOUNT", sample: "UNIQUE-ID"}}, func(a []string) verifier.Config {
		return providers.GoogleServiceAccounts(a[0], a[1], a[2:]...)
	}, constant(`^https://accounts\.google\.com$`)),
	withList("spiffe", "SPIFFE", []param{issuerParam, audienceParam, {name: "ID", sample: "spiffe://example.org/orders"}}, func(a []string) verifier.Config {
		return providers.SPIFFE(a[0], a[1], a[2], a[3:]...)
	}, nil),
	{name: "github", function: "GitHubActions", many: true,
		params:     []param{audienceParam, {name: "owner=ID|repository=ID", sample: `providers.RepositoryOwnerID("OWNER-ID")`, raw: true}},
		config:     github,
		fromIssuer: constant(`^https://token\.actions\.githubusercontent\.com$`)},
	{name: "gitlab", function: "GitLabCI", many: true,
		params:     []param{issuerParam, audienceParam, {name: "project=ID|namespace=ID", sample: `providers.GitLabProjectID("PROJECT-ID")`, raw: true}},
		config:     gitlab,
		fromIssuer: matched(`^https://gitlab\.com$`)},
	{name: "kubernetes", function: "KubernetesServiceAccount", many: true,
		params:     []param{issuerParam, audienceParam, {name: "NAMESPACE[/ACCOUNT]", sample: `providers.KubernetesAccount("NAMESPACE", "ACCOUNT")`, raw: true}},
		config:     kubernetes,
		fromIssuer: matched(`^https://(oidc\.eks\.[a-z0-9-]+\.amazonaws\.com/id/[0-9A-Z]+|kubernetes\.default\.svc(\.cluster\.local)?)$`)},
}

const guid = `[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`

// withAudience is a preset of something and an audience.
func withAudience(name, function string, first param, make func(first, audience string) verifier.Config, from func(string) ([]string, bool)) preset {
	return preset{
		name: name, function: function, params: []param{first, audienceParam}, fromIssuer: from,
		config: func(a []string) (verifier.Config, error) { return make(a[0], a[1]), nil },
	}
}

// entra is a preset whose audience is the application (client) ID of the API.
func entra(name, function string, make func(tenant, audience string) verifier.Config, from func(string) ([]string, bool)) preset {
	p := withAudience(name, function, param{name: "TENANT"}, make, from)
	p.params[1].sample = "THE-API'S-CLIENT-ID"
	return p
}

// withList is a preset that ends with a list of one or more.
func withList(name, function string, params []param, make func([]string) verifier.Config, from func(string) ([]string, bool)) preset {
	return preset{
		name: name, function: function, params: params, many: true, fromIssuer: from,
		config: func(a []string) (verifier.Config, error) { return make(a), nil },
	}
}

// captured finds the first argument within an issuer.
func captured(pattern string) func(string) ([]string, bool) {
	re := regexp.MustCompile(pattern)
	return func(issuer string) ([]string, bool) {
		found := re.FindStringSubmatch(issuer)
		if found == nil {
			return nil, false
		}
		return found[1:2], true
	}
}

// matched says that the first argument is the issuer.
func matched(pattern string) func(string) ([]string, bool) {
	re := regexp.MustCompile(pattern)
	return func(issuer string) ([]string, bool) { return []string{issuer}, re.MatchString(issuer) }
}

// constant says that the issuer is no argument.
func constant(pattern string) func(string) ([]string, bool) {
	re := regexp.MustCompile(pattern)
	return func(issuer string) ([]string, bool) { return nil, re.MatchString(issuer) }
}

func github(a []string) (verifier.Config, error) {
	who, err := identities(a[1:], map[string]func(string) providers.GitHubIdentity{
		"owner": providers.RepositoryOwnerID, "repository": providers.RepositoryID,
	})
	if err != nil {
		return verifier.Config{}, err
	}
	return providers.GitHubActions(a[0], who[0], who[1:]...), nil
}

func gitlab(a []string) (verifier.Config, error) {
	who, err := identities(a[2:], map[string]func(string) providers.GitLabIdentity{
		"project": providers.GitLabProjectID, "namespace": providers.GitLabNamespaceID,
	})
	if err != nil {
		return verifier.Config{}, err
	}
	return providers.GitLabCI(a[0], a[1], who[0], who[1:]...), nil
}

func kubernetes(a []string) (verifier.Config, error) {
	var who []providers.KubernetesIdentity
	for _, arg := range a[2:] {
		namespace, account, one := strings.Cut(arg, "/")
		if one {
			who = append(who, providers.KubernetesAccount(namespace, account))
		} else {
			who = append(who, providers.KubernetesNamespace(namespace))
		}
	}
	return providers.KubernetesServiceAccount(a[0], a[1], who[0], who[1:]...), nil
}

// identities reads KIND=ID arguments.
func identities[T any](args []string, kinds map[string]func(string) T) (who []T, err error) {
	for _, arg := range args {
		kind, id, _ := strings.Cut(arg, "=")
		if kinds[kind] == nil {
			return nil, fmt.Errorf("%s is not KIND=ID", shortArgument(arg))
		}
		who = append(who, kinds[kind](id))
	}
	return who, nil
}

// usage is the form of the preset in --provider.
func (p *preset) usage() string {
	names := make([]string, len(p.params))
	for i, param := range p.params {
		names[i] = param.name
	}
	text := p.name + ":" + strings.Join(names, ",")
	if p.many {
		text += "..."
	}
	return text
}

// fromFlag returns the Config of a --provider flag. With audiences, the preset's own
// audience is left out of the flag: it is the first of them, and the others are added.
func fromFlag(value string, audiences []string) (verifier.Config, error) {
	name, given, _ := strings.Cut(value, ":")
	at := slices.IndexFunc(presets, func(p preset) bool { return p.name == name })
	if at < 0 {
		var names []string
		for _, p := range presets {
			names = append(names, p.name)
		}
		return verifier.Config{}, fmt.Errorf("there is no provider %s; there are %s", shortArgument(name), strings.Join(names, ", "))
	}
	p := &presets[at]
	var args []string
	if given != "" {
		args = strings.Split(given, ",")
	}
	own := slices.IndexFunc(p.params, func(p param) bool { return p.name == audienceParam.name })
	more := audiences
	if own >= 0 && len(audiences) > 0 && own <= len(args) {
		args, more = slices.Insert(args, own, audiences[0]), audiences[1:]
	}
	if len(args) < len(p.params) || len(args) > len(p.params) && !p.many {
		text := "the provider is written " + p.usage()
		if own >= 0 {
			text += "; with --audience, AUDIENCE is left out"
		}
		return verifier.Config{}, errors.New(text)
	}
	cfg, err := p.config(args)
	if err == nil && len(more) > 0 {
		cfg.Audiences, cfg.AnyAudience = append(cfg.Audiences, more...), false
	}
	return cfg, err
}

// suggestPreset returns the call of the preset that an issuer is known to need.
func suggestPreset(issuer string) (code string, ok bool) {
	for _, p := range presets {
		if p.fromIssuer == nil {
			continue
		}
		known, ok := p.fromIssuer(issuer)
		if !ok {
			continue
		}
		args := make([]string, len(p.params))
		for i, param := range p.params {
			switch {
			case i < len(known):
				args[i] = strconv.QuoteToASCII(known[i])
			case param.raw:
				args[i] = param.sample
			default:
				args[i] = strconv.QuoteToASCII(param.sample)
			}
		}
		return "providers." + p.function + "(\n\t" + strings.Join(args, ",\n\t") + ",\n)", true
	}
	return "", false
}
