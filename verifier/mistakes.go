package verifier

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// mistake returns the likely reason for a failure. Every failure has one.
func (e *explanation) mistake(f failure) Mistake {
	switch {
	case f.err.kind() == configurationKind:
		return misconfigured
	case f.rule != nil && f.err.Reason == ErrUnavailable:
		return Mistake{"rule_unavailable", "The Check could not decide: see the cause."}
	case f.rule != nil:
		return f.rule.mistake(e.token)
	case f.err.Reason == ErrBinding:
		return e.boundMistake()
	case f.err.Reason == ErrRevoked:
		return Mistake{"revoked", "The token was revoked. The client needs a new one."}
	}
	switch f.step {
	case stepParse:
		return e.formMistake(f.err)
	case stepClaims:
		return e.claimMistake(f.err)
	case stepTimes, stepIssuerTimes:
		return e.timeMistake(f.err)
	case stepIssuer:
		if m, ok := e.kindMistake(); ok && e.policy == nil { // otherwise another check says it
			return m
		}
		return e.issuerMistake()
	case stepAlgorithm:
		return e.algorithmMistake()
	case stepType, stepToken:
		return e.typeMistake(f.err)
	case stepAudience:
		return audienceMistake(e.work.jws.Claims, e.work.claims.audience, e.policy.audiences)
	case stepProfile:
		if f.err.Reason == ErrNotYetValid {
			return e.timeMistake(f.err)
		}
		return Mistake{"profile_claim", "Config.RFC9068 demands a claim that this token does not have: see the cause. If this issuer does not follow RFC 9068, leave RFC9068 off."}
	case stepAdmit:
		return Mistake{"rule_unavailable", "A function of the program could not decide: see the cause."}
	}
	return e.signatureMistake(f.err)
}

var misconfigured = Mistake{"misconfigured", "The API itself is not set up correctly: see the cause."}

func (e *explanation) boundMistake() Mistake {
	text := "The token is bound to a key of its client (cnf with " + e.boundBy() + "). "
	if len(e.api.bindings) > 0 {
		return Mistake{"bound_token", text + "It is valid only in a request that proves possession of the key, and here is no request."}
	}
	return Mistake{"bound_token", text + "This API cannot check possession of the key. Request a token without DPoP and without a client certificate."}
}

// kinds are the codes of tokens that stay wrong whatever else is corrected.
var kinds = []string{"id_token", "refresh_token", "logout_token", "dpop_proof", "encrypted_token", "opaque_token"}

func isKind(code string) bool { return slices.Contains(kinds, code) }

// kindMistake names the kind of a JWT that is no access token, by what it has.
func (e *explanation) kindMistake() (Mistake, bool) {
	h, claims := &e.work.jws.Header, e.work.jws.Claims
	use, _ := claims.String("token_use")
	typ, _ := claims.String("typ")
	is := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool {
			return strings.EqualFold(name, use) || strings.EqualFold(name, typ) || jose.SameMediaType(name, h.Typ)
		})
	}
	switch {
	case is("logout", "logout+jwt", "backchannel-logout+jwt", "secevent+jwt") || claims.Has("events"):
		return Mistake{"logout_token", "This is a logout token or another security event, not an access token. Such tokens are sent to a client, not by it."}, true
	case is("refresh", "offline", "rt+jwt", "refresh+jwt"):
		return Mistake{"refresh_token", "This is a refresh token, which is for the issuer's token endpoint alone. Send the access token of the same response."}, true
	case is("dpop+jwt"):
		return Mistake{"dpop_proof", "This is a DPoP proof, not an access token. It belongs in the header field DPoP."}, true
	case is("id", "id_token", "id+jwt") || claims.Has("at_hash") || claims.Has("c_hash") || e.policy != nil && claims.Value("nonce") != "" && e.policy.checkPayload(claims) != nil:
		return Mistake{"id_token", "This is an ID token, which tells the client who logged in. Send the access token of the same response."}, true
	}
	return Mistake{}, false
}

func (e *explanation) typeMistake(err *Error) Mistake {
	if m, ok := e.kindMistake(); ok {
		return m
	}
	h := &e.work.jws.Header
	switch {
	case err.Reason != ErrType:
		return e.claimMistake(err)
	case slices.Equal(e.policy.types, []string{"at+jwt"}):
		return Mistake{"typ_at_jwt_demanded", "The typ demanded is at+jwt (RFC 9068); that of this token is " + e.foundType() + ". Let the issuer follow RFC 9068 if it can; otherwise leave Config.RFC9068 off, or add this typ to Config.Types."}
	case !h.HasTyp:
		return Mistake{"typ_missing", "The header has no typ. If this issuer's access tokens have none, add \"\" to Config.Types."}
	}
	return Mistake{"typ_other", "typ " + e.foundType() + " is not that of an access token here. If this issuer's access tokens have it, add it to Config.Types."}
}

var noIssuer = Mistake{"no_issuer", "The token has no iss, so its issuer is unknown. Is it an access token?"}

func (e *explanation) claimMistake(err *Error) Mistake {
	claims := e.work.jws.Claims
	for _, name := range []string{"exp", "nbf"} {
		value := claims.Value(name)
		_, wrong := dateOf(claims, name)
		switch {
		case wrong == nil:
		case inMilliseconds(value):
			return Mistake{"date_milliseconds", name + " is in milliseconds, but dates in a JWT are in seconds (RFC 7519 section 2). The issuer must fix that."}
		case value[0] == '"':
			return Mistake{"date_text", name + " is a string, but dates in a JWT are numbers of seconds (RFC 7519 section 2). The issuer must fix that."}
		}
	}
	switch {
	case claims.Value("exp") == "":
		return Mistake{"no_expiry", "The token has no exp, so it would never expire. The issuer must set one."}
	case err.Reason == ErrIssuer:
		return noIssuer
	}
	return Mistake{"claim_type", "The value of a claim has the wrong type, or is out of range: see the cause. The issuer must fix that."}
}

// inMilliseconds reports whether a number is a date of this century in milliseconds.
func inMilliseconds(value string) bool {
	f, err := strconv.ParseFloat(value, 64)
	return err == nil && f/1000 > 946684800 && f/1000 < 4102444800 && f > jose.LastDate
}

// timeMistake needs the statistics of the keys, which have the difference of the clocks:
// it is called after the last check.
func (e *explanation) timeMistake(err *Error) Mistake {
	c, ahead := &e.work.claims.registeredClaims, e.report.Keys.ClockDifference
	leeway := e.maxLeeway
	if e.policy != nil {
		leeway = e.policy.leeway
	}
	issued := c.issuedAt.Sub(e.now)
	future := !c.issuedAt.IsZero() && issued > leeway
	switch {
	case err.Reason == ErrClaims && !(future && c.expiresAt.Sub(c.issuedAt) <= e.policy.maxLifetime):
		return e.lifetimeMistake()
	case future:
		return Mistake{"clock_off", fmt.Sprintf("The token was issued %s in the future (iat): this machine's clock is behind, or the issuer's is ahead. Synchronize both, for example with NTP.", roughly(issued))}
	case ahead.Abs() > leeway && c.checkTimes(e.now.Add(ahead), leeway) == nil:
		return Mistake{"clock_off", fmt.Sprintf("By the clock of the issuer's server, which differs from this machine's by %s, the token is valid. Synchronize both, for example with NTP.", roughly(ahead.Abs()))}
	case err.Reason == ErrExpired:
		return Mistake{"expired", fmt.Sprintf("The token expired %s ago. The client must request a new one in time (expires_in).", roughly(e.now.Sub(c.expiresAt)))}
	}
	return Mistake{"not_yet_valid", fmt.Sprintf("The token becomes valid in %s (nbf).", roughly(c.notBefore.Sub(e.now)))}
}

func (e *explanation) lifetimeMistake() Mistake {
	c, most := &e.work.claims.registeredClaims, e.policy.maxLifetime
	life := c.expiresAt.Sub(e.now)
	if !c.issuedAt.IsZero() {
		life = c.expiresAt.Sub(c.issuedAt)
	}
	if meant := life / 1000; meant <= most && meant%time.Minute == 0 {
		return Mistake{"lifetime_milliseconds", fmt.Sprintf("The token is valid for %s, as if %s in milliseconds had been added as seconds. The issuer must fix that.", roughly(life), roughly(meant))}
	}
	return Mistake{"lifetime", fmt.Sprintf("The token is valid for %s, longer than MaxLifetime (%s). Shorten the lifetime at the issuer, or raise MaxLifetime.", roughly(life), most)}
}

func (e *explanation) issuerMistake() Mistake {
	if e.named == "" {
		return noIssuer
	}
	if e.policy == nil {
		return Mistake{"issuer_other", "iss is " + quote(e.named) + ", and no issuer that is configured resembles it. Was the token requested from the right server?"}
	}
	configured := e.policy.issuer
	which := fmt.Sprintf("iss is %s, and Config.Issuer is %q", quote(e.named), configured)
	switch path := strings.TrimRight(configured, "/"); {
	case strings.Contains(path, "/.well-known/") && !strings.Contains(path, "jwks"):
		return Mistake{"issuer_is_discovery_url", which + ". That is the address of the issuer's metadata. Set Issuer to the member issuer of the metadata."}
	case strings.HasSuffix(path, "/token"):
		return Mistake{"issuer_is_token_url", which + ". That is the token endpoint. Set Issuer to the member issuer of the issuer's metadata."}
	case isKeysURL(path):
		return Mistake{"issuer_is_jwks_url", which + ". That is the address of the issuer's keys. Set Issuer to the member issuer of its metadata."}
	case slices.Contains([]string{"common", "organizations", "consumers"}, entraTenant(configured)), strings.Contains(configured, "{"):
		return Mistake{"issuer_placeholder", which + ". No token has that issuer: each tenant has its own. Configure that of your tenant, or set Settings.Tenants."}
	}
	switch likeness(e.named, configured) {
	case bySlash:
		return Mistake{"issuer_slash", which + ". They differ in the slash at the end; set Issuer to what iss says."}
	case byScheme:
		return Mistake{"issuer_http", which + ". One is http, the other https. Where a proxy serves https, the server behind it must be told its address."}
	case bySpelling:
		return Mistake{"issuer_spelling", which + ". They differ in spelling alone, but are compared byte for byte; set Issuer to what iss says."}
	case byVersion:
		return Mistake{"issuer_version", which + ". With Entra ID, tokens of version 1.0 have https://sts.windows.net/<tenant>/, those of version 2.0 https://login.microsoftonline.com/<tenant>/v2.0. Set Issuer to what iss says, or requestedAccessTokenVersion in the manifest of the API's registration."}
	case byEnvironment:
		return Mistake{"issuer_other_environment", which + ". The token is of another environment, or of the same server under another name."}
	case byTenant:
		return Mistake{"issuer_other_tenant", which + ". The token is of another tenant, realm or server."}
	case byPath:
		return Mistake{"issuer_other_path", which + ". The host is the same, the path is not: another realm or authorization server of it, or a path that was left out."}
	}
	return Mistake{"issuer_other", which + ". The token is of another issuer."}
}

// isKeysURL reports whether a URL looks like the address of a JWK Set.
func isKeysURL(path string) bool {
	last := strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])
	return strings.Contains(last, "jwk") || last == "keys" || last == "certs"
}

func (e *explanation) algorithmMistake() Mistake {
	name, public := e.work.jws.Alg, e.policy.takesPublicKeys()
	a := jose.ByName(name)
	switch {
	case strings.EqualFold(name, "none"):
		return Mistake{"unsigned", "The token is not signed (alg none), so anybody can have made it. That is never accepted."}
	case a == nil:
		return Mistake{"algorithm_unknown", "alg " + quote(name) + " is not supported. Let the issuer sign with RS256, ES256 or EdDSA."}
	case a.MinSecret > 0 && public:
		return Mistake{"hmac_token", "The token is signed with a shared secret (" + name + "), but the issuer's public keys are configured. Let the issuer sign with RS256 or ES256; or set Config.SharedSecrets."}
	case a.MinSecret == 0 && !public:
		return Mistake{"public_key_token", "The token is signed with a private key (" + name + "), but SharedSecrets are configured. Without SharedSecrets, the issuer's public keys are found through its metadata."}
	}
	allowed := strings.Join(e.policy.algorithmNames(), ", ")
	if !public {
		return Mistake{"algorithm_pinned", "The token is signed with " + name + ", but allowed is only " + allowed + ", by Config.Algorithms or the length of the SharedSecrets."}
	}
	return Mistake{"algorithm_pinned", "The token is signed with " + name + ", but Config.Algorithms allows only " + allowed + ". If the issuer changed that on purpose, add it."}
}

// audienceMistake compares aud with the audiences that are demanded.
func audienceMistake(claims jose.Object, aud, demanded []string) Mistake {
	if len(aud) == 0 {
		return Mistake{"no_audience", "The token has no aud, so it is for no API in particular. Let the client name this API in its request (as audience, resource or scope, depending on the issuer), or let the issuer add it. If this issuer's tokens never have aud, see Config.AnyAudience."}
	}
	const few = 16
	which := func(a, d string) string { return fmt.Sprintf("aud is %s, and this API is %q", quote(a), d) }
	best, text := unlike, ""
	for _, a := range aud[:min(len(aud), few)] {
		for _, d := range demanded[:min(len(demanded), few)] {
			if strings.TrimPrefix(a, "api://") == strings.TrimPrefix(d, "api://") {
				return Mistake{"audience_prefix", which(a, d) + ". They differ in api:// alone: with Entra ID, tokens of version 2.0 have the application's ID, those of version 1.0 can have its URI. Add what aud says to Audiences."}
			}
			if l := likeness(a, d); l != unlike && (best == unlike || l < best) {
				best, text = l, which(a, d)
			}
		}
	}
	switch best {
	case bySlash:
		return Mistake{"audience_slash", text + ". They differ in the slash at the end. Add what aud says to Audiences, or let the client request the other."}
	case byScheme, bySpelling:
		return Mistake{"audience_spelling", text + ". They differ in spelling alone, but are compared byte for byte. Add what aud says to Audiences, or let the client request the other."}
	case byEnvironment:
		return Mistake{"audience_other_environment", text + ". The token is for another environment of it."}
	}
	iss, _ := claims.String("iss")
	for _, a := range aud[:min(len(aud), few)] {
		for _, name := range clientIDNames {
			if id, err := claims.String(name); err == nil && id == a {
				return Mistake{"audience_is_client_id", "aud is the client's own id, " + quote(a) + ": this is an ID token, or the client named no API in its request."}
			}
		}
		switch {
		case a == "account":
			return Mistake{"audience_account", "aud is \"account\", which Keycloak adds by default. Add an audience mapper for this API to a client scope of the client."}
		case iss != "" && strings.HasPrefix(a, strings.TrimSuffix(iss, "/")+"/") || a == iss:
			return Mistake{"audience_is_issuer", "aud is an address of the issuer, " + quote(a) + ": the token is for its own endpoints, such as the user info. Let the client name this API in its request."}
		}
	}
	return Mistake{"audience_other", "The token is for another API, or it is an ID token: aud is " + quoteList(aud) + ". Let the client request a token for this API; or add that to Audiences, if it is a name of this API."}
}

// clientIDNames are the claims in which issuers have the client id.
var clientIDNames = []string{"client_id", "azp", "cid", "appid", "clientId"}
