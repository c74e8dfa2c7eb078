package faults

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
)

// token returns one of the key that signs now.
func (w *world) token(t *testing.T, change map[string]any) string {
	t.Helper()
	claims := w.Claims("shop", ordersAPI)
	maps.Copy(claims, change)
	raw, err := w.Token(claims)
	require.NoError(t, err)
	return raw
}

// strangers returns tokens that name keys which never existed.
func (w *world) strangers(t *testing.T) func() string {
	t.Helper()
	claims, err := json.Marshal(w.Claims("shop", ordersAPI))
	require.NoError(t, err)
	return func() string {
		raw, err := w.Sign([]byte(`{"typ":"at+jwt","alg":"ES256","kid":"`+rand.Text()+`"}`), claims)
		if err != nil {
			return err.Error()
		}
		return raw
	}
}
