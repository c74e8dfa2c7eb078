package authserver

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const maxRequest = 64 << 10

// A tokenRequest has the parameters of a token request (RFC 6749 §4.4.2), and audience,
// which many servers accept.
type tokenRequest struct {
	GrantType    string `json:"grant_type"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Audience     string `json:"audience"`
	Resource     string `json:"resource"` // RFC 8707
	Scope        string `json:"scope"`
}

// A tokenError is an error response (RFC 6749 §5.2).
type tokenError struct {
	status            int
	code, description string
}

// token is the token endpoint. It accepts a form (RFC 6749) or JSON, which many
// integration guides show, with credentials in the body or by HTTP Basic.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	granted, refused := s.grant(r)
	if refused != nil {
		if _, _, basic := r.BasicAuth(); basic && refused.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
		}
		writeJSON(w, refused.status, map[string]string{"error": refused.code, "error_description": refused.description})
		return
	}
	writeJSON(w, http.StatusOK, granted)
}

func (s *Server) grant(r *http.Request) (map[string]any, *tokenError) {
	req, refused := readRequest(r)
	if refused != nil {
		return nil, refused
	}
	client, known := s.client(req.ClientID, req.ClientSecret)
	if !known {
		return nil, &tokenError{http.StatusUnauthorized, "invalid_client", "The client is unknown or its secret is wrong."}
	}
	if req.GrantType != "client_credentials" {
		return nil, &tokenError{http.StatusBadRequest, "unsupported_grant_type", "Only client_credentials is supported."}
	}
	if req.Audience == "" {
		req.Audience = req.Resource
	}
	if req.Audience == "" {
		req.Audience = client.Audiences[0]
	}
	if !client.Unlimited && !slices.Contains(client.Audiences, req.Audience) {
		return nil, &tokenError{http.StatusBadRequest, "invalid_target", "The client may not ask for this audience."}
	}
	scopes := client.Scopes
	if req.Scope != "" {
		scopes = strings.Split(req.Scope, " ")
		refused := func(s string) bool { return !client.Unlimited && !slices.Contains(client.Scopes, s) }
		if slices.ContainsFunc(scopes, refused) {
			return nil, &tokenError{http.StatusBadRequest, "invalid_scope", "The client may not ask for this scope."}
		}
	}
	claims, tokenType := s.Claims(client.ID, req.Audience), "Bearer"
	if proofs := r.Header.Values("DPoP"); len(proofs) > 0 {
		thumbprint, err := s.checkProof(proofs)
		if err != nil {
			return nil, &tokenError{http.StatusBadRequest, "invalid_dpop_proof", "The DPoP proof is not valid: " + err.Error() + "."}
		}
		claims["cnf"], tokenType = map[string]string{"jkt": thumbprint}, "DPoP"
	}
	if len(scopes) > 0 {
		claims["scope"] = strings.Join(scopes, " ")
	}
	token, err := s.Token(claims)
	if err != nil {
		return nil, &tokenError{http.StatusInternalServerError, "server_error", "The token could not be signed."}
	}
	return map[string]any{
		"access_token": token,
		"token_type":   tokenType,
		"expires_in":   int(s.lifetime.Seconds()),
		"scope":        strings.Join(scopes, " "),
	}, nil
}

// client returns the client of that id and secret.
func (s *Server) client(id, secret string) (c Client, known bool) {
	if s.anyone != nil {
		c = *s.anyone
		if id != "" {
			c.ID = id
		}
		return c, true
	}
	c, known = s.clients[id]
	given, want := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(c.Secret))
	return c, known && subtle.ConstantTimeCompare(given[:], want[:]) == 1
}

func readRequest(r *http.Request) (req tokenRequest, refused *tokenError) {
	bad := &tokenError{http.StatusBadRequest, "invalid_request", "The request is not well-formed."}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil || len(body) > maxRequest {
		return req, bad
	}
	contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch contentType {
	case "application/json":
		if err := json.Unmarshal(body, &req); err != nil {
			return req, bad
		}
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return req, bad
		}
		for name, field := range map[string]*string{
			"grant_type": &req.GrantType, "client_id": &req.ClientID, "client_secret": &req.ClientSecret,
			"audience": &req.Audience, "resource": &req.Resource, "scope": &req.Scope,
		} {
			if len(form[name]) > 1 { // RFC 6749 §3.2
				return req, bad
			}
			*field = form.Get(name)
		}
	default:
		return req, &tokenError{http.StatusUnsupportedMediaType, "invalid_request", "Send a form or JSON."}
	}
	// RFC 6749 §2.3.1: both halves are form-encoded inside Basic.
	if id, secret, basic := r.BasicAuth(); basic {
		if req.ClientSecret != "" {
			return req, bad // §2.3: one method only
		}
		var errID, errSecret error
		req.ClientID, errID = url.QueryUnescape(id)
		req.ClientSecret, errSecret = url.QueryUnescape(secret)
		if errID != nil || errSecret != nil {
			return req, bad
		}
	}
	return req, nil
}
