package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/ssf"
)

// A transmitter that others wrote, as far as there is one for Node.js: npm jose signs, fetch
// pushes, and the receiver finds its keys by its metadata.
func TestTransmitter(t *testing.T) {
	const secret, audience = "Bearer 2b7e151628aed2a6abf7158809cf4f3c", "https://api.example.com/events"
	var handler atomic.Pointer[ssf.Receiver]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.Load().ServeHTTP(w, r)
	}))
	defer srv.Close()
	p, issuer := startNode(t, "transmitter.mjs", srv.URL, secret)
	var entries []revocation.Entry
	r, err := ssf.New(ssf.Config{
		Transmitters:  []ssf.Transmitter{{Issuer: issuer, Audiences: []string{audience}, IgnoredMembers: []string{"session"}}},
		Authorization: []string{secret},
		Revoke: func(_ context.Context, all ...revocation.Entry) error {
			entries = append(entries, all...)
			return nil
		},
	})
	require.NoError(t, err)
	defer r.Close()
	handler.Store(r)

	push := func(set map[string]any) string {
		entries = nil
		line, err := json.Marshal(set)
		require.NoError(t, err)
		_, err = io.WriteString(p.stdin, string(line)+"\n")
		require.NoError(t, err)
		return p.await(t, "pushed ")
	}
	user := map[string]any{"format": "iss_sub", "iss": issuer, "sub": "alice"}
	claims := func(subject any, event string, payload map[string]any) map[string]any {
		return map[string]any{"aud": audience, "sub_id": subject, "events": map[string]any{event: payload}}
	}
	at := time.Now().Add(-time.Minute).Truncate(time.Second).UTC()
	changed := claims(user, ssf.CredentialChange, map[string]any{"credential_type": "password", "change_type": "update", "event_timestamp": at.Unix()})
	alice := []revocation.Entry{{Issuer: issuer, Subject: "alice", IssuedBefore: at}}

	for _, alg := range []string{"PS384", "ES256", "EdDSA"} { // each with a key that is new
		assert.Equal(t, "202 ", push(map[string]any{"alg": alg, "kid": alg, "claims": changed}), alg)
		assert.Equal(t, alice, entries, alg)
	}
	session := map[string]any{"format": "complex", "user": user, "session": map[string]any{"format": "opaque", "id": "s1"}}
	assert.Equal(t, "202 ", push(map[string]any{"claims": claims(session, ssf.SessionRevoked, map[string]any{"event_timestamp": at.Unix()})}))
	assert.Equal(t, alice, entries)
	email := map[string]any{"format": "email", "email": "alice@example.com"}
	assert.Equal(t, "202 ", push(map[string]any{"claims": claims(email, ssf.SessionRevoked, map[string]any{})}))
	assert.Empty(t, entries)
	verification := "https://schemas.openid.net/secevent/ssf/event-type/verification"
	assert.Equal(t, "202 ", push(map[string]any{"claims": claims(map[string]any{"format": "opaque", "id": "stream"}, verification, map[string]any{"state": "x"})}))

	assert.Contains(t, push(map[string]any{"typ": "JWT", "claims": changed}), `400 {"description":"The typ of the header is not secevent+jwt.","err":"invalid_request"}`)
	changed["aud"] = "https://other.example.com"
	assert.Contains(t, push(map[string]any{"claims": changed}), `"err":"invalid_audience"`)
	assert.Empty(t, entries)
	assert.Equal(t, map[ssf.Outcome]uint64{
		ssf.Applied: 4, ssf.Unsupported: 1, ssf.Verification: 1, ssf.InvalidRequest: 1, ssf.InvalidAudience: 1,
	}, r.Stats().Outcomes)
}
