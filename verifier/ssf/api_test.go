package ssf_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/ssf"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// Over the network: an event that is pushed to a server revokes tokens at once, remembered
// ones included, and only those that it is about.
func TestFromPushToRefusal(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	l, err := revocation.New(revocation.Config{MaxLifetime: 2 * time.Hour})
	require.NoError(t, err)
	cfg := configOf(iss)
	cfg.Transmitters[0].JWKS = jwkscache.Config{MetadataURL: iss.URL() + "/.well-known/openid-configuration"}
	cfg.Revoke = l.Revoke
	events, err := ssf.New(cfg)
	require.NoError(t, err)
	defer events.Close()
	tokens := iss.Config("https://api.example.com")
	tokens.MaxLifetime = 2 * time.Hour
	v, err := verifier.Settings{Revocation: l}.New(tokens)
	require.NoError(t, err)
	defer v.Close()
	mux := http.NewServeMux()
	mux.Handle("/orders", httpauth.Protect(v)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	mux.Handle("/events", events)
	srv := httptest.NewServer(mux)
	defer srv.Close()

	status := func(method, path, authorization, body string) int {
		r, err := http.NewRequest(method, srv.URL+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Authorization", authorization)
		r.Header.Set("Content-Type", "application/secevent+jwt")
		res, err := srv.Client().Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	now := time.Now()
	token := func(user, client, id string, age time.Duration) string {
		return iss.Token(verifiertest.Claims{
			"sub": user, "client_id": client, "jti": id, "iat": now.Add(-age), "exp": now.Add(time.Hour),
		})
	}
	all := map[string]string{
		"alice before": token("alice", "shop", "t1", 2*time.Minute),
		"alice after":  token("alice", "shop", "t2", 0),
		"alice's app":  token("alice", "app", "t3", 2*time.Minute),
		"bob":          token("bob", "shop", "t4", 2*time.Minute),
	}
	refused := func() (names []string) {
		for name, raw := range all {
			switch code := status("GET", "/orders", "Bearer "+raw, ""); code {
			case 200:
			case 401:
				names = append(names, name)
			default:
				t.Errorf("%s: %d", name, code)
			}
		}
		return names
	}
	assert.Empty(t, refused())
	assert.Empty(t, refused(), "remembered")

	s := &scene{t: t, iss: iss}
	push := func(id, payload string) {
		set := s.set(members{"jti": text(seconds(now) + id), "sub_id": id, "events": event(ssf.SessionRevoked, payload)})
		assert.Equal(t, 202, status("POST", "/events", secret, set))
		assert.Equal(t, 400, status("POST", "/events", "Bearer of a stranger", set))
		assert.Equal(t, 401, status("GET", "/orders", "Bearer "+set, ""), "S3 a SET is no access token")
	}
	own := func(format string) string { return strings.ReplaceAll(format, "https://issuer.test", iss.URL()) }
	minuteAgo := `{"event_timestamp":` + seconds(now.Add(-time.Minute)) + `}`
	push(own(mallory), minuteAgo)
	push(email, minuteAgo)
	assert.Empty(t, refused(), "S6 S7 no effect")
	push(`{"format":"complex","user":`+own(alice)+`,"application":`+shop+`}`, minuteAgo)
	assert.ElementsMatch(t, []string{"alice before"}, refused(), "S6 S8")
	push(own(alice), minuteAgo)
	assert.ElementsMatch(t, []string{"alice before", "alice's app"}, refused(), "S8 not what was issued after the event")
	push(strings.Replace(own(oneToken), "t1", "t4", 1), minuteAgo)
	assert.ElementsMatch(t, []string{"alice before", "alice's app", "bob"}, refused(), "S6 a token by its jti")
}
