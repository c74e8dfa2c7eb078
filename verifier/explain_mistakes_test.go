package verifier_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A brokenSetup is a mistake that people make, in the token or in what is configured.
type brokenSetup struct {
	name   string
	code   string // of the mistake
	change func(*set)
	header members
	claims members
	mangle func(string) string // changes the token
	signer signer
	rules  []verifier.Rule
}

// token returns the token of b.
func (b brokenSetup) token() string {
	s := b.signer
	if s.Signer == nil {
		s = signerOf("ES256")
	}
	raw := s.token(b.header, b.claims)
	if b.mangle != nil {
		raw = b.mangle(raw)
	}
	return raw
}

func brokenSetups() []brokenSetup {
	const tenant = "11111111-2222-3333-4444-555555555555"
	issuerIs := func(iss string) func(*set) { return func(s *set) { s.Issuer = iss } }
	audienceIs := func(aud ...string) func(*set) { return func(s *set) { s.Audiences = aud } }
	rules := func(r ...verifier.Rule) []verifier.Rule { return r }
	text := func(s string) string { return `"` + s + `"` }
	iss := func(s string) members { return members{"iss": text(s)} }
	aud := func(s string) members { return members{"aud": text(s)} }
	now := time.Now()
	in := func(d time.Duration) string { return seconds(now.Add(d)) }
	constant := func(s string) func(string) string { return func(string) string { return s } }
	part := func(i int, change func(string) string) func(string) string {
		return func(raw string) string {
			parts := strings.Split(raw, ".")
			parts[i] = change(parts[i])
			return strings.Join(parts, ".")
		}
	}
	cutBy := func(n int) func(string) string { return func(s string) string { return s[:len(s)-n] } }
	stranger := newSigner("ES256")
	static := func(jwk ...string) func(*set) {
		keys := must(jwkscache.Static([]byte(`{"keys":[` + strings.Join(jwk, ",") + `]}`)))
		return func(s *set) { s.Keys = keys }
	}
	const spare = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"spare"}`
	forEncryption := strings.Replace(spare, `"kid":"spare"`, `"kid":"ES256","use":"enc"`, 1)
	forOther := strings.Replace(spare, `"kid":"spare"`, `"kid":"ES256","use":"tls"`, 1)
	secret := []byte(strings.Repeat("s", 32))

	return []brokenSetup{
		// The form.
		{name: "nothing", code: "no_token", mangle: constant("")},
		{name: "blanks", code: "no_token", mangle: constant(" \n")},
		{name: "with Bearer", code: "pasted_with_scheme", mangle: func(s string) string { return "Bearer " + s }},
		{name: "with bearer", code: "pasted_with_scheme", mangle: func(s string) string { return "bearer  " + s + "\n" }},
		{name: "with the whole field", code: "pasted_with_scheme", mangle: func(s string) string { return "Authorization: Bearer " + s }},
		{name: "in quotes", code: "pasted_with_quotes", mangle: func(s string) string { return `"` + s + `"` }},
		{name: "in apostrophes and a comma", code: "pasted_with_quotes", mangle: func(s string) string { return " '" + s + "'," }},
		{name: "with a line break at the end", code: "pasted_with_line_break", mangle: func(s string) string { return s + "\r\n" }},
		{name: "wrapped", code: "pasted_with_line_break", mangle: func(s string) string { return s[:40] + "\n  " + s[40:] }},
		{name: "with a blank that nobody sees", code: "pasted_with_line_break", mangle: func(s string) string { return s[:40] + "\u200b" + s[40:] }},
		{name: "a token response", code: "pasted_with_text", mangle: func(s string) string {
			return `{"id_token":"` + s + `", "access_token":"` + s + `","token_type":"Bearer"}`
		}},
		{name: "a form", code: "pasted_with_text", mangle: func(s string) string { return "access_token=" + s + "&token_type=Bearer" }},
		{name: "a command", code: "pasted_with_text", mangle: func(s string) string { return `curl -H "Authorization: Bearer ` + s + `" https://api.example.com/` }},
		{name: "a request", code: "pasted_with_text", mangle: func(s string) string {
			return "GET / HTTP/1.1\nAuthorization: Bearer " + s + "\nHost: api.example.com\n"
		}},
		{name: "a percent sign", code: "pasted_with_text", mangle: func(s string) string { return "Bearer%20" + s }},
		{name: "nothing after Bearer", code: "no_token", mangle: constant("Bearer ")},
		{name: "an undefined variable", code: "no_token", mangle: constant("Bearer undefined")},
		{name: "an object", code: "no_token", mangle: constant("[object Object]")},
		{name: "a variable of the shell", code: "no_token", mangle: constant("$TOKEN")},
		{name: "an error response", code: "no_token", mangle: constant(`{"error":"invalid_client"}`)},
		{name: "with Bearer, and cut", code: "truncated", mangle: func(s string) string { return "Bearer " + s[:strings.IndexByte(s, '.')] }},
		{name: "with Bearer, and encrypted", code: "encrypted_token", mangle: constant("Bearer " + encode(`{"alg":"dir","enc":"A256GCM"}`) + "..YQ.YQ.YQ")},
		{name: "with Bearer, and no alg", code: "unsigned", header: members{"alg": ""}, mangle: func(s string) string { return "Bearer " + s }},
		{name: "two tokens and a comma", code: "not_a_jwt", mangle: func(s string) string { return s + "," + s }},
		{name: "standard base64 in quotes", code: "standard_base64", mangle: func(s string) string { return `"` + s + `=="` }},
		{name: "opaque", code: "opaque_token", mangle: constant("2YotnFZFEjr1zCsicMWpAA2YotnFZFEjr1zCsicMWpAA")},
		{name: "opaque, of Google", code: "opaque_token", mangle: constant("ya29.a0AfH6SMDxyz-abcdefghijklmnop")},
		{name: "opaque, with three parts", code: "opaque_token", mangle: constant("v4.public.eHh4eHh4eHg")},
		{name: "encrypted", code: "encrypted_token", mangle: constant(encode(`{"alg":"RSA-OAEP","enc":"A256GCM"}`) + ".YQ.YQ.YQ.YQ")},
		{name: "encrypted, directly", code: "encrypted_token", mangle: constant(encode(`{"alg":"dir","enc":"A256GCM"}`) + "..YQ.YQ.YQ")},
		{name: "the end is missing", code: "truncated", mangle: cutBy(9)},
		{name: "half a character is missing", code: "truncated", mangle: cutBy(1)},
		{name: "the signature is missing", code: "truncated", mangle: func(s string) string { return s[:strings.LastIndexByte(s, '.')] }},
		{name: "only the header is left", code: "truncated", mangle: func(s string) string { return s[:strings.IndexByte(s, '.')] }},
		{name: "the beginning is missing", code: "truncated", mangle: func(s string) string { return s[4:] }},
		{name: "copied from a display", code: "truncated", mangle: func(s string) string { return s[:60] + "..." }},
		{name: "an RSA signature is cut", code: "truncated", signer: signerOf("RS256"), mangle: cutBy(20)},
		{name: "nothing after the last dot", code: "unsigned", mangle: part(2, func(string) string { return "" })},
		{name: "no alg", code: "unsigned", header: members{"alg": ""}},
		{name: "alg none", code: "unsigned", header: members{"alg": `"none"`}},
		{name: "two tokens", code: "not_a_jwt", mangle: func(s string) string { return s + "." + s }},
		{name: "standard base64", code: "standard_base64", mangle: part(0, func(s string) string { return s + "=" })},
		{name: "a name twice", code: "duplicate_name", mangle: part(1, func(string) string { return encode(goodClaims().With(`"scope":"admin"`)) })},
		{name: "a name twice, deep inside", code: "duplicate_name", mangle: part(1, func(string) string { return encode(goodClaims().With(`"x":{"a":1,"a":2}`)) })},
		{name: "iss spelled Iss", code: "name_spelling", claims: members{"iss": "", "Iss": text(issuer)}},
		{name: "alg spelled ALG", code: "name_spelling", header: members{"ALG": `"ES256"`}},
		{name: "crit", code: "critical_header", header: members{"crit": `["exp"]`}},
		{name: "a nested token", code: "nested_token", header: members{"cty": `"JWT"`}},
		{name: "no JSON", code: "not_strict_json", mangle: part(1, func(string) string { return encode(goodClaims().Text() + "{}") })},
		{name: "too long", code: "too_long", claims: members{"x": text(strings.Repeat("x", 20<<10))}},

		// The claims.
		{name: "exp in milliseconds", code: "date_milliseconds", claims: members{"exp": in(time.Hour) + "000"}},
		{name: "nbf in milliseconds", code: "date_milliseconds", claims: members{"nbf": in(0) + "000"}},
		{name: "exp is a text", code: "date_text", claims: members{"exp": text(in(time.Hour))}},
		{name: "no exp", code: "no_expiry", claims: members{"exp": ""}},
		{name: "no iss", code: "no_issuer", claims: members{"iss": ""}},
		{name: "sub is a number", code: "claim_type", claims: members{"sub": "17"}},
		{name: "scope is an object", code: "claim_type", claims: members{"scope": `{"a":"b"}`}},
		{name: "expired", code: "expired", claims: members{"exp": in(-time.Hour), "iat": in(-2 * time.Hour)}},
		{name: "expired without iat", code: "expired", claims: members{"exp": in(-90 * time.Second), "iat": ""}},
		{name: "not yet valid", code: "not_yet_valid", claims: members{"nbf": in(time.Hour)}},
		{name: "a clock that is behind", code: "clock_off", claims: members{"nbf": in(10 * time.Minute), "iat": in(10 * time.Minute)}},
		{name: "a lifetime in milliseconds", code: "lifetime_milliseconds", change: func(s *set) { s.MaxLifetime = 2 * time.Hour },
			claims: members{"exp": in(3600000 * time.Second), "iat": in(0)}},
		{name: "a lifetime of 30 days", code: "lifetime", change: func(s *set) { s.MaxLifetime = 2 * time.Hour }, claims: members{"exp": in(30 * 24 * time.Hour), "iat": in(0)}},
		{name: "a lifetime of 10 hours", code: "lifetime", change: func(s *set) { s.MaxLifetime = 2 * time.Hour }, claims: members{"exp": in(10 * time.Hour), "iat": in(0)}},
		{name: "iat in the future, with RFC 9068", code: "clock_off", change: func(s *set) { s.RFC9068 = true }, claims: members{"iat": in(10 * time.Minute)}},
		{name: "iat in the future, with MaxLifetime", code: "clock_off", change: func(s *set) { s.MaxLifetime = time.Hour }, claims: members{"iat": in(10 * time.Minute), "exp": in(70 * time.Minute)}},
		{name: "iss is a list", code: "claim_type", claims: members{"iss": `["https://login.example.com/"]`}},
		{name: "aud is an object", code: "claim_type", claims: members{"aud": `{"a":"b"}`}},
		{name: "exp is negative", code: "claim_type", claims: members{"exp": "-1"}},
		{name: "a long lifetime", code: "lifetime", change: func(s *set) { s.MaxLifetime = 2 * time.Hour }, claims: members{"exp": in(25*time.Hour + 7*time.Second)}},

		// The issuer.
		{name: "iss without the slash", code: "issuer_slash", claims: iss("https://login.example.com")},
		{name: "iss with the slash", code: "issuer_slash", change: issuerIs("https://login.example.com"), claims: iss("https://login.example.com/")},
		{name: "an http issuer", code: "issuer_http", claims: iss("http://login.example.com/")},
		{name: "https where http is configured", code: "issuer_http", change: issuerIs("http://login.example.com/"), claims: iss("https://login.example.com/")},
		{name: "upper case", code: "issuer_spelling", claims: iss("https://Login.Example.com/")},
		{name: "a port that is the default", code: "issuer_spelling", claims: iss("https://login.example.com:443/")},
		{name: "Google's iss without https://", code: "issuer_spelling", change: issuerIs("https://accounts.google.com"), claims: iss("accounts.google.com")},
		{name: "http and the slash", code: "issuer_http", claims: iss("http://login.example.com")},
		{name: "Entra v2 for v1 without the slash", code: "issuer_version", change: issuerIs("https://sts.windows.net/" + tenant), claims: iss("https://login.microsoftonline.com/" + tenant + "/v2.0")},
		{name: "Entra v2 without v2.0", code: "issuer_version", change: issuerIs("https://login.microsoftonline.com/" + tenant + "/"), claims: iss("https://login.microsoftonline.com/" + tenant + "/v2.0")},
		{name: "Entra v1 for v2 without v2.0", code: "issuer_version", change: issuerIs("https://login.microsoftonline.com/" + tenant), claims: iss("https://sts.windows.net/" + tenant + "/")},
		{name: "Entra consumers", code: "issuer_placeholder", change: issuerIs("https://login.microsoftonline.com/consumers/v2.0"), claims: iss("https://login.microsoftonline.com/" + tenant + "/v2.0")},
		{name: "organizations in a path that is not Entra's", code: "issuer_other_tenant", change: issuerIs("https://a.example/organizations/acme"), claims: iss("https://a.example/organizations/globex")},
		{name: "another Auth0 tenant in another region, and the slash", code: "issuer_other_tenant", change: issuerIs("https://acme.auth0.com"), claims: iss("https://globex.eu.auth0.com/")},
		{name: "another name of this machine", code: "issuer_other_environment", change: issuerIs("http://localhost:8080/realms/a"), claims: iss("http://127.0.0.1:8080/realms/a")},
		{name: "another port", code: "issuer_other_tenant", change: issuerIs("http://localhost:8080/realms/a"), claims: iss("http://localhost:8081/realms/a")},
		{name: "a path that was left out, with the slash", code: "issuer_other_path", change: issuerIs("https://kc.example.com/"), claims: iss("https://kc.example.com/realms/a/")},
		{name: "an issuer without a letter", code: "issuer_other", change: issuerIs("-"), claims: iss("+")},
		{name: "Entra v1 for v2", code: "issuer_version", change: issuerIs("https://login.microsoftonline.com/" + tenant + "/v2.0"), claims: iss("https://sts.windows.net/" + tenant + "/")},
		{name: "Entra v2 for v1", code: "issuer_version", change: issuerIs("https://sts.windows.net/" + tenant + "/"), claims: iss("https://login.microsoftonline.com/" + tenant + "/v2.0")},
		{name: "another Entra tenant", code: "issuer_other_tenant", change: issuerIs("https://login.microsoftonline.com/" + tenant + "/v2.0"),
			claims: iss("https://login.microsoftonline.com/99999999-2222-3333-4444-555555555555/v2.0")},
		{name: "Entra common", code: "issuer_placeholder", change: issuerIs("https://login.microsoftonline.com/common/v2.0"), claims: iss("https://login.microsoftonline.com/" + tenant + "/v2.0")},
		{name: "another Auth0 tenant", code: "issuer_other_tenant", change: issuerIs("https://acme.eu.auth0.com/"), claims: iss("https://globex.eu.auth0.com/")},
		{name: "another Keycloak realm", code: "issuer_other_tenant", change: issuerIs("https://kc.example.com/realms/a"), claims: iss("https://kc.example.com/realms/b")},
		{name: "another Cognito pool", code: "issuer_other_tenant", change: issuerIs("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AAAAAAAAA"),
			claims: iss("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_BBBBBBBBB")},
		{name: "Keycloak's old path", code: "issuer_other_path", change: issuerIs("https://kc.example.com/auth/realms/a"), claims: iss("https://kc.example.com/realms/a")},
		{name: "Okta's org server", code: "issuer_other_path", change: issuerIs("https://acme.okta.com/oauth2/default"), claims: iss("https://acme.okta.com")},
		{name: "another environment's issuer", code: "issuer_other_environment", change: issuerIs("https://login.example.com/"), claims: iss("https://login.staging.example.com/")},
		{name: "a local issuer", code: "issuer_other_environment", change: issuerIs("https://login.example.com/realms/a"), claims: iss("http://localhost:8080/realms/a")},
		{name: "the JWKS URL as Issuer", code: "issuer_is_jwks_url", change: issuerIs("https://login.example.com/.well-known/jwks.json"), claims: iss("https://login.example.com/")},
		{name: "Keycloak's JWKS URL as Issuer", code: "issuer_is_jwks_url", change: issuerIs("https://kc.example.com/realms/a/protocol/openid-connect/certs"), claims: iss("https://kc.example.com/realms/a")},
		{name: "the token URL as Issuer", code: "issuer_is_token_url", change: issuerIs("https://login.example.com/oauth/token"), claims: iss("https://login.example.com/")},
		{name: "the discovery URL as Issuer", code: "issuer_is_discovery_url", change: issuerIs("https://login.example.com/.well-known/openid-configuration"), claims: iss("https://login.example.com/")},
		{name: "another issuer", code: "issuer_other", claims: iss("https://accounts.google.com")},

		// The algorithm.
		{name: "HS256 with public keys", code: "hmac_token", signer: hmacSigner("HS256", secret)},
		{name: "RS256 with shared secrets", code: "public_key_token", signer: signerOf("RS256"), change: func(s *set) { s.Keys, s.SharedSecrets = nil, [][]byte{secret} }},
		{name: "algorithm pinned", code: "algorithm_pinned", change: func(s *set) { s.Algorithms = []string{"RS256"} }},
		{name: "an algorithm that nobody knows", code: "algorithm_unknown", header: members{"alg": `"ES256K"`}},

		// The kind of token.
		{name: "typ of RFC 9068 demanded", code: "typ_at_jwt_demanded", change: func(s *set) { s.RFC9068 = true }, header: members{"typ": `"JWT"`}},
		{name: "typ of RFC 9068 demanded, none there", code: "typ_at_jwt_demanded", change: func(s *set) { s.RFC9068 = true }, header: members{"typ": ""}},
		{name: "typ of RFC 9068 demanded, with Keycloak's nonce", code: "typ_at_jwt_demanded", change: func(s *set) { s.RFC9068 = true }, header: members{"typ": `"JWT"`}, claims: members{"nonce": `"n"`, "typ": `"Bearer"`}},
		{name: "typ missing", code: "typ_missing", change: func(s *set) { s.Types = []string{"JWT"} }, header: members{"typ": ""}},
		{name: "another typ", code: "typ_other", header: members{"typ": `"vc+jwt"`}},
		{name: "an ID token with at_hash", code: "id_token", header: members{"typ": `"JWT"`}, claims: members{"at_hash": `"x"`, "nonce": `"n"`, "scope": "", "aud": `"billing"`}},
		{name: "an ID token with nonce", code: "id_token", claims: members{"nonce": `"n"`, "scope": "", "aud": `"billing"`}},
		{name: "an ID token of Keycloak", code: "id_token", claims: members{"typ": `"ID"`, "azp": `"billing"`, "aud": `"billing"`}},
		{name: "an ID token of Cognito", code: "id_token", claims: members{"token_use": `"id"`}},
		{name: "an expired ID token", code: "id_token", claims: members{"exp": in(-time.Hour), "at_hash": `"x"`}},
		{name: "a refresh token of Keycloak", code: "refresh_token", claims: members{"typ": `"Refresh"`, "aud": text(issuer)}},
		{name: "a refresh token by its typ", code: "refresh_token", header: members{"typ": `"rt+jwt"`}},
		{name: "a logout token", code: "logout_token", header: members{"typ": `"logout+jwt"`}, claims: members{"events": `{"http://schemas.openid.net/event/backchannel-logout":{}}`}},
		{name: "a DPoP proof", code: "dpop_proof", header: members{"typ": `"dpop+jwt"`}},
		{name: "RFC 9068 without client_id", code: "profile_claim", change: func(s *set) { s.RFC9068 = true }, claims: members{"client_id": ""}},
		{name: "a bound token", code: "bound_token", claims: members{"cnf": `{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}`}},
		{name: "a token bound to a certificate", code: "bound_token", claims: members{"cnf": `{"x5t#S256":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}`}},

		{name: "a token that is not bound", code: "not_bound", change: func(s *set) {
			s.Bindings = []verifier.Binding{{Member: "jkt", Scheme: "DPoP", Confirm: func(*http.Request, *verifier.Token, string) (verifier.Confirmation, error) {
				return verifier.Confirmation{}, nil
			}}}
		}, rules: rules(verifier.Bound())},

		// The audience.
		{name: "no aud", code: "no_audience", claims: members{"aud": ""}},
		{name: "aud is empty", code: "no_audience", claims: members{"aud": "[]"}},
		{name: "aud with the slash", code: "audience_slash", claims: aud(api + "/")},
		{name: "aud without the slash", code: "audience_slash", change: audienceIs(api + "/"), claims: aud(api)},
		{name: "aud in upper case", code: "audience_spelling", claims: aud("https://API.example.com")},
		{name: "aud with http", code: "audience_spelling", claims: aud("http://api.example.com")},
		{name: "staging's aud", code: "audience_other_environment", claims: aud("https://api.staging.example.com")},
		{name: "aud of another environment, by name", code: "audience_other_environment", change: audienceIs("orders-api-prod"), claims: aud("orders-api-dev")},
		{name: "a local aud", code: "audience_other_environment", claims: aud("http://localhost:8080")},
		{name: "aud of a numbered environment", code: "audience_other_environment", claims: aud("https://api-test2.example.com")},
		{name: "client id as audience", code: "audience_is_client_id", claims: aud("billing")},
		{name: "client id as audience, azp", code: "audience_is_client_id", claims: members{"aud": `["web"]`, "azp": `"web"`, "client_id": ""}},
		{name: "Keycloak's account", code: "audience_account", claims: aud("account")},
		{name: "the user info as audience", code: "audience_is_issuer", claims: aud(issuer + "userinfo")},
		{name: "Entra's api://", code: "audience_prefix", change: audienceIs("api://" + tenant), claims: aud(tenant)},
		{name: "another API", code: "audience_other", claims: aud("https://payments.example.org")},
		{name: "another route's audience", code: "audience_other", change: audienceIs(api, "https://b.example.org"), rules: rules(verifier.Audience("https://b.example.org"))},

		// The signature.
		{name: "a key that the issuer does not have", code: "key_unknown", signer: stranger.as("ES256", "other")},
		{name: "a key that is not in the file", code: "key_unknown", change: static(spare)},
		{name: "too many keys", code: "keys_ambiguous", change: func(s *set) { s.Keys = keysOf(stranger, stranger, stranger, stranger, stranger) }},
		{name: "the key is for encryption", code: "key_for_encryption", change: static(spare, forEncryption)},
		{name: "the key has another use", code: "key_unusable", change: static(spare, forOther)},
		{name: "signed by another server's key of that name", code: "signature_wrong", signer: stranger},
		{name: "changed by hand", code: "signature_wrong", mangle: part(1, func(string) string { return encode(goodClaims().With(`"admin":true`)) })},
		{name: "a DER signature", code: "signature_der", mangle: part(2, func(s string) string { return "MEUCIQ" + s[:len(s)-6] + "AAAAAAAAAAAA" })},
		{name: "another secret", code: "secret_wrong", signer: hmacSigner("HS256", []byte(strings.Repeat("t", 32))), change: func(s *set) { s.Keys, s.SharedSecrets = nil, [][]byte{secret} }},
		{name: "no keys of an http issuer", code: "issuer_http", claims: iss("http://login.example.com/"), change: func(s *set) { s.Issuer, s.Keys = "http://login.example.com/", &keyMap{err: jwkscache.ErrUnavailable} }},
		{name: "no keys of a local issuer", code: "keys_unavailable", claims: iss("http://localhost:8080/"), change: func(s *set) { s.Issuer, s.Keys = "http://localhost:8080/", &keyMap{err: jwkscache.ErrUnavailable} }},
		{name: "no keys", code: "keys_unavailable", change: func(s *set) { s.Keys = &keyMap{err: jwkscache.ErrUnavailable} }},

		// The rules.
		{name: "scope missing", code: "scope_missing", rules: rules(verifier.Scope("orders:admin"))},
		{name: "no scope", code: "no_scope", claims: members{"scope": ""}, rules: rules(verifier.Scope("orders:admin"))},
		{name: "the scope is in permissions", code: "scope_elsewhere", claims: members{"permissions": `["orders:admin"]`}, rules: rules(verifier.Scope("orders:admin"))},
		{name: "the scope is in roles", code: "scope_elsewhere", claims: members{"roles": `["orders:admin"]`, "scope": ""}, rules: rules(verifier.Scope("orders:admin"))},
		{name: "the scope is in nested roles", code: "scope_elsewhere", claims: members{"realm_access": `{"roles":["x","orders:admin"]}`}, rules: rules(verifier.AnyScope("orders:admin"))},
		{name: "the scope is in a client's roles", code: "scope_elsewhere", claims: members{"resource_access": `{"a/b":{"roles":["orders:admin"]}}`}, rules: rules(verifier.Scope("orders:admin"))},
		{name: "the scope in upper case", code: "scope_spelling", rules: rules(verifier.Scope("Orders:Read"))},
		{name: "the scope with a dot", code: "scope_spelling", rules: rules(verifier.Scope("orders.read"))},
		{name: "the scope with its resource", code: "scope_spelling", claims: members{"scope": `"https://api.example.com/orders:read"`}, rules: rules(verifier.Scope("orders:read"))},
		{name: "the scope of another resource", code: "scope_missing", claims: members{"scope": `"invoices/read"`}, rules: rules(verifier.Scope("orders/read"))},
		{name: "the scope without its resource", code: "scope_spelling", claims: members{"scope": `"read"`}, rules: rules(verifier.Scope("orders/read"))},
		{name: "the scope is a word of a name", code: "scope_missing", claims: members{"name": `"orders:admin"`}, rules: rules(verifier.Scope("orders:admin"))},
		{name: "the role is a word of a name", code: "role_missing", claims: members{"given_name": `"admin"`, "amr": `["admin"]`}, rules: rules(verifier.Role("admin"))},
		{name: "the role is a scope", code: "role_elsewhere", rules: rules(verifier.Role("orders:read"))},
		{name: "the role is a name, as with Zitadel", code: "role_elsewhere", claims: members{"urn:zitadel:iam:org:project:roles": `{"admin":{"1":"a.example"}}`}, rules: rules(verifier.Role("admin"))},
		{name: "a user's token by a rule", code: "user_token", change: func(s *set) { s.Claims.ClientCredentials = verifier.Claim("idtyp", "app") }, rules: rules(verifier.ClientCredentials())},
		{name: "a user's token by a Check", code: "user_token", change: func(s *set) {
			s.Claims.ClientCredentials = verifier.Check(func(context.Context, *verifier.Token) error { return errors.New("no") })
		}, rules: rules(verifier.ClientCredentials())},
		{name: "an actor of another issuer", code: "actor_not_listed", claims: members{"act": `{"sub":"a","iss":"b"}`}, rules: rules(verifier.Actor("a"))},
		{name: "scopes with commas", code: "scope_separator", claims: members{"scope": `"orders:read,orders:admin"`}, rules: rules(verifier.Scope("orders:admin"))},
		{name: "client id under another name", code: "client_id_elsewhere", claims: members{"client_id": "", "cid": `"billing"`}, rules: rules(verifier.Client("billing"))},
		{name: "client id in appid", code: "client_id_elsewhere", claims: members{"client_id": "", "appid": `"billing"`}, rules: rules(verifier.ClientCredentials())},
		{name: "no client id", code: "no_client_id", claims: members{"client_id": ""}, rules: rules(verifier.Client("billing"))},
		{name: "another client", code: "client_not_listed", rules: rules(verifier.Client("shipping"))},
		{name: "a user's token", code: "user_token", claims: members{"sub": `"alice"`}, rules: rules(verifier.ClientCredentials())},
		{name: "a role is missing", code: "role_missing", rules: rules(verifier.Role("admin"))},
		{name: "the role is nested", code: "role_elsewhere", claims: members{"realm_access": `{"roles":["admin"]}`}, rules: rules(verifier.AnyRole("admin", "owner"))},
		{name: "a claim is missing", code: "claim_demanded", rules: rules(verifier.Claim("tid", tenant))},
		{name: "a claim too many", code: "claim_forbidden", claims: members{"scp": `"a"`}, rules: rules(verifier.NoClaim("scp"))},
		{name: "another issuer's route", code: "issuer_not_for_route", change: func(s *set) { s.Tenants = func(string) (verifier.Config, bool) { return verifier.Config{}, false } },
			rules: rules(verifier.Issuer("https://other.example"))},
		{name: "a delegated token", code: "delegated", claims: members{"act": `{"sub":"a"}`}, rules: rules(verifier.Direct())},
		{name: "no actor", code: "not_delegated", rules: rules(verifier.Actor("a"))},
		{name: "another actor", code: "actor_not_listed", claims: members{"act": `{"sub":"b"}`}, rules: rules(verifier.Actor("a"))},
		{name: "a machine's token where a user is required", code: "no_user_authentication", rules: rules(verifier.StepUp(time.Hour, "gold"))},
		{name: "another authentication context", code: "acr_other", claims: members{"acr": `"silver"`, "auth_time": in(0)}, rules: rules(verifier.StepUp(time.Hour, "gold"))},
		{name: "an old authentication", code: "authentication_old", claims: members{"acr": `"gold"`, "auth_time": in(-2 * time.Hour)}, rules: rules(verifier.StepUp(time.Hour, "gold"))},
		{name: "refused by a Check", code: "check_refused", rules: rules(verifier.Check(func(context.Context, *verifier.Token) error { return errors.New("not today") }))},
		{name: "a Check that cannot decide", code: "rule_unavailable", rules: rules(verifier.Check(func(context.Context, *verifier.Token) error { return verifier.ErrUnavailable }))},
		{name: "a rule that cannot work", code: "misconfigured", rules: rules(verifier.Scope())},
	}
}

func TestExplainNamesTheMistake(t *testing.T) {
	for _, b := range brokenSetups() {
		t.Run("E2 "+b.name, func(t *testing.T) {
			v, _ := setup(t, func(s *set) {
				if b.change != nil {
					b.change(s)
				}
			})
			r := checkReport(t, v, b.token(), b.rules...)
			require.False(t, r.Admitted)
			assert.Equal(t, b.code, r.Mistake.Code, "%s", r)
		})
	}
}

// Whatever is right is not complained about, and said to be right.
func TestExplainGoodTokens(t *testing.T) {
	s := signerOf("ES256")
	secret := []byte(strings.Repeat("s", 32))
	for name, b := range map[string]brokenSetup{
		"E2 a good token":       {},
		"E2 RS256 and RFC 9068": {signer: signerOf("RS256"), change: func(s *set) { s.RFC9068 = true }},
		"E2 rules":              {rules: []verifier.Rule{verifier.Scope("orders:read"), verifier.Client("billing"), verifier.ClientCredentials()}},
		"E2 a shared secret":    {signer: hmacSigner("HS256", secret), change: func(s *set) { s.Keys, s.SharedSecrets = nil, [][]byte{secret} }},
		"E2 several issuers":    {change: func(s *set) { s.Claims.Roles = []string{"/a/b"} }, claims: members{"a": `{"b":["x"]}`}, rules: []verifier.Rule{verifier.Role("x")}},
		"E2 MaxLifetime":        {change: func(s *set) { s.MaxLifetime = 2 * time.Hour }},
		"E2 any audience": {change: func(s *set) {
			s.AnyAudience, s.Audiences, s.Rules = true, nil, []verifier.Rule{verifier.Client("billing")}
		}, claims: members{"aud": ""}},
		"E2 a Check sees a token": {rules: []verifier.Rule{verifier.Check(func(_ context.Context, tok *verifier.Token) error { return errUnless(tok.ClientID() == "billing") })}},
	} {
		t.Run(name, func(t *testing.T) {
			v, _ := setup(t, func(s *set) {
				if b.change != nil {
					b.change(s)
				}
			})
			if b.signer.Signer == nil {
				b.signer = s
			}
			r := checkReport(t, v, b.token(), b.rules...)
			assert.True(t, r.Admitted, "%s", r)
			assert.True(t, strings.HasPrefix(r.String(), "ADMITTED\n"))
			for _, c := range r.Checks {
				assert.Equal(t, verifier.CheckPassed, c.Result, c.Check)
			}
		})
	}
}

func errUnless(ok bool) error {
	if ok {
		return nil
	}
	return errors.New("no")
}

// The codes are those of the documentation, each of them with a broken set-up above.
func TestMistakesAreDocumented(t *testing.T) {
	_, page, _ := strings.Cut(string(must(os.ReadFile("../docs/explain.md"))), "\n## The token")
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\|").FindAllStringSubmatch(page, -1) {
		assert.False(t, documented[m[1]], "E2 %s stands twice", m[1])
		documented[m[1]] = true
	}
	inSource := map[string]bool{}
	for _, file := range must(os.ReadDir(".")) {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`Mistake\{"([a-z0-9_]+)"|mark\("([a-z_]+)"\)`).FindAllSubmatch(must(os.ReadFile(file.Name())), -1) {
			inSource[string(m[1])+string(m[2])] = true
		}
	}
	tried := map[string]bool{}
	for _, b := range brokenSetups() {
		tried[b.code] = true
	}
	sorted := func(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }
	assert.Equal(t, sorted(inSource), sorted(documented), "E2 docs/explain.md has every code")
	apart := []string{"audience_of_other_issuer", "revoked", "tenants_full"} // see TestExplainApart
	assert.Equal(t, sorted(inSource), slices.Sorted(slices.Values(append(sorted(tried), apart...))), "E2 every code is tried")
	assert.GreaterOrEqual(t, len(brokenSetups()), 80, fmt.Sprint(len(brokenSetups())))
}
