package authserver_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

const issuer = "https://login.example.com"

func newServer(t *testing.T) *authserver.Server {
	t.Helper()
	s, err := authserver.New(issuer, "ES256", authserver.Client{
		ID: "shop", Secret: "s3cret/", Audiences: []string{"https://api.example.com", "https://billing.example.com"},
		Scopes: []string{"orders:read", "orders:write"},
	})
	require.NoError(t, err)
	return s
}

func TestTokenEndpoint(t *testing.T) {
	const form, asJSON = "application/x-www-form-urlencoded", "application/json"
	rows := []struct {
		name, contentType, body string
		id, secret              string // HTTP Basic
		status                  int
		want                    string // error, or scope
		aud                     string
	}{
		{name: "JSON", contentType: asJSON, body: `{"client_id":"shop","client_secret":"s3cret/","audience":"https://billing.example.com","grant_type":"client_credentials"}`, status: 200, want: "orders:read orders:write", aud: "https://billing.example.com"},
		{name: "form", contentType: form, body: "grant_type=client_credentials&client_id=shop&client_secret=s3cret%2F", status: 200, want: "orders:read orders:write", aud: "https://api.example.com"},
		{name: "form with charset", contentType: form + "; charset=utf-8", body: "grant_type=client_credentials&client_id=shop&client_secret=s3cret%2F&scope=orders:read", status: 200, want: "orders:read", aud: "https://api.example.com"},
		{name: "Basic, form-encoded inside", contentType: form, body: "grant_type=client_credentials", id: "shop", secret: "s3cret%2F", status: 200, want: "orders:read orders:write", aud: "https://api.example.com"},
		{name: "wrong secret", contentType: form, body: "grant_type=client_credentials&client_id=shop&client_secret=x", status: 401, want: "invalid_client"},
		{name: "wrong secret by Basic", contentType: form, body: "grant_type=client_credentials", id: "shop", secret: "x", status: 401, want: "invalid_client"},
		{name: "no client", contentType: form, body: "grant_type=client_credentials", status: 401, want: "invalid_client"},
		{name: "both methods", contentType: form, body: "grant_type=client_credentials&client_secret=s3cret%2F", id: "shop", secret: "s3cret%2F", status: 400, want: "invalid_request"},
		{name: "another grant", contentType: form, body: "grant_type=password&client_id=shop&client_secret=s3cret%2F", status: 400, want: "unsupported_grant_type"},
		{name: "a parameter twice", contentType: form, body: "grant_type=client_credentials&grant_type=client_credentials&client_id=shop&client_secret=s3cret%2F", status: 400, want: "invalid_request"},
		{name: "another's scope", contentType: form, body: "grant_type=client_credentials&client_id=shop&client_secret=s3cret%2F&scope=admin", status: 400, want: "invalid_scope"},
		{name: "another's audience", contentType: form, body: "grant_type=client_credentials&client_id=shop&client_secret=s3cret%2F&audience=x", status: 400, want: "invalid_target"},
		{name: "broken JSON", contentType: asJSON, body: `{`, status: 400, want: "invalid_request"},
		{name: "too long", contentType: form, body: strings.Repeat("a", 70_000), status: 400, want: "invalid_request"},
		{name: "another type", contentType: "text/plain", body: "x", status: 415, want: "invalid_request"},
	}
	s := newServer(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, issuer+"/oauth/token", strings.NewReader(row.body))
			r.Header.Set("Content-Type", row.contentType)
			if row.id != "" {
				r.SetBasicAuth(row.id, row.secret)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			assert.Equal(t, row.status, w.Code)
			assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			assert.Equal(t, row.status == 401 && row.id != "", w.Header().Get("WWW-Authenticate") != "")
			var got map[string]any
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
			if row.status != 200 {
				assert.Equal(t, row.want, got["error"])
				return
			}
			assert.Equal(t, row.want, got["scope"])
			assert.Equal(t, "Bearer", got["token_type"])
			assert.EqualValues(t, 3600, got["expires_in"])
			claims := s.Claims("shop", row.aud)
			assert.Equal(t, row.aud, claims["aud"])
			assert.Len(t, strings.Split(got["access_token"].(string), "."), 3)
		})
	}
}

// The set holds the keys that the names of Rotate and Withdraw promise.
func TestRotation(t *testing.T) {
	s := newServer(t)
	published := func() (kids []string) {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, issuer+"/jwks.json", nil))
		var set struct {
			Keys []struct{ Kid, Alg, Use string }
		}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &set))
		for _, k := range set.Keys {
			assert.Equal(t, "sig", k.Use)
			kids = append(kids, k.Kid)
		}
		return kids
	}
	first, _ := s.Key()
	assert.Equal(t, []string{first}, published())
	require.NoError(t, s.Rotate("RS256"))
	second, alg := s.Key()
	assert.Equal(t, "RS256", alg)
	assert.Equal(t, []string{first, second}, published())
	require.NoError(t, s.Rotate("EdDSA"))
	third, _ := s.Key()
	assert.Equal(t, []string{second, third}, published())
	s.Withdraw()
	assert.Equal(t, []string{third}, published())
	assert.Equal(t, 4, s.Fetches())
	assert.Error(t, s.Rotate("none"))
}

// Every algorithm's public key is one that the cache can use.
func TestKeysAreUsable(t *testing.T) {
	for _, alg := range []string{"RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"} {
		t.Run(alg, func(t *testing.T) {
			s, err := authserver.New(issuer, alg)
			require.NoError(t, err)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, issuer+"/jwks.json", nil))
			c, err := jwkscache.Static(w.Body.Bytes())
			require.NoError(t, err)
			kid, _ := s.Key()
			keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: kid, Algorithm: alg})
			require.NoError(t, err)
			assert.Len(t, keys, 1)
		})
	}
}

func TestFailAndHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		get := func() int {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, issuer+"/jwks.json", nil).WithContext(t.Context()))
			return w.Code
		}
		s.Fail(503)
		assert.Equal(t, 503, get())
		s.Heal()
		assert.Equal(t, 200, get())
		s.Hang()
		answered := make(chan int, 1)
		go func() { answered <- get() }()
		synctest.Wait()
		assert.Empty(t, answered, "answered while hanging")
		s.Heal()
		assert.Equal(t, 200, <-answered)
	})
}
