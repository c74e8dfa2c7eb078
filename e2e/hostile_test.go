package e2e

import (
	"encoding/json"
	"maps"
	"math"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

type claims map[string]any

// absent removes a claim, where nil makes it null.
var absent = new(int)

// hostile gets a token that the mock server signs with these changes to good
// claims and to its header.
func hostile(t *testing.T, s *server, change, header claims) string {
	t.Helper()
	now := time.Now().Unix()
	payload := claims{
		"iss": s.issuer, "aud": ordersAPI, "sub": "shop", "client_id": "shop", "jti": "1", "scope": "orders:read",
		"iat": now, "exp": now + 600,
	}
	maps.Copy(payload, change)
	maps.DeleteFunc(payload, func(_ string, v any) bool { return v == absent })
	return s.tokenWith(t, func(c *clientcredentials.Config) {
		c.EndpointParams = url.Values{"payload": {text(t, payload)}}
		if header != nil {
			c.EndpointParams.Set("header", text(t, header))
		}
	}).AccessToken
}

func text(t *testing.T, c claims) string {
	t.Helper()
	b, err := json.Marshal(c)
	require.NoError(t, err)
	return string(b)
}

// The signature of each of these tokens is good.
func TestHostileClaims(t *testing.T) {
	s := startMock(t)
	v, _ := s.verifier(t, nil)
	now := time.Now().Unix()
	for name, row := range map[string]struct {
		change claims
		want   error
	}{
		"good claims": {nil, nil},

		"no exp":              {claims{"exp": absent}, verifier.ErrClaims},
		"exp null":            {claims{"exp": nil}, verifier.ErrClaims},
		"exp a string":        {claims{"exp": "9999999999"}, verifier.ErrClaims},
		"exp a bool":          {claims{"exp": true}, verifier.ErrClaims},
		"exp an array":        {claims{"exp": []int64{now + 600}}, verifier.ErrClaims},
		"exp an object":       {claims{"exp": claims{"at": now + 600}}, verifier.ErrClaims},
		"exp negative":        {claims{"exp": -1}, verifier.ErrClaims},
		"exp zero":            {claims{"exp": 0}, verifier.ErrExpired},
		"exp past":            {claims{"exp": now - 3600}, verifier.ErrExpired},
		"exp in the leeway":   {claims{"exp": now - 1}, nil},
		"exp with fraction":   {claims{"exp": float64(now) + 600.5}, nil},
		"exp beyond int64":    {claims{"exp": 1e300}, verifier.ErrClaims},
		"exp at 2^63":         {claims{"exp": float64(math.MaxInt64)}, verifier.ErrClaims},
		"exp in milliseconds": {claims{"exp": (now + 600) * 1000}, verifier.ErrClaims},

		"nbf future":        {claims{"nbf": now + 3600}, verifier.ErrNotYetValid},
		"nbf in the leeway": {claims{"nbf": now + 10}, nil},
		"nbf a string":      {claims{"nbf": "0"}, verifier.ErrClaims},
		"nbf null":          {claims{"nbf": nil}, nil},
		"nbf beyond int64":  {claims{"nbf": 1e300}, verifier.ErrClaims},
		"iat future":        {claims{"iat": now + 3600}, nil},
		"iat a string":      {claims{"iat": "now"}, nil},

		"no iss":              {claims{"iss": absent}, verifier.ErrIssuer},
		"iss null":            {claims{"iss": nil}, verifier.ErrIssuer},
		"iss empty":           {claims{"iss": ""}, verifier.ErrIssuer},
		"iss another":         {claims{"iss": "https://evil.example.com"}, verifier.ErrIssuer},
		"iss with a slash":    {claims{"iss": s.issuer + "/"}, verifier.ErrIssuer},
		"iss in capitals":     {claims{"iss": "HTTP" + s.issuer[4:]}, verifier.ErrIssuer},
		"iss with whitespace": {claims{"iss": s.issuer + " "}, verifier.ErrIssuer},
		"iss an array":        {claims{"iss": []string{s.issuer}}, verifier.ErrClaims},

		"no aud":               {claims{"aud": absent}, verifier.ErrAudience},
		"aud null":             {claims{"aud": nil}, verifier.ErrAudience},
		"aud empty":            {claims{"aud": ""}, verifier.ErrAudience},
		"aud an empty array":   {claims{"aud": []string{}}, verifier.ErrAudience},
		"aud among others":     {claims{"aud": []string{"x", ordersAPI}}, nil},
		"aud others":           {claims{"aud": []string{"x", "y"}}, verifier.ErrAudience},
		"aud a prefix":         {claims{"aud": ordersAPI[:len(ordersAPI)-1]}, verifier.ErrAudience},
		"aud with a slash":     {claims{"aud": ordersAPI + "/"}, verifier.ErrAudience},
		"aud space-separated":  {claims{"aud": "x " + ordersAPI}, verifier.ErrAudience},
		"aud a number":         {claims{"aud": 1}, verifier.ErrClaims},
		"aud an object":        {claims{"aud": claims{ordersAPI: true}}, verifier.ErrClaims},
		"aud mixed":            {claims{"aud": []any{ordersAPI, 1}}, verifier.ErrClaims},
		"aud an array of null": {claims{"aud": []any{nil}}, verifier.ErrClaims},
		"aud nested":           {claims{"aud": [][]string{{ordersAPI}}}, verifier.ErrClaims},

		"sub a number":       {claims{"sub": 7}, verifier.ErrClaims},
		"client_id a number": {claims{"client_id": 7}, verifier.ErrClaims},
		"scope a number":     {claims{"scope": 7}, verifier.ErrClaims},
		"scope an object":    {claims{"scope": claims{"orders:read": true}}, verifier.ErrClaims},

		"events (security event)":  {claims{"events": claims{}}, verifier.ErrType},
		"at_hash (ID token)":       {claims{"at_hash": "x"}, verifier.ErrType},
		"c_hash (ID token)":        {claims{"c_hash": "x"}, verifier.ErrType},
		"token_use id (Cognito)":   {claims{"token_use": "id"}, verifier.ErrType},
		"token_use access":         {claims{"token_use": "access"}, nil},
		"typ ID (Keycloak)":        {claims{"typ": "ID"}, verifier.ErrType},
		"typ Refresh (Keycloak)":   {claims{"typ": "Refresh"}, verifier.ErrType},
		"typ Bearer (Keycloak)":    {claims{"typ": "Bearer"}, nil},
		"nonce without permission": {claims{"nonce": "n", "scope": absent}, verifier.ErrType},
		"nonce beside a scope":     {claims{"nonce": "n"}, nil},

		"cnf jkt (DPoP)":  {claims{"cnf": claims{"jkt": "x"}}, verifier.ErrBinding},
		"cnf x5t (mTLS)":  {claims{"cnf": claims{"x5t#S256": "x"}}, verifier.ErrBinding},
		"cnf empty":       {claims{"cnf": claims{}}, verifier.ErrBinding},
		"cnf null":        {claims{"cnf": nil}, verifier.ErrBinding},
		"cnf of no sense": {claims{"cnf": "none"}, verifier.ErrBinding},
	} {
		t.Run(name, func(t *testing.T) { expect(t, v, row.want, hostile(t, s, row.change, nil)) })
	}
}

func TestHostileHeaders(t *testing.T) {
	s := startMock(t)
	v, _ := s.verifier(t, nil)
	strict, _ := s.verifier(t, func(c *verifier.Config) { c.RFC9068 = true })
	refuse := func(err error) [2]error { return [2]error{err, err} }
	for name, row := range map[string]struct {
		header claims
		want   [2]error // by default, and with RFC9068
	}{
		"typ at+jwt":             {claims{"typ": "at+jwt"}, [2]error{}},
		"typ application/at+jwt": {claims{"typ": "application/AT+JWT"}, [2]error{}},
		"typ JWT":                {claims{"typ": "JWT"}, [2]error{nil, verifier.ErrType}},
		"no typ":                 {claims{"typ": nil}, [2]error{nil, verifier.ErrType}},
		"typ empty":              {claims{"typ": ""}, refuse(verifier.ErrType)},
		"typ id+jwt":             {claims{"typ": "id+jwt"}, refuse(verifier.ErrType)},
		"typ logout+jwt":         {claims{"typ": "logout+jwt"}, refuse(verifier.ErrType)},
		"typ secevent+jwt":       {claims{"typ": "secevent+jwt"}, refuse(verifier.ErrType)},
		"typ dpop+jwt":           {claims{"typ": "dpop+jwt"}, refuse(verifier.ErrType)},
		"typ of another tree":    {claims{"typ": "x/at+jwt"}, refuse(verifier.ErrType)},
		"typ a number":           {claims{"typ": 7}, refuse(verifier.ErrMalformed)},
		"cty JWT":                {claims{"typ": "at+jwt", "cty": "JWT"}, refuse(verifier.ErrType)},
		"jku and jwk":            {claims{"typ": "at+jwt", "jku": "https://evil.example.com", "jwk": claims{"kty": "oct"}}, [2]error{}},
		"kid of no key":          {claims{"typ": "at+jwt", "kid": "made-up"}, refuse(verifier.ErrSignature)},
		"no kid":                 {claims{"typ": "at+jwt", "kid": nil}, [2]error{}},
		"kid a number":           {claims{"typ": "at+jwt", "kid": 7}, refuse(verifier.ErrMalformed)},
	} {
		t.Run(name, func(t *testing.T) {
			token := hostile(t, s, nil, row.header)
			expect(t, v, row.want[0], token)
			expect(t, strict, row.want[1], token)
		})
	}
}

// What RFC 9068 section 2.2 requires, one by one.
func TestProfileClaims(t *testing.T) {
	s := startMock(t)
	strict, _ := s.verifier(t, func(c *verifier.Config) { c.RFC9068 = true })
	header := claims{"typ": "at+jwt"}
	expect(t, strict, nil, hostile(t, s, nil, header))
	for name, want := range map[string]error{
		"iss": verifier.ErrIssuer, "exp": verifier.ErrClaims, "aud": verifier.ErrAudience, "sub": verifier.ErrClaims,
		"client_id": verifier.ErrClaims, "iat": verifier.ErrClaims, "jti": verifier.ErrClaims, "scope": nil,
	} {
		t.Run("no "+name, func(t *testing.T) { expect(t, strict, want, hostile(t, s, claims{name: absent}, header)) })
	}
}
