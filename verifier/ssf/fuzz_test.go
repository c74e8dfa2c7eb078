package ssf_test

import (
	"context"
	"crypto"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/ssf"
)

// oneKey is a source of one key.
type oneKey struct{ crypto.PublicKey }

func (k oneKey) Lookup(context.Context, jwkscache.Query) ([]crypto.PublicKey, error) {
	return []crypto.PublicKey{k.PublicKey}, nil
}

// A transmitter signs whatever it likes: nothing breaks, and what is revoked is in a SET, of
// its own issuer, and never all tokens of it.
func FuzzSET(f *testing.F) {
	const issuer, header = "https://issuer.test", `{"typ":"secevent+jwt","alg":"Ed25519"}`
	claims := func(subject, payload string) string {
		return `{"iss":"https://issuer.test","aud":["https://receiver.example.com"],"jti":"a","iat":1,"sub_id":` + subject +
			`,"events":{"` + ssf.SessionRevoked + `":` + payload + `}}`
	}
	for _, id := range []string{alice, mallory, opaque, email, oneToken, aliases(email, alice), `{"format":"complex","user":` + alice + `,"application":` + shop + `}`} {
		f.Add(header, claims(id, `{"event_timestamp":1.5}`))
	}
	f.Add(header, claims(`null`, `{"subject":{"user":`+alice+`}}`))
	f.Add(`{"typ":"JWT","alg":"none"}`, `{"iss":"https://issuer.test","exp":4102444800,"sub":"alice"}`)
	signer := jwttest.NewSigner("Ed25519")
	var entries []revocation.Entry
	r, err := ssf.New(ssf.Config{
		Transmitters:  []ssf.Transmitter{{Issuer: issuer, Audiences: []string{audience}, Keys: oneKey{signer.Public()}, IgnoredMembers: []string{"session"}}},
		Authorization: []string{secret},
		Revoke: func(_ context.Context, all ...revocation.Entry) error {
			entries = append(entries, all...)
			return nil
		},
	})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, header, claims string) {
		entries = nil
		w := httptest.NewRecorder()
		r.ServeHTTP(w, request(signer.Sign(header, claims)))
		require.Contains(t, []int{202, 400, 413}, w.Code)
		if len(entries) == 0 {
			return
		}
		require.Equal(t, 202, w.Code)
		for _, e := range entries {
			require.Equal(t, issuer, e.Issuer)
			require.NotEmpty(t, e.TokenID+e.Subject+e.ClientID, "all tokens")
			require.True(t, e.TokenID == "" || e.Subject+e.ClientID == "")
			require.Equal(t, e.TokenID == "", !e.IssuedBefore.IsZero())
		}
		var set map[string]any
		require.NoError(t, json.Unmarshal([]byte(claims), &set))
		require.Equal(t, issuer, set["iss"])
		for _, name := range []string{"exp", "nbf", "sub"} {
			require.Nil(t, set[name])
		}
		aud, ok := set["aud"].([]any)
		if !ok {
			aud = []any{set["aud"]}
		}
		require.True(t, slices.Contains(aud, any(audience)))
		require.NotEmpty(t, set["jti"])
		require.NotEmpty(t, set["events"])
	})
}
