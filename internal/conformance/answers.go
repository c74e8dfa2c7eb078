package conformance

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// The audiences of the tests.
const (
	OrdersAPI  = "https://api.example.com"
	BillingAPI = "https://billing.example.com"
)

const jsonType = "application/json"

// The answers, word for word.
var (
	noToken = answer{401, []string{`Bearer realm="orders"`}, "",
		`{"error_description":"An access token is needed, sent as Authorization: Bearer."}`}
	badRequest = refusal(400, "invalid_request", "The request must carry exactly one well-formed access token.")
	malformed  = refusal(401, "invalid_token", "The access token is not a well-formed JWT.")
	notValid   = refusal(401, "invalid_token", "The access token is not valid for this API.")
	notYet     = refusal(401, "invalid_token", "The access token is not valid yet.")
	expired    = refusal(401, "invalid_token", "The access token has expired.")
	revoked    = refusal(401, "invalid_token", "The access token has been revoked.")
	stepUp     = refusal(401, "insufficient_user_authentication", "The user must authenticate again as the challenge says.").
			and(`acr_values="gold silver", max_age="300"`).with("a")
	denied     = refusal(403, "insufficient_scope", "The access token does not permit this.")
	cannotTell = answer{503, nil, "5",
		`{"error":"temporarily_unavailable","error_description":"The access token cannot be checked at the moment."}`}
	configurationError = answer{500, nil, "",
		`{"error":"server_error","error_description":"The API is not set up correctly."}`}
)

// An answer is all that a client sees of a refusal.
type answer struct {
	status     int
	challenges []string
	retryAfter string
	body       string
}

func refusal(status int, code, description string) answer {
	challenge := fmt.Sprintf(`Bearer realm="orders", error="%s", error_description="%s"`, code, description)
	return answer{status, []string{challenge}, "", fmt.Sprintf(`{"error":"%s","error_description":"%s"}`, code, description)}
}

// with returns a whose challenge also names scope.
func (a answer) with(scope string) answer { return a.and(fmt.Sprintf(`scope="%s"`, scope)) }

// and returns a whose challenge also has parameters.
func (a answer) and(parameters string) answer {
	a.challenges = []string{a.challenges[0] + ", " + parameters}
	return a
}

func lacks(scope string) answer {
	return refusal(403, "insufficient_scope", "The access token lacks a scope that this needs.").with(scope)
}

// whoami tells what a handler can know of its caller.
func whoami(_ *http.Request, tok *verifier.Token, ok bool) (string, error) {
	if !ok {
		return "nobody", nil
	}
	claims, err := verifier.ClaimsOf[struct {
		Tenant string `json:"tenant"`
	}](tok)
	return fmt.Sprintf("client=%s scopes=%v tenant=%s", tok.ClientID(), tok.Scopes(), claims.Tenant), err
}

// silent is a KeySource that cannot tell.
type silent struct{}

func (silent) Lookup(context.Context, jwkscache.Query) ([]crypto.PublicKey, error) {
	return nil, errors.New("no keys")
}

// answers is the table of requests and of what the client then sees.
func answers(t *testing.T, f Framework) {
	iss := verifiertest.NewIssuer(t)
	cfg := iss.Config(OrdersAPI, BillingAPI)
	settings := verifier.Settings{Realm: "orders"}
	v, err := settings.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	cfg.Keys, cfg.JWKS.HTTPClient = silent{}, nil
	dumb, err := settings.New(cfg)
	require.NoError(t, err)

	group := Layer{Kind: Protect, Verifier: v}
	read := Layer{Kind: Require, Rules: []verifier.Rule{verifier.Scope("orders:read")}}
	open := Layer{Kind: Optional, Verifier: v}
	routes := []Route{
		{Path: "/group", Layers: []Layer{group}, Handle: whoami},
		{Path: "/group/read", Layers: []Layer{group, read}, Handle: whoami},
		{Path: "/rules", Layers: []Layer{{Protect, v, []verifier.Rule{verifier.Scope("a", "b"), verifier.Audience(OrdersAPI)}}}, Handle: whoami},
		{Path: "/any", Layers: []Layer{{Protect, v, []verifier.Rule{
			verifier.AnyScope("x", "y"), verifier.Scope("a", "x"), verifier.Client("billing"), verifier.Scope("b"),
		}}}, Handle: whoami},
		{Path: "/rules/dumb", Layers: []Layer{{Protect, dumb, []verifier.Rule{verifier.Scope("a")}}}, Handle: whoami},
		{Path: "/rules/open", Layers: []Layer{{Optional, v, []verifier.Rule{verifier.Scope("a")}}, read}, Handle: whoami},
		{Path: "/rules/group", Layers: []Layer{{Protect, v, []verifier.Rule{verifier.Scope("a")}}, read}, Handle: whoami},
		{Path: "/billing", Layers: []Layer{{Protect, v, []verifier.Rule{verifier.Audience(BillingAPI)}}}, Handle: whoami},
		{Path: "/both", Layers: []Layer{{Protect, v, []verifier.Rule{verifier.Audience(OrdersAPI)}}, {Require, nil, []verifier.Rule{verifier.Audience(BillingAPI)}}}, Handle: whoami},
		{Path: "/client", Layers: []Layer{{Protect, v, []verifier.Rule{verifier.Client("billing")}}}, Handle: whoami},
		{Path: "/open", Layers: []Layer{open}, Handle: whoami},
		{Path: "/open/read", Layers: []Layer{open, read}, Handle: whoami},
		{Path: "/open/in/group", Layers: []Layer{group, open}, Handle: whoami},
		{Path: "/group/in/open", Layers: []Layer{open, group}, Handle: whoami},
		{Path: "/open/in/dumb", Layers: []Layer{{Optional, dumb, nil}}, Handle: whoami},
		{Path: "/require/unknown", Layers: []Layer{group, {Kind: Require, Rules: []verifier.Rule{verifier.Audience("https://nobody.example.com")}}}, Handle: whoami},
		{Path: "/require/alone", Layers: []Layer{read}, Handle: whoami},
		{Path: "/dumb", Layers: []Layer{{Protect, dumb, nil}}, Handle: whoami},
		{Path: "/refuse", Layers: []Layer{group}, Handle: func(r *http.Request, _ *verifier.Token, _ bool) (string, error) {
			return "", verifier.Require(r.Context(), verifier.Scope(r.URL.Query().Get("scope")))
		}},
		{Path: "/refuse/plain", Layers: []Layer{group}, Handle: func(*http.Request, *verifier.Token, bool) (string, error) {
			return "", errors.New("the order is another client's: secret-detail")
		}},
		{Path: "/refuse/revoked", Layers: []Layer{{Protect, v, []verifier.Rule{verifier.Scope("a")}}}, Handle: func(*http.Request, *verifier.Token, bool) (string, error) {
			return "", fmt.Errorf("jti 7: %w", verifier.ErrRevoked)
		}},
		{Path: "/refuse/claims", Layers: []Layer{group}, Handle: func(_ *http.Request, tok *verifier.Token, _ bool) (string, error) {
			_, err := verifier.ClaimsOf[struct {
				Tenant int `json:"tenant"`
			}](tok)
			return "", err
		}},
		{Path: "/stepup", Layers: []Layer{{Protect, v, []verifier.Rule{verifier.StepUp(5*time.Minute, "gold", "silver"), verifier.Scope("a")}}}, Handle: whoami},
		{Path: "/check/revoked", Layers: []Layer{{Protect, v, []verifier.Rule{verifier.Check(func(context.Context, *verifier.Token) error {
			return fmt.Errorf("jti 7: %w", verifier.ErrRevoked)
		}), verifier.Scope("a")}}}, Handle: whoami},
		{Path: "/check/unavailable", Layers: []Layer{group, {Kind: Require, Rules: []verifier.Rule{verifier.Check(func(context.Context, *verifier.Token) error {
			return verifier.ErrUnavailable
		})}}}, Handle: whoami},
		{Path: "/check/unknown", Layers: []Layer{{Protect, v, []verifier.Rule{verifier.Check(func(context.Context, *verifier.Token) error {
			return &verifier.Error{Reason: errors.New("no reason of package verifier's")}
		})}}}, Handle: whoami},
		{Path: "/check/panics", Layers: []Layer{{Protect, v, []verifier.Rule{verifier.Check(func(context.Context, *verifier.Token) error { panic("bug") })}}}, Handle: whoami},
		{Path: "/check/denies", Layers: []Layer{{Protect, v, []verifier.Rule{verifier.Check(func(context.Context, *verifier.Token) error {
			return &verifier.Error{Reason: verifier.ErrNoToken}
		})}}}, Handle: whoami},
		{Path: "/check/denies/open", Layers: []Layer{{Optional, v, []verifier.Rule{verifier.Check(func(context.Context, *verifier.Token) error {
			return &verifier.Error{Reason: verifier.ErrNoToken}
		})}}}, Handle: whoami},
	}
	good := iss.Token(verifiertest.Claims{"client_id": "billing", "scope": "orders:read a b", "tenant": "acme"})
	plain := iss.Token(nil)
	forBilling := iss.Token(verifiertest.Claims{"aud": BillingAPI})
	forBoth := iss.Token(verifiertest.Claims{"aud": []string{BillingAPI, OrdersAPI}})
	stale := iss.Token(verifiertest.Claims{"exp": 1})
	other := iss.Token(verifiertest.Claims{"aud": "https://other.example.com"})
	foreign := verifiertest.NewIssuer(t).Token(verifiertest.Claims{"aud": OrdersAPI})
	parts := strings.Split(good, ".")
	forged := parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2]))
	kid, alg := iss.Key()
	unsigned := strings.Join(strings.Split(iss.Sign(`{"alg":"none","kid":"`+kid+`"}`, `{}`), ".")[:2], ".") + "."
	wrongAlg := iss.Sign(`{"alg":"HS256","kid":"`+kid+`"}`, payloadOf(t, good))
	unknownKid := iss.Sign(`{"alg":"`+alg+`","kid":"nobody's"}`, payloadOf(t, good))
	caller := "client=billing scopes=[orders:read a b] tenant=acme"
	preflight := http.Header{"Origin": {"https://app.example.com"}, "Access-Control-Request-Method": {"GET"}}

	panicked := answer{status: 500}
	if f.Recovers {
		panicked = configurationError
	}

	rows := []struct {
		name   string
		path   string
		method string // GET if empty
		token  string
		header http.Header
		body   string // of the handler; or else:
		want   answer
	}{
		{name: "group lets a good token through", path: "/group", token: good, body: caller},
		{name: "R1 no token", path: "/group", want: noToken},
		{name: "R1 another scheme", path: "/group", header: http.Header{"Authorization": {"Basic dTpw"}}, want: noToken},
		{name: "X1 two fields", path: "/group", header: http.Header{"Authorization": {"Bearer " + good, "Bearer " + good}}, want: badRequest},
		{name: "X1 empty Bearer", path: "/group", header: http.Header{"Authorization": {"Bearer"}}, want: badRequest},
		{name: "X1 a comma", path: "/group", header: http.Header{"Authorization": {"Bearer a,b"}}, want: badRequest},
		{name: "X1 no JWT", path: "/group", token: "abc", want: malformed},
		{name: "X3 oversized", path: "/group", token: strings.Repeat("a", 16<<10+1), want: malformed},
		{name: "R2 expired", path: "/group", token: stale, want: expired},
		{name: "R3 audience", path: "/group", token: other, want: notValid},
		{name: "R3 issuer", path: "/group", token: foreign, want: notValid},
		{name: "R3 signature", path: "/group", token: forged, want: notValid},
		{name: "R3 algorithm", path: "/group", token: wrongAlg, want: notValid},
		{name: "R3 key", path: "/group", token: unknownKid, want: notValid},
		{name: "A1 none", path: "/group", token: unsigned, want: malformed},
		{name: "R4 no keys", path: "/dumb", token: good, want: cannotTell},
		{name: "R4 an expired token needs no key", path: "/dumb", token: stale, want: expired},
		{name: "HEAD has the headers and no body", path: "/group", method: "HEAD", want: answer{401, noToken.challenges, "", ""}},
		{name: "R2 route rule: scope there", path: "/group/read", token: good, body: caller},
		{name: "R2 route rule: scope missing", path: "/group/read", token: plain, want: lacks("orders:read")},
		{name: "R2 rules in Protect", path: "/rules", token: plain, want: lacks("a b")},
		{name: "the audience answers before the scope", path: "/rules", token: forBilling, want: notValid.with("a b")},
		{name: "R2 the route's scopes without a token", path: "/rules", want: noToken.with("a b")},
		{name: "R2 the route's scopes with two fields", path: "/rules", header: http.Header{"Authorization": {"Bearer " + good, "Bearer " + good}}, want: badRequest.with("a b")},
		{name: "R2 the route's scopes without a JWT", path: "/rules", token: "abc", want: malformed.with("a b")},
		{name: "R2 the route's scopes with an expired token", path: "/rules", token: stale, want: expired.with("a b")},
		{name: "R2 each scope once, in order, of AnyScope the first", path: "/any", want: noToken.with("x a b")},
		{name: "R2 all of the route's scopes where one is missing", path: "/any", token: good, want: lacks("x a b")},
		{name: "R2 the route's scopes where another rule refuses", path: "/any", token: iss.Token(verifiertest.Claims{"client_id": "shop", "scope": "x a b"}), want: denied.with("x a b")},
		{name: "R4 no challenge, no scope", path: "/rules/dumb", token: good, want: cannotTell},
		{name: "R2 scopes of Optional and of Require inside", path: "/rules/open", want: noToken.with("a orders:read")},
		{name: "R2 scopes of Protect and of Require inside", path: "/rules/group", token: iss.Token(verifiertest.Claims{"scope": "a"}), want: lacks("a orders:read")},
		{name: "R2 Require adds nothing to the challenge of Protect outside", path: "/rules/group", want: noToken.with("a")},
		{name: "another audience's route", path: "/billing", token: forBilling, body: "client=test-client scopes=[] tenant="},
		{name: "a token for this service but not for this route", path: "/billing", token: good, want: notValid},
		{name: "C11 two audience rules, one met", path: "/both", token: good, want: notValid},
		{name: "C11 two audience rules, both met", path: "/both", token: forBoth, body: "client=test-client scopes=[] tenant="},
		{name: "client on the list", path: "/client", token: good, body: caller},
		{name: "client not on the list", path: "/client", token: plain, want: denied},
		{name: "R8 optional without token", path: "/open", body: "nobody"},
		{name: "R8 optional with token", path: "/open", token: good, body: caller},
		{name: "R8 optional with a bad token", path: "/open", token: other, want: notValid},
		{name: "R8 optional with two tokens", path: "/open", header: http.Header{"Authorization": {"Bearer " + good, "Basic x"}}, want: badRequest},
		{name: "R8 optional without keys", path: "/open/in/dumb", token: good, want: cannotTell},
		{name: "R8 optional without keys and token", path: "/open/in/dumb", body: "nobody"},
		{name: "R2 require inside optional, no token", path: "/open/read", want: noToken.with("orders:read")},
		{name: "require inside optional, scope missing", path: "/open/read", token: plain, want: lacks("orders:read")},
		{name: "require inside optional, scope there", path: "/open/read", token: good, body: caller},
		{name: "optional inside a group, no token", path: "/open/in/group", want: noToken},
		{name: "optional inside a group", path: "/open/in/group", token: good, body: caller},
		{name: "group inside optional, no token", path: "/group/in/open", want: noToken},
		{name: "group inside optional", path: "/group/in/open", token: good, body: caller},
		{name: "require without protect is a configuration error", path: "/require/alone", token: good, want: configurationError},
		{name: "R10 require with an audience that nobody configured", path: "/require/unknown", token: good, want: configurationError},
		{name: "R10 a check's reason that is none", path: "/check/unknown", token: good, want: configurationError},
		{name: "R2 a check's reason", path: "/check/revoked", token: good, want: revoked.with("a")},
		{name: "R2 a check that cannot tell", path: "/check/unavailable", token: good, want: cannotTell},
		{name: "C14 a user who authenticated", path: "/stepup", token: iss.Token(verifiertest.Claims{"scope": "a", "acr": "gold", "auth_time": time.Now().Unix()}), body: "client=test-client scopes=[a] tenant="},
		{name: "C14 a user who must authenticate again", path: "/stepup", token: good, want: stepUp},
		{name: "R2 the handler's reason", path: "/refuse/revoked", token: good, want: revoked.with("a")},
		{name: "R2 claims that do not fit", path: "/refuse/claims", token: good, want: notValid},
		{name: "the handler refuses", path: "/refuse?scope=orders:write", token: good, want: lacks("orders:write")},
		{name: "the handler refuses with an error of its own", path: "/refuse/plain", token: good, want: denied},
		{name: "a check panics", path: "/check/panics", token: good, want: panicked},
		{name: "a check answers", path: "/check/denies", token: good, want: noToken},
		{name: "R8 a check's no token does not open optional", path: "/check/denies/open", token: good, want: noToken},
		{name: "R7 preflight", path: "/group", method: "OPTIONS", header: preflight, want: noToken},
		{name: "R7 preflight where the route requires more", path: "/open/read", method: "OPTIONS", header: preflight, want: noToken.with("orders:read")},
		{name: "R7 preflight with a bad token", path: "/open", method: "OPTIONS", token: other, header: preflight, want: notValid},
		{name: "R7 preflight with a good token", path: "/group", method: "OPTIONS", token: good, header: preflight, body: caller},
	}
	app := f.Build(routes)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			res := Send(app, row.method, row.path, row.token, row.header)
			if row.body != "" {
				assert.Equal(t, http.StatusOK, res.Code)
				assert.Equal(t, row.body, res.Body.String())
				assert.Equal(t, "yes", res.Header().Get(Ran))
				return
			}
			assert.Equal(t, row.want, seen(res))
			if !strings.HasPrefix(row.path, "/refuse") {
				assert.Empty(t, res.Header().Get(Ran), "the handler ran")
			}
			if row.want.body != "" {
				assert.Equal(t, "no-store", res.Header().Get("Cache-Control"), "R5")
				assert.Equal(t, jsonType, res.Header().Get("Content-Type"), "R5")
			}
		})
	}
}
