package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/seed-12ed5b1c/jwtguard/internal/dpopkey"
)

// A tokenRequest is an access token request of the client-credentials grant (RFC 6749
// §4.4.2).
type tokenRequest struct {
	endpoint, style  string
	clientID, secret string
	audience, scope  string
	resources        []string
	key              *dpopkey.Key // nil if the token is not to be bound
	nonce            string       // of the server, for its proof
}

// A grant is an access token response (RFC 6749 §5.1), or an error response (§5.2).
type grant struct {
	AccessToken      string         `json:"access_token"`
	TokenType        string         `json:"token_type"`
	ExpiresIn        jsontext.Value `json:"expires_in"`
	Scope            string         `json:"scope"`
	Error            string         `json:"error"`
	ErrorDescription string         `json:"error_description"`
	ErrorURI         string         `json:"error_uri"`
}

func (r *tokenRequest) request(ctx context.Context) (*http.Request, error) {
	params := url.Values{"grant_type": {"client_credentials"}}
	add := func(name string, values ...string) {
		for _, v := range values {
			if v != "" {
				params.Add(name, v)
			}
		}
	}
	add("audience", r.audience)
	add("scope", r.scope)
	add("resource", r.resources...)
	if r.style != "basic" {
		add("client_id", r.clientID)
		add("client_secret", r.secret)
	}
	body, contentType := params.Encode(), "application/x-www-form-urlencoded"
	if r.style == "json" {
		members := make(map[string]string)
		for name := range params {
			members[name] = params.Get(name)
		}
		text, err := json.Marshal(members, json.Deterministic(true))
		if err != nil {
			return nil, err
		}
		body, contentType = string(text), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.endpoint, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if r.style == "basic" {
		// Both are form-encoded first (RFC 6749 §2.3.1).
		pair := url.QueryEscape(r.clientID) + ":" + url.QueryEscape(r.secret)
		req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "jwtguard")
	if r.key != nil {
		proof, err := proofFor(r.key, http.MethodPost, r.endpoint, "", r.nonce)
		if err != nil {
			return nil, err
		}
		req.Header.Set("DPoP", proof)
	}
	return req, nil
}

// send returns the token, or an error with an exit code. If the server wants its nonce
// in the proof, it repeats the request once (RFC 9449 §8).
func (r *tokenRequest) send(ctx context.Context, client *http.Client) (grant, error) {
	g, nonce, err := r.exchange(ctx, client)
	if g.Error == "use_dpop_nonce" && r.key != nil && nonce != "" {
		r.nonce = nonce
		g, _, err = r.exchange(ctx, client)
	}
	return g, err
}

// exchange sends the request once. It also returns the nonce of the response, if that
// can be one.
func (r *tokenRequest) exchange(ctx context.Context, client *http.Client) (g grant, nonce string, err error) {
	req, err := r.request(ctx)
	if err != nil {
		return g, "", fail(exitUsage, "%s", r.safe(err.Error()))
	}
	res, err := client.Do(req)
	if err != nil {
		if to := (*redirectError)(nil); errors.As(err, &to) {
			return g, "", fail(exitUsage, "the token endpoint responded with a redirect to %s. The secret is not sent on: is that the token URL?", r.target(to.to))
		}
		return g, "", fail(exitUnavailable, "the token endpoint %s is unavailable: %s", address(r.endpoint), r.failure(err))
	}
	defer res.Body.Close()
	if nonce = res.Header.Get("DPoP-Nonce"); len(nonce) > 256 || !visible(nonce) {
		nonce = ""
	}
	body, err := readBody(res.Body)
	if err != nil {
		return g, "", fail(exitUnavailable, "the token endpoint's response: %s", r.safe(err.Error()))
	}
	if err := json.Unmarshal(body, &g, lenient); err != nil {
		g = grant{}
	}
	r.redactAll(&g)
	switch {
	case res.StatusCode != http.StatusOK || g.Error != "":
		return g, nonce, r.refused(res.StatusCode, &g)
	case g.AccessToken == "":
		return g, "", fail(exitUnavailable, "the response of %s is no token response: is that the token URL?", address(r.endpoint))
	case r.isSecret(g.AccessToken):
		return g, "", fail(exitUnavailable, "what the token endpoint gave as the token has the client's secret in it")
	case r.key != nil && !strings.EqualFold(g.TokenType, "DPoP"):
		return g, "", fail(exitRefused, "the token endpoint did not bind the token to the key: its type is %s, not DPoP (RFC 9449 §5). Does this server support DPoP, and is it enabled for the client?", quoted(g.TokenType))
	case !visible(g.AccessToken):
		return g, "", fail(exitUnavailable, "the token has characters that no token has (RFC 6749 appendix A.12)")
	}
	return g, nonce, nil
}

func (r *tokenRequest) refused(status int, g *grant) error {
	code := exitRefused
	if status >= 500 || status == http.StatusTooManyRequests {
		code = exitUnavailable
	}
	text := strings.TrimSpace(fmt.Sprintf("the token endpoint responded with %d %s", status, http.StatusText(status)))
	for _, part := range []string{g.Error, g.ErrorDescription, g.ErrorURI} {
		if part != "" {
			text += ", " + quoted(part)
		}
	}
	if hint := r.hint(status, g.Error); hint != "" {
		text += ". " + hint
	}
	return fail(code, "%s", text)
}

// hint is the usual cause of an error (RFC 6749 §5.2, RFC 8707 §2).
func (r *tokenRequest) hint(status int, code string) string {
	switch code {
	case "invalid_client":
		return "The client id or its secret is wrong, or the client sends them another way: this was --style " + r.style + "."
	case "unauthorized_client", "unsupported_grant_type":
		return "Enable the client-credentials grant for this client."
	case "invalid_dpop_proof":
		return "The proof names the token endpoint as it was given here, and this machine's time: is the clock right, and does the server know itself by another address?"
	case "use_dpop_nonce":
		return "The server's nonce was missing, or was refused twice."
	case "invalid_scope":
		return "Grant the client this scope, or ask for another --scope."
	case "invalid_target":
		return "The server does not know this --audience or --resource, or the client may not ask for it."
	case "invalid_request":
		if r.audience == "" && len(r.resources) == 0 {
			return "Some servers need --audience, --resource or --scope."
		}
	}
	switch {
	case code == "" && status == http.StatusNotFound, code == "" && status == http.StatusMethodNotAllowed:
		return "Is that the token URL?"
	case code == "" && status == http.StatusUnsupportedMediaType:
		return "Try another --style than " + r.style + "."
	}
	return ""
}

func visible(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] >= 0x7f {
			return false
		}
	}
	return true
}

// note is what the user should know of the token, or "".
func (g *grant) note(key *dpopkey.Key) string {
	switch {
	case strings.Count(g.AccessToken, ".") == 4:
		return "the token is encrypted (JWE): only whom it is for can read it. Auth0 sends such a token without --audience."
	case strings.Count(g.AccessToken, ".") != 2:
		return "the token is opaque, not a JWT: it cannot be verified without its issuer."
	case key != nil && g.boundTo() != key.Thumbprint():
		return "the token is not bound to the key: cnf.jkt is " + quoted(g.boundTo()) + "."
	case key == nil && strings.EqualFold(g.TokenType, "DPoP"):
		return "the token's type is DPoP, not Bearer: the API wants a proof with it. See --dpop."
	case key == nil && g.TokenType != "" && !strings.EqualFold(g.TokenType, "Bearer"):
		return "the token's type is " + quoted(g.TokenType) + ", not Bearer."
	}
	return ""
}

// boundTo returns the member jkt of cnf of a token that is a JWT (RFC 9449 §6.1), or "".
func (g *grant) boundTo() string {
	_, rest, _ := strings.Cut(g.AccessToken, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return ""
	}
	var claims struct {
		Confirmation struct {
			Thumbprint string `json:"jkt"`
		} `json:"cnf"`
	}
	if json.Unmarshal(text, &claims, lenient) != nil {
		return ""
	}
	return claims.Confirmation.Thumbprint
}

// A grantView is a response without the token in it.
type grantView struct {
	Endpoint  string         `json:"token_endpoint"`
	Style     string         `json:"style"`
	TokenType string         `json:"token_type,omitempty"`
	ExpiresIn jsontext.Value `json:"expires_in,omitempty"`
	Scope     string         `json:"scope,omitempty"`
	Length    int            `json:"token_length"`
	JKT       string         `json:"jkt,omitempty"` // of the key
	Note      string         `json:"note,omitempty"`
}

func (g *grant) view(r *tokenRequest) grantView {
	v := grantView{
		Endpoint: cut(r.endpoint), Style: r.style, TokenType: cut(g.TokenType), Scope: cut(g.Scope),
		Length: len(g.AccessToken), Note: g.note(r.key),
	}
	if r.key != nil {
		v.JKT = r.key.Thumbprint()
	}
	if g.ExpiresIn.Kind() == '0' && len(g.ExpiresIn) <= 20 { // a number
		v.ExpiresIn = g.ExpiresIn
	}
	return v
}
